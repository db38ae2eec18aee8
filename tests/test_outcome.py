"""What becomes of jobs by how they ended; ``test_performing`` shows how they end."""

from __future__ import annotations

import pytest

from jobqueue.outcome import Kind, Outcome
from jobqueue.recovery import Ending
from jobqueue.retrying import Later

ERROR = ValueError("no luck")


@pytest.mark.parametrize(
    ("outcome", "ending"),
    [
        (Outcome(Kind.DONE), Ending(7, "done")),
        (Outcome(Kind.FAILED, failure=b"entry", error=ERROR), Ending(7, "failed", b"entry")),
        (Outcome(Kind.RETRY, error=ERROR, later=Later(b"text", 500)), Ending(7, "later", b"text", 500)),
        (Outcome(Kind.PUT_BACK, error=ERROR), Ending(7, "back")),
    ],
)
def test_every_kind_of_outcome_has_its_ending_in_redis(outcome, ending):
    assert outcome.ending(7) == ending
