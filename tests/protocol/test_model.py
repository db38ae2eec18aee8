"""The model of the delivery protocol keeps its laws under any sequence of steps and faults."""

from __future__ import annotations

from hypothesis import settings

from tests.protocol.machine.delivery import DeliveryMachine
from tests.protocol.model.store import ModelStore


class ModelMachine(DeliveryMachine):
    def make_store(self) -> ModelStore:
        return ModelStore()


class CalmMachine(ModelMachine):
    faults = False


STEPS = settings(max_examples=150, stateful_step_count=40, deadline=None)
ModelMachine.TestCase.settings = STEPS
CalmMachine.TestCase.settings = STEPS
TestModel = ModelMachine.TestCase
TestModelWhileCalm = CalmMachine.TestCase
