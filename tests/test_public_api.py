"""The names that a site may rely on."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import jobqueue


def test_all_names_are_there_in_order():
    assert sorted(jobqueue.__all__) == jobqueue.__all__
    assert [name for name in jobqueue.__all__ if not hasattr(jobqueue, name)] == []


def test_everything_public_is_named():
    public = {
        name
        for name, value in vars(jobqueue).items()
        if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
    }

    assert public == set(jobqueue.__all__)


def test_no_module_has_the_name_of_something_public():
    modules = {name.split(".")[1] for name in sys.modules if name.startswith("jobqueue.")}

    assert modules & set(jobqueue.__all__) == set()


def test_everything_public_is_explained():
    named = [getattr(jobqueue, name) for name in jobqueue.__all__]

    assert [each for each in named if inspect.isroutine(each) and not inspect.getdoc(each)] == []
    assert "@job(queue=" in jobqueue.__doc__


@pytest.mark.parametrize("module", ["jobqueue", "jobqueue.testing", "jobqueue.pytest_plugin"])
def test_importing_needs_neither_settings_nor_apps(module):
    code = f"import {module}; from django.conf import settings; assert not settings.configured"

    subprocess.run(
        [sys.executable, "-c", code], check=True, env={"PATH": "", "PYTHONPATH": ":".join(sys.path)}
    )
