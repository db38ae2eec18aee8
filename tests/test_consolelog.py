from __future__ import annotations

import io
import logging
import os
import re

import pytest

from jobqueue import consolelog


@pytest.fixture
def log(monkeypatch):
    """The logger ``jobqueue`` of a site that has configured nothing; restored afterwards."""
    log = logging.getLogger("jobqueue")
    level = log.level
    monkeypatch.setattr(log, "parent", logging.RootLogger(logging.WARNING))
    monkeypatch.setattr(log, "handlers", [])
    monkeypatch.setattr(log, "propagate", True)
    log.setLevel(logging.NOTSET)
    yield log
    log.setLevel(level)


@pytest.mark.parametrize(
    ("given", "environ", "verbosity"),
    [
        (1, {}, 1),
        (1, {"VERBOSE": "1"}, 2),
        (1, {"LOGGING": "1"}, 2),
        (1, {"VVERBOSE": "1"}, 3),
        (1, {"VERBOSE": "1", "VVERBOSE": "1"}, 3),
        (1, {"VVERBOSE": ""}, 1),
        (0, {"VVERBOSE": "1"}, 0),  # the command line goes before the environment
        (2, {"VVERBOSE": "1"}, 2),
        (3, {}, 3),
    ],
)
def test_resques_variables_raise_djangos_default(given, environ, verbosity):
    assert consolelog.verbosity(given, environ) == verbosity


@pytest.mark.parametrize(
    ("verbosity", "pattern"),
    [
        (0, r"warning\n"),
        (1, r"info\nwarning\n"),
        (2, r"\*\*\* debug\n\*\*\* info\n\*\*\* warning\n"),
        (3, r"(\*\* \[\d\d:\d\d:\d\d \d{4}-\d\d-\d\d\] PID: (look|debug|info|warning)\n){4}"),
    ],
)
def test_each_verbosity_has_its_lines_and_their_form(log, capsys, verbosity, pattern):
    consolelog.set_up(verbosity)

    log.log(consolelog.LOOK, "look")
    for level in ("debug", "info", "warning"):
        getattr(log, level)(level)

    assert re.fullmatch(pattern.replace("PID", str(os.getpid())), capsys.readouterr().err)


def test_lines_stand_on_the_console_once(log, capsys):
    consolelog.set_up(1)
    consolelog.set_up(1)

    log.info("once")

    assert capsys.readouterr().err == "once\n"


@pytest.mark.parametrize("is_at_root", [False, True])
def test_the_handlers_of_a_site_are_left_alone(log, capsys, is_at_root):
    sites = logging.StreamHandler(io.StringIO())
    (log.parent if is_at_root else log).addHandler(sites)

    consolelog.set_up(2)
    log.debug("told")

    assert sites.stream.getvalue() == "told\n"
    assert (capsys.readouterr().err, log.propagate) == ("", True)


def test_the_level_of_a_site_is_kept_unless_more_is_asked_for(log):
    log.setLevel(logging.ERROR)

    consolelog.set_up(1)
    assert log.level == logging.ERROR

    consolelog.set_up(2)
    assert log.level == logging.DEBUG
