"""A run that proves nothing, or does not end well, is not in order."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

import pytest

from tests.chaos.__main__ import LEAST_DROPPED, LEAST_JOBS, LEAST_LOOKS, seen, too_little
from tests.chaos.accounts import Account
from tests.chaos.monkey import CUT_OFF, FAULTS
from tests.chaos.plan import REST
from tests.chaos.witness import Witness

ALL_DONE = Counter([*FAULTS, REST, CUT_OFF])


def account(enqueued: int, performed: int, dropped: int = LEAST_DROPPED) -> Account:
    return Account(
        enqueued=enqueued,
        performed=performed,
        repeated=0,
        failed=0,
        dropped=dropped,
        lost=[],
        invented=[],
        complaints=[],
    )


def complaints(done: Counter[str], drawn: Account) -> list[str]:
    return too_little(SimpleNamespace(done=done), drawn)  # type: ignore[arg-type]


def test_a_run_with_all_faults_and_enough_jobs_proves_something():
    assert complaints(ALL_DONE, account(LEAST_JOBS, LEAST_JOBS)) == []


@pytest.mark.parametrize("fault", ["kill_redis", "dequeue", REST, CUT_OFF])
def test_a_fault_that_never_happened_is_missed(fault: str):
    found = complaints(ALL_DONE - Counter([fault]), account(LEAST_JOBS, LEAST_JOBS))
    assert found == [f"the monkey never did {fault}"]


@pytest.mark.parametrize(("enqueued", "performed"), [(0, 0), (LEAST_JOBS - 1, LEAST_JOBS - 1), (1000, 400)])
def test_too_few_jobs_prove_nothing(enqueued: int, performed: int):
    (complaint,) = complaints(ALL_DONE, account(enqueued, performed))
    assert complaint.startswith("too few jobs")


def test_too_few_unique_jobs_that_met_prove_nothing():
    (complaint,) = complaints(ALL_DONE, account(LEAST_JOBS, LEAST_JOBS, dropped=LEAST_DROPPED - 1))
    assert complaint.startswith("too few unique jobs")


def test_a_witness_that_has_looked_and_seen_nothing_is_content(redis):
    witness = Witness(redis)
    witness.looks = LEAST_LOOKS
    assert list(seen(witness)) == []


def test_a_witness_that_has_not_looked_has_seen_nothing(redis):
    assert list(seen(Witness(redis))) == ["the witness has looked 0 times only"]


def test_what_a_witness_has_seen_is_told(redis):
    witness = Witness(redis)
    witness.looks, witness.doubles = LEAST_LOOKS, {b"1": b'{"id":"1"}'}
    assert list(seen(witness)) == ['stood in two places at once: {"id":"1"}']
