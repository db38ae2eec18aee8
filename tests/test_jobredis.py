from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from jobqueue.embedded import EmbeddedServer


@pytest.fixture
def server(settings, monkeypatch, tmp_path: Path) -> Iterator[EmbeddedServer]:
    """The server, not running, of a project that names no other Redis."""
    monkeypatch.delenv("REDIS_URL")
    settings.DEBUG = True
    settings.BASE_DIR = tmp_path
    server = EmbeddedServer(tmp_path)
    yield server
    server.stop()


@pytest.fixture
def jobredis(capsys):
    """Return a function that runs the command and returns what it prints."""

    def run(action: str) -> str:
        call_command("jobredis", action)
        return capsys.readouterr().out

    return run


def test_start_and_stop_tell_what_they_did(server: EmbeddedServer, jobredis) -> None:
    assert jobredis("start") == f"The embedded Redis is started: unix://{server.address.path}\n"
    assert jobredis("start") == f"The embedded Redis ran already: unix://{server.address.path}\n"
    assert jobredis("stop") == "The embedded Redis is stopped; its data is kept.\n"
    assert jobredis("stop") == "The embedded Redis did not run.\n"


def test_status_tells_the_process(server: EmbeddedServer, jobredis) -> None:
    server.start()

    assert jobredis("status") == (
        f"The embedded Redis runs as process {server.pid}: unix://{server.address.path}\n"
    )


def test_status_of_a_stopped_server_ends_with_3(server: EmbeddedServer, jobredis) -> None:
    with pytest.raises(CommandError, match="The embedded Redis does not run.") as stopped:
        jobredis("status")

    assert stopped.value.returncode == 3


def test_url_prints_what_redis_cli_needs_and_starts_nothing(server: EmbeddedServer, jobredis) -> None:
    assert jobredis("url") == f"-s {server.address.path} -n 0\n"
    assert server.pid is None


@pytest.mark.parametrize(
    ("url", "options"),
    [
        ("redis://host:1/2", "-h host -p 1 -n 2"),
        ("rediss://person@host", "-h host -p 6379 --tls --user person -n 0"),
        ("unix:///run/redis.sock?db=1", "-s /run/redis.sock -n 1"),
    ],
)
def test_url_of_another_redis(server: EmbeddedServer, jobredis, monkeypatch, url: str, options: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)

    assert jobredis("url") == f"{options}\n"


def test_url_leaves_the_password_out(server: EmbeddedServer, monkeypatch, capsys) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:secret@host")
    call_command("jobredis", "url")

    printed = capsys.readouterr()
    assert printed.out == "-h host -p 6379 -n 0\n"
    assert printed.err == "The password is left out; redis-cli takes it from REDISCLI_AUTH.\n"


def test_start_is_refused_where_the_site_uses_another_redis(
    server: EmbeddedServer, jobredis, monkeypatch
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:secret@host")

    with pytest.raises(
        CommandError, match="This site uses the Redis at redis://:\\*\\*\\*@host:6379/0; unset"
    ):
        jobredis("start")


def test_status_tells_of_another_redis(server: EmbeddedServer, jobredis, monkeypatch) -> None:
    server.start()
    monkeypatch.setenv("REDIS_URL", "redis://host")

    assert jobredis("status").startswith(
        "This site uses the Redis at redis://host:6379/0.\nThe embedded Redis runs"
    )


def test_start_is_refused_in_production(server: EmbeddedServer, jobredis, settings) -> None:
    settings.DEBUG = False

    with pytest.raises(CommandError, match="for DEBUG = True only; set REDIS_URL in production"):
        jobredis("start")


def test_errors_are_told_without_traceback(server: EmbeddedServer, jobredis) -> None:
    server.folder.mkdir()
    (server.folder / "appendonly.aof").write_text("no data of Redis\n")

    with pytest.raises(CommandError, match="The embedded Redis ended at once"):
        jobredis("start")
