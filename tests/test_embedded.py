from __future__ import annotations

import io
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import redis as redis_client
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command

from jobqueue import connection, embedded
from jobqueue.embedded import EmbeddedServer
from jobqueue.exceptions import RedisUnreachable
from jobqueue.redisbinary import RedisBinary, find_binary


@pytest.fixture
def project(settings, monkeypatch, tmp_path: Path) -> Iterator[Path]:
    """A project directory without Redis; its embedded server is stopped in the end."""
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setattr(embedded, "_addresses", {})
    settings.DEBUG = True
    settings.BASE_DIR = tmp_path
    yield tmp_path
    connection.disconnect()
    EmbeddedServer(tmp_path).stop()


@pytest.fixture
def server(project: Path) -> EmbeddedServer:
    return EmbeddedServer(project)


def client_of(server: EmbeddedServer) -> redis_client.Redis:
    return redis_client.Redis(unix_socket_path=server.address.path, protocol=2)


def in_children(count: int, act: Callable[[], bool]) -> list[bool]:
    """Run a function in processes that begin at the same instant, and return what each returned."""
    reader, writer = os.pipe()
    children = []
    for _ in range(count):
        if (child := os.fork()) == 0:
            os.close(writer)
            os.read(reader, 1)
            os._exit(int(act()))
        children.append(child)
    os.close(writer)
    os.close(reader)
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1 for child in children]


# Who starts it


def test_the_first_use_starts_a_server_and_later_ones_find_it(project: Path) -> None:
    connection.client().set("key", "value")
    first = EmbeddedServer(project).pid
    embedded._addresses.clear()

    assert connection.client().get("key") == b"value"
    assert EmbeddedServer(project).pid == first is not None


@pytest.mark.django_db
def test_checks_and_migrations_start_nothing(project: Path) -> None:
    call_command("check", stdout=io.StringIO())
    call_command("migrate", verbosity=0)

    assert not (project / ".jobqueue").exists()
    assert EmbeddedServer(project).pid is None


def test_processes_that_start_it_at_the_same_instant_get_one_server(server: EmbeddedServer) -> None:
    assert sorted(in_children(4, server.start)) == [False, False, False, True]


def test_the_server_outlives_its_starter_in_a_session_of_its_own(server: EmbeddedServer) -> None:
    assert in_children(1, server.start) == [True]

    assert server.pid == os.getsid(server.pid or 0) != os.getsid(0)
    assert not server.start()


def test_without_base_dir_the_project_is_where_manage_py_is(settings, monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.argv", [str(tmp_path / "manage.py"), "jobworker"])
    assert embedded.project_directory() == tmp_path.resolve()

    monkeypatch.setattr("sys.argv", ["/usr/bin/gunicorn"])
    assert embedded.project_directory() == Path.cwd()


# How it runs


def test_the_server_keeps_its_data_and_has_no_port(server: EmbeddedServer) -> None:
    server.start()

    with closing(client_of(server)) as client:
        options = client.config_get("*")

    assert {
        name: options[name] for name in ("appendonly", "appendfsync", "maxmemory-policy", "port", "save")
    } == {
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "port": "0",
        "save": "",
    }


def test_only_the_owner_can_enter_the_folder_and_git_ignores_it(server: EmbeddedServer) -> None:
    server.start()

    assert server.folder.stat().st_mode & 0o777 == 0o700
    assert (server.folder / ".gitignore").read_text() == "*\n"


def test_a_path_too_long_for_a_socket_is_replaced_by_a_private_one(project: Path, monkeypatch) -> None:
    long = project / ("long" * 25)
    long.mkdir()
    server = EmbeddedServer(long)
    server.start()
    short = Path(server.address.path).parent

    assert len(server.address.path) < 104
    assert short.stat().st_mode & 0o777 == 0o700
    monkeypatch.setattr("tempfile.tempdir", str(project))  # as in a process with another TMPDIR
    assert not EmbeddedServer(long).start()
    server.stop()
    shutil.rmtree(short)


def test_a_short_path_that_others_can_enter_is_refused(project: Path, monkeypatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(project))
    server = EmbeddedServer(project / ("long" * 25))
    server.folder.mkdir(parents=True)
    (project / embedded.short_name(server.folder)).mkdir(mode=0o755)

    with pytest.raises(ImproperlyConfigured, match="not a directory of your own with mode 700"):
        server.start()


def test_a_copied_project_has_a_server_of_its_own(project: Path) -> None:
    original, copy = EmbeddedServer(project / ("one" * 35)), EmbeddedServer(project / ("two" * 35))
    original.folder.parent.mkdir()
    original.start()
    copy.folder.mkdir(parents=True)
    shutil.copy(original.folder / "socket", copy.folder)

    assert copy.start()
    assert copy.address != original.address
    for server in (original, copy):
        server.stop()
        shutil.rmtree(Path(server.address.path).parent, ignore_errors=True)


# Restarts


def test_data_outlives_a_stop_and_a_start(server: EmbeddedServer) -> None:
    server.start()
    with closing(client_of(server)) as client:
        client.set("key", "value")
    assert server.stop()
    assert not server.stop()

    assert server.start()
    with closing(client_of(server)) as client:
        assert client.get("key") == b"value"


def test_data_outlives_a_killed_server(server: EmbeddedServer) -> None:
    server.start()
    with closing(client_of(server)) as client:
        client.set("key", "value")
    os.kill(server.pid or 0, signal.SIGKILL)

    server.start()
    with closing(client_of(server)) as client:
        assert client.get("key") == b"value"


def test_a_server_whose_socket_was_removed_is_stopped_all_the_same(server: EmbeddedServer) -> None:
    server.start()
    Path(server.address.path).unlink()

    assert server.stop()
    assert server.start()


def test_a_server_whose_pid_file_was_removed_is_stopped_all_the_same(server: EmbeddedServer) -> None:
    server.start()
    (server.folder / "redis.pid").unlink()

    assert server.stop()


def test_a_stopped_server_is_not_started_again_by_processes_that_used_it(project: Path) -> None:
    connection.client().ping()
    EmbeddedServer(project).stop()

    with pytest.raises(RedisUnreachable, match="`manage.py jobredis start` starts it"), connection.reaching():
        connection.client().ping()
    EmbeddedServer(project).start()
    assert connection.client().ping()


# When it does not run


def test_a_server_that_loads_its_data_is_waited_for(server: EmbeddedServer, monkeypatch) -> None:
    server.start()
    answers = iter(["-LOADING", "-LOADING", "", "+PONG"])
    monkeypatch.setattr(server, "_ask", lambda command: next(answers))

    assert not server.start()
    assert not list(answers)


def test_a_server_that_gives_no_answer_is_an_error(server: EmbeddedServer, monkeypatch) -> None:
    server.start()
    monkeypatch.setattr(embedded, "START_SECONDS", 0.05)
    monkeypatch.setattr(server, "_ask", lambda command: "")

    with pytest.raises(RedisUnreachable, match="gives no answer in 0 seconds: .* \\(more in .*redis.log\\)"):
        server.start()


def test_a_server_that_does_not_stop_is_an_error(server: EmbeddedServer, monkeypatch) -> None:
    server.start()
    os.kill(server.pid or 0, signal.SIGSTOP)

    with monkeypatch.context() as patch, pytest.raises(RedisUnreachable, match="does not stop"):
        patch.setattr(embedded, "STOP_SECONDS", 0.05)
        server.stop()

    os.kill(server.pid or 0, signal.SIGCONT)


def test_broken_data_is_told_with_the_last_line_of_the_log(server: EmbeddedServer) -> None:
    server.folder.mkdir()
    (server.folder / "appendonly.aof").write_text("no data of Redis\n")

    with pytest.raises(RedisUnreachable, match="The embedded Redis ended at once: .*(more in .*redis.log)"):
        server.start()


def test_options_that_the_server_refuses_are_told(server: EmbeddedServer, monkeypatch) -> None:
    monkeypatch.setattr(RedisBinary, "command", lambda self, path: [self.path, "--nonsense", "1"])

    with pytest.raises(RedisUnreachable, match="(?s)The embedded Redis did not start: .*nonsense"):
        server.start()


def test_data_of_a_newer_redis_is_not_hidden_by_an_older_one(server: EmbeddedServer, monkeypatch) -> None:
    older = RedisBinary(find_binary().path, (6, 2))
    monkeypatch.setattr(embedded, "find_binary", lambda: older)
    (server.folder / "appendonlydir").mkdir(parents=True)

    with pytest.raises(ImproperlyConfigured, match="was written by Redis 7 or newer, and .* is 6.2"):
        server.start()


def test_a_folder_that_cannot_be_written_is_an_error_that_tells_the_way_out(server: EmbeddedServer) -> None:
    server.folder.write_text("a file in the way")

    with pytest.raises(
        ImproperlyConfigured, match="cannot keep its data in .*: File exists. Install redis-server"
    ):
        server.start()
    server.folder.unlink()
