"""The model of the delivery protocol keeps its laws under any sequence of steps and faults."""

from __future__ import annotations

from hypothesis import settings

from tests.protocol.machine import DeliveryMachine
from tests.protocol.model import ModelStore


class ModelMachine(DeliveryMachine):
    def make_store(self) -> ModelStore:
        return ModelStore()


ModelMachine.TestCase.settings = settings(max_examples=300, stateful_step_count=40, deadline=None)
TestModel = ModelMachine.TestCase
