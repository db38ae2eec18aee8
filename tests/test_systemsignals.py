from __future__ import annotations

import signal

from jobqueue import systemsignals


def test_no_enums_are_made():
    before = systemsignals.handle(signal.SIGUSR2, systemsignals.DEFAULT)

    assert type(systemsignals.handler_of(signal.SIGUSR2)) is int
    assert systemsignals.handle(signal.SIGUSR2, before) == signal.SIG_DFL
    assert {type(number) for number in systemsignals.mask(signal.SIG_BLOCK, ())} <= {int}
