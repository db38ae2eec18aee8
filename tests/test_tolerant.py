from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError


def begin():
    """Begin a command with the system checks that a command line has."""
    call_command("jobschedule", skip_checks=False)


def test_a_bad_entry_of_the_schedule_is_shown_and_stops_no_command(redis, settings, capsys):
    settings.JOBQUEUE_SCHEDULE = {"nightly": {"cron": "nonsense"}}

    begin()

    assert "jobqueue.E007" in capsys.readouterr().err


def test_other_errors_do(redis, settings, capsys):
    settings.JOBQUEUE_SCHEDULE = {"nightly": {"cron": "nonsense"}}
    settings.JOBQUEUE_MAX_CRASHES = 0

    with pytest.raises(SystemCheckError, match=r"jobqueue\.E002"):
        begin()


def test_an_error_that_is_silenced_does_not(redis, settings):
    settings.JOBQUEUE_MAX_CRASHES = 0
    settings.SILENCED_SYSTEM_CHECKS = ["jobqueue.E002"]

    begin()
