"""The real scripts take every step together with the model, and keep its laws."""

from __future__ import annotations

import os

import pytest
import redis
from hypothesis import HealthCheck, settings

from tests.protocol.lockstep import Lockstep
from tests.protocol.machine.delivery import DeliveryMachine
from tests.protocol.redisstore.store import RedisStore


class ScriptsMachine(DeliveryMachine):
    def make_store(self) -> Lockstep:
        self.client = redis.Redis.from_url(os.environ["REDIS_URL"])
        self.real = RedisStore(self.client)
        return Lockstep(self.real)

    def teardown(self) -> None:
        try:
            super().teardown()
        finally:
            self.real.close()
            self.client.close()


class CalmScriptsMachine(ScriptsMachine):
    faults = False


NEEDS = [pytest.mark.usefixtures("redis_server"), pytest.mark.timeout(600)]
STEPS = settings(
    max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
ScriptsMachine.TestCase.settings = STEPS
CalmScriptsMachine.TestCase.settings = STEPS


class TestScripts(ScriptsMachine.TestCase):
    pytestmark = NEEDS


class TestScriptsWhileCalm(CalmScriptsMachine.TestCase):
    pytestmark = NEEDS
