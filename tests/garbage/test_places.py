"""The tables of this folder are complete."""

from __future__ import annotations

from jobqueue.keys import Keys
from tests.garbage.corpus import TYPES
from tests.garbage.places import PLACES


def test_every_key_that_jobqueue_knows_gets_its_garbage():
    kinds = {name for name in vars(Keys) if not name.startswith("_") and name != "prefix"}

    assert set(PLACES) == kinds


def test_every_place_has_a_type_of_redis():
    assert {place.type for place in PLACES.values()} <= set(TYPES)
