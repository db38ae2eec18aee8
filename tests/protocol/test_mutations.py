"""The attack on the protocol is able to fail: a script, or the model, that is broken on purpose is found."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from jobqueue import scripts
from tests.protocol.brokenmodels import BROKEN_MODELS
from tests.protocol.brokenscripts import BROKEN_SCRIPTS
from tests.protocol.machine.delivery import DeliveryMachine
from tests.protocol.model.store import ModelStore
from tests.protocol.test_model import ModelMachine
from tests.protocol.test_scripts import ScriptsMachine

SEARCH = settings(
    max_examples=5000,
    stateful_step_count=30,
    phases=[Phase.generate],
    derandomize=True,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
"""Always the same search, so that what is found once is always found; nothing is made smaller."""

pytestmark = pytest.mark.timeout(600)
"""A rare fault takes many of those, which are found after half a thousand at the latest."""


def is_found(machine: type[DeliveryMachine]) -> bool:
    """Tell whether the attack ends with any error."""
    try:
        run_state_machine_as_test(machine, settings=SEARCH)
    except Exception:
        return True
    return False


@pytest.fixture(autouse=True)
def own_scripts() -> Iterator[None]:
    """Forget broken scripts after the test."""
    scripts.load.cache_clear()
    yield
    scripts.load.cache_clear()


@pytest.mark.usefixtures("redis_server")
@pytest.mark.parametrize(("name", "part", "broken"), BROKEN_SCRIPTS)
def test_a_broken_script_is_found(monkeypatch, name: str, part: str, broken: str) -> None:
    whole = scripts._read(name)
    assert whole.count(part) == 1, f"{name}.lua has changed: break it anew"
    read = scripts._read
    changed = whole.replace(part, broken)
    monkeypatch.setattr(scripts, "_read", lambda each: changed if each == name else read(each))

    assert is_found(ScriptsMachine)


@pytest.mark.parametrize("broken", BROKEN_MODELS)
def test_a_broken_model_breaks_a_law(broken: type[ModelStore]) -> None:
    class BrokenMachine(ModelMachine):
        def make_store(self) -> ModelStore:
            return broken()

    assert is_found(BrokenMachine)
