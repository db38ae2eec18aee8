from __future__ import annotations

import pytest

from jobqueue.batchsize import MOST, BatchSize


def most_after(*observations):
    size = BatchSize()
    for jobs, seconds in observations:
        size.observe(jobs, seconds)
    return size.most


@pytest.mark.parametrize(
    ("observations", "most"),
    [
        ([], 4),  # nothing is known yet
        ([(0, 5.0)], 4),  # a batch that was given back teaches nothing
        ([(4, 0.004)] * 9, 19),  # jobs of a millisecond fill a batch
        ([(50, 0.0)] * 20, MOST),  # of jobs that take no time there are still not too many
        ([(1, 0.019)] * 9, 1),  # a job that lasts comes alone
        ([(1, 3600.0)], 1),
    ],
)
def test_a_batch_is_what_the_jobs_so_far_let_expect(observations, most):
    assert most_after(*observations) == most


def test_short_jobs_soon_come_in_batches_again_after_a_long_one():
    assert most_after((1, 3600.0), *[(1, 0.0001)] * 8) > 4
