from __future__ import annotations

import re
import subprocess
import sys

import pytest
import setproctitle

from jobqueue import processtitle


@pytest.fixture(autouse=True)
def own_title():
    before = setproctitle.getproctitle()
    yield
    setproctitle.setproctitle(before)


def test_a_title_tells_what_is_done():
    processtitle.show("Waiting for work")

    assert setproctitle.getproctitle() == "jobworker (resque-3): Waiting for work"


@pytest.mark.parametrize("name", ["\udcff", "\ud800", "\0"])
def test_a_name_that_no_title_can_hold_is_shown_with_a_question_mark(name):
    processtitle.show(f"Forked for a{name}b")

    assert setproctitle.getproctitle() == "jobworker (resque-3): Forked for a?b"


def test_rubys_pruner_takes_a_process_for_a_worker():
    processtitle.show("Working on *")

    # What Resque looks for in the list of processes, and what it passes over
    assert re.search(r"resque:work|resque: Starting|resque-[0-9]", setproctitle.getproctitle())
    assert "resque-web" not in setproctitle.getproctitle()


def test_a_process_whose_titles_cannot_be_set_says_so():
    code = """
import os
os.environ[next(iter(os.environ))] = "changed"
from jobqueue import processtitle
processtitle.show("Waiting for work")
processtitle.warn_if_not_shown()
"""

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr

    assert said.startswith("Process titles cannot be set, because the first variable of the environment was")


def test_a_process_with_a_title_says_nothing(caplog):
    processtitle.show("Waiting for work")
    processtitle.warn_if_not_shown()

    assert caplog.messages == []


def test_a_title_is_shown_for_a_moment():
    processtitle.show("before")

    with processtitle.shown("meanwhile"):
        assert setproctitle.getproctitle() == "jobworker (resque-3): meanwhile"

    assert setproctitle.getproctitle() == "jobworker (resque-3): before"
