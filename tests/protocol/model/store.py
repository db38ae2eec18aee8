"""The model as a whole."""

from __future__ import annotations

from tests.protocol.model.bare import Bare
from tests.protocol.model.failures import Failures
from tests.protocol.model.schedule import Schedule
from tests.protocol.model.workers import Workers


class ModelStore(Schedule, Bare, Failures, Workers):
    """What all the scripts do."""
