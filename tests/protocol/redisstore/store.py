"""The scripts as a whole."""

from __future__ import annotations

from tests.protocol.redisstore.bare import Bare
from tests.protocol.redisstore.failures import Failures
from tests.protocol.redisstore.queues import Queues
from tests.protocol.redisstore.schedule import Schedule
from tests.protocol.redisstore.unique import Unique
from tests.protocol.redisstore.workers import Workers


class RedisStore(Queues, Failures, Bare, Schedule, Unique, Workers):
    """What the scripts do."""
