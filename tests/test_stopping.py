from __future__ import annotations

import signal
from math import inf

import pytest

from jobqueue.stopping import StopPlan, StopPlans

GRACEFUL = StopPlan(finish_seconds=8.0, cleanup_seconds=3.0)
ENDLESS = StopPlan(finish_seconds=inf, cleanup_seconds=3.0)
RESQUES = StopPlan(finish_seconds=0.0, cleanup_seconds=4.0, fails=True)


@pytest.mark.parametrize(
    ("term_child", "graceful_term", "on_quit", "on_term", "on_int"),
    [
        (False, False, GRACEFUL, GRACEFUL, GRACEFUL),
        (True, False, ENDLESS, RESQUES, RESQUES),
        (False, True, ENDLESS, ENDLESS, GRACEFUL),
        (True, True, ENDLESS, ENDLESS, RESQUES),
    ],
)
def test_what_each_signal_means(term_child, graceful_term, on_quit, on_term, on_int):
    plans = StopPlans(
        graceful=GRACEFUL, term_child=RESQUES if term_child else None, is_term_graceful=graceful_term
    )

    of = plans.of
    assert [of(signal.SIGQUIT), of(signal.SIGTERM), of(signal.SIGINT)] == [on_quit, on_term, on_int]


@pytest.mark.parametrize(
    ("dead_after", "finish", "cleanup"),
    [
        (60.0, 8.0, 3.0),  # the times of a graceful stop
        (14.0, 5.0, 3.0),  # 14 - 5 - 3 - 1
        (9.0, 0.0, 3.0),
        (8.0, 0.0, 2.0),
        (6.0, 0.0, 0.0),
    ],
)
def test_an_orphan_is_gone_before_others_take_it_for_dead(settings, dead_after, finish, cleanup):
    settings.JOBQUEUE_DEAD_AFTER_SECONDS = dead_after
    plans = StopPlans(graceful=GRACEFUL, term_child=RESQUES)

    assert plans.for_orphans == StopPlan(finish_seconds=finish, cleanup_seconds=cleanup)
