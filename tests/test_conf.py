from __future__ import annotations

import socket

from django.test import override_settings

from jobqueue.conf import hostname, known_settings, settings


def test_a_setting_has_its_default() -> None:
    assert settings.interval_seconds == 5.0
    assert settings.redis_url is None


def test_a_setting_is_read_at_use() -> None:
    with override_settings(JOBQUEUE_INTERVAL_SECONDS=1):
        assert settings.interval_seconds == 1

    assert settings.interval_seconds == 5.0


def test_known_settings_are_named_as_in_the_settings_module() -> None:
    assert {"JOBQUEUE_REDIS_URL", "JOBQUEUE_INLINE", "JOBQUEUE_CAN_VIEW"} <= known_settings()


def test_the_hostname_is_the_machines() -> None:
    assert hostname() == socket.gethostname().replace(":", "-")


@override_settings(JOBQUEUE_HOSTNAME="web:1")
def test_the_hostname_can_be_set_and_has_no_colon() -> None:
    assert hostname() == "web-1"
