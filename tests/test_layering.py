"""The floors of the package: imports go down, never up, never in circles, and stand at a module's head."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "jobqueue"

FLOORS = (
    # 0 words
    "conf exceptions keys pause readiness signals systemsignals unix",
    # 1 values
    "attempts backoff childreport clock cron cronfields delayed duetime durations failure held ids labels"
    " locks memoryfile patterns payload plainjson printable recovery recurring retrying rubyjson seentexts"
    " sharedpage stopping timing",
    # 2 Redis
    "address connection doorbells embedded inspection link masterlock packing pruning redisbinary scripts"
    " sentinels socketpath store trouble",
    # 3 jobs
    "api arity asyncperforming background calling changes collection coroutines databases defined"
    " defining definition delayedjobs dequeueing discovery enqueueing hooks interruption laneinterruption"
    " options outcome performing pushreport registry schedule schedulefile timetable unique uniqueoptions"
    " valuekeys",
    # 4 processes
    "asynccrew attention batchsize concurrentworker consolelog crew currentrun endofjobs firing focus"
    " forking forkingworker forksignals guardian inflight lifeline lockkeeping lookout memory patience"
    " pidfile processtitle queueorder recovering reloading renewal running scheduler schedulerbell"
    " schedulerprocess signoflife slot stacks supervisor systemd unsettled watchdog worker workeroptions"
    " workerprocess",
    # 5 doors: __init__ is the package itself
    "__init__ apps checks management pytest_plugin templatetags testing urls views",
)
"""What stands on each floor; a subpackage stands there as a whole."""

FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names.split()}


def _name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def _top(module: str) -> str:
    """Return what of ``jobqueue.views.queues`` stands on a floor: ``views``."""
    return (module.split(".") + ["__init__"])[1]


def _tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def _imported(module: str, tree: ast.AST) -> list[str]:
    """Return the modules of the package that are imported anywhere in ``tree``."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            inner = [f"{base}.{alias.name}" for alias in node.names]
            names += [name if name in MODULES else base for name in inner]
    return list(dict.fromkeys(name for name in names if name.split(".")[0] == "jobqueue"))


def _base(module: str, node: ast.ImportFrom) -> str:
    """Return the absolute name of what ``from … import`` imports from."""
    if not node.level:
        return node.module or ""
    package = module.split(".") if MODULES[module].name == "__init__.py" else module.split(".")[:-1]
    parents = package[: len(package) - node.level + 1]
    return ".".join([*parents, node.module] if node.module else parents)


@pytest.mark.parametrize("module", MODULES)
def test_every_module_stands_on_a_floor(module):
    assert _top(module) in FLOOR_OF, f"{module} stands on no floor: add it to FLOORS in {Path(__file__).name}"


def test_what_stands_on_a_floor_is_a_module():
    assert {_top(module) for module in MODULES} == FLOOR_OF.keys()


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_or_stay_on_the_floor(module):
    floor = FLOOR_OF.get(_top(module), len(FLOORS))

    imported = _imported(module, _tree(module))
    upward = [name for name in imported if FLOOR_OF.get(_top(name), len(FLOORS)) > floor]

    assert not upward, f"{module} imports from above: {', '.join(upward)}"


def test_imports_never_go_in_circles():
    graph = {module: _imported(module, _tree(module)) for module in MODULES}

    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"these modules import each other: {' <- '.join(error.args[1])}")


@pytest.mark.parametrize("module", MODULES)
def test_no_import_stands_inside_a_function(module):
    functions = [
        node for node in ast.walk(_tree(module)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    hidden = [
        f"{module}:{node.lineno}"
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert not hidden


@pytest.mark.parametrize(
    ("module", "source", "imported"),
    [
        ("jobqueue.payload", "import jobqueue.ids, json", ["jobqueue.ids"]),
        ("jobqueue.payload", "from jobqueue import ids, nothing", ["jobqueue.ids", "jobqueue"]),
        ("jobqueue.payload", "from jobqueue.ids import new_id", ["jobqueue.ids"]),
        ("jobqueue.payload", "from . import ids", ["jobqueue.ids"]),
        ("jobqueue.payload", "from .ids import new_id", ["jobqueue.ids"]),
        ("jobqueue.store", "from ..ids import new_id", ["jobqueue.ids"]),
        ("jobqueue.payload", "if x:\n def f():\n  from jobqueue.ids import new_id", ["jobqueue.ids"]),
        ("jobqueue.payload", "from json import jobqueue", []),
    ],
)
def test_imports_are_found_in_every_form(module, source, imported):
    assert _imported(module, ast.parse(source)) == imported
