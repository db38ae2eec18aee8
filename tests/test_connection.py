from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import redis as redis_client
from django.core.exceptions import ImproperlyConfigured
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection

from jobqueue import connection, embedded
from jobqueue.address import RedisAddress
from jobqueue.exceptions import RedisFull, RedisUnreachable
from jobqueue.sentinels import MasterConnection, TLSMasterConnection


@pytest.fixture(autouse=True)
def no_connections_left() -> Iterator[None]:
    yield
    connection.disconnect()


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


class Impostor:
    """A server that gives every message the same answer, and closes the connection if that is empty."""

    def __init__(self, listener: socket.socket, answer: bytes):
        self.url = f"redis://127.0.0.1:{listener.getsockname()[1]}"
        self.received: list[bytes] = []
        self._listener, self._answer = listener, answer

    def serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._serve(client)

    def _serve(self, client: socket.socket):
        while message := client.recv(1024):
            self.received.append(message)
            if not self._answer:
                return
            client.sendall(self._answer)


@contextmanager
def impostor(answer: bytes) -> Iterator[Impostor]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Impostor(listener, answer)
        thread = threading.Thread(target=server.serve)
        thread.start()
        yield server
        connection.disconnect()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def command(message: bytes) -> bytes:
    return message.split(b"\r\n")[2]


# Which Redis


def test_the_setting_comes_before_the_environment(settings, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://by-url")
    monkeypatch.setenv("REDIS_PROVIDER", "CLOUD_URL")
    monkeypatch.setenv("CLOUD_URL", "redis://by-provider")
    settings.JOBQUEUE_REDIS_URL = "redis://by-setting"

    assert connection.address().host == "by-setting"


def test_the_variable_named_by_redis_provider_comes_before_redis_url(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://by-url")
    monkeypatch.setenv("REDIS_PROVIDER", "CLOUD_URL")
    monkeypatch.setenv("CLOUD_URL", "redis://by-provider")

    assert connection.address().host == "by-provider"


def test_redis_url_is_read_at_each_use(monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://first")
    assert connection.address().host == "first"

    monkeypatch.setenv("REDIS_URL", "redis://second")
    assert connection.address().host == "second"


def test_the_embedded_server_is_used_with_debug_if_nothing_is_named(settings, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.setattr(embedded, "address", lambda: RedisAddress(path="/embedded"))
    settings.DEBUG = True

    assert connection.address().path == "/embedded"


def test_without_debug_a_missing_address_is_an_error_that_tells_the_way_out(
    monkeypatch,
):
    monkeypatch.delenv("REDIS_URL")

    with pytest.raises(ImproperlyConfigured, match="No Redis is named: set .* REDIS_URL"):
        connection.client()


def test_an_unset_variable_named_by_redis_provider_is_an_error(monkeypatch):
    monkeypatch.setenv("REDIS_PROVIDER", "CLOUD_URL")

    with pytest.raises(ImproperlyConfigured, match="the variable 'CLOUD_URL', which is not set"):
        connection.address()


def test_an_address_in_redis_provider_is_an_error_that_hides_it(monkeypatch):
    monkeypatch.setenv("REDIS_PROVIDER", "redis://:secret@host")

    with pytest.raises(ImproperlyConfigured, match="should hold the name of the variable") as refused:
        connection.address()

    assert "secret" not in str(refused.value)


# Namespace


@pytest.mark.parametrize(
    ("setting", "url", "prefix"),
    [
        (None, "redis://host", "resque:"),
        (None, "host:6379:1/myns", "myns:"),
        (None, "host:6379/a/b", "a/b:"),
        (None, "host:6379/", ":"),
        ("resque:GitHub", "host:6379/myns", "resque:GitHub:"),
        ("", "host:6379/myns", ":"),
    ],
)
def test_the_namespace_is_the_settings_then_the_addresss_then_resque(
    settings, setting: str | None, url: str, prefix: str
):
    settings.JOBQUEUE_REDIS_URL = url
    settings.JOBQUEUE_NAMESPACE = setting

    assert connection.keys().prefix == prefix


# The client


def test_the_client_speaks_bytes(redis):
    connection.client().set("key", "värde")

    assert connection.client().get("key") == "värde".encode()


def test_the_client_is_one_until_the_address_changes(settings):
    first = connection.client()
    assert connection.client() is first

    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1/7"
    assert connection.client() is not first
    assert connection.client().connection_pool.connection_kwargs["db"] == 7


def test_threads_share_the_client(redis):
    found: list[redis_client.Redis] = []
    threads = [threading.Thread(target=lambda: found.append(connection.client())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({id(client) for client in found}) == 1


def test_disconnect_closes_the_connections(redis):
    own = connection.client().client_id()
    connection.disconnect()

    deadline = time.monotonic() + 5
    while own in {int(client["id"]) for client in redis.client_list()}:
        assert time.monotonic() < deadline
    assert connection.client().client_id() != own


def test_a_forked_child_has_connections_of_its_own(redis):
    parent = connection.client().client_id()
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, str(connection.client().client_id()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    with closing(os.fdopen(reader, "rb")), closing(os.fdopen(writer, "wb")):
        inside = int(os.read(reader, 100))

    assert inside != parent
    assert connection.client().client_id() == parent


def test_a_fork_while_the_clients_are_locked_does_not_block_the_child(redis):
    with connection._clients._lock:
        if (child := os.fork()) == 0:
            os._exit(0 if connection.client().ping() else 1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0


def test_connecting_costs_no_round_trips(settings):
    with impostor(b"+PONG\r\n") as server:
        settings.JOBQUEUE_REDIS_URL = server.url
        connection.client().ping()

        assert [command(message) for message in server.received] == [b"PING"]


def test_a_command_is_never_sent_again(settings):
    with impostor(b"") as server:
        settings.JOBQUEUE_REDIS_URL = server.url
        with pytest.raises(RedisUnreachable, match="cannot be reached"), connection.reaching():
            connection.client().incr("counter")

        assert [command(message) for message in server.received] == [b"INCRBY"]


def test_an_idle_connection_that_was_closed_is_replaced(redis_factory, settings):
    server = redis_factory()
    settings.JOBQUEUE_REDIS_URL = server.url
    connection.client().ping()
    server.kill()
    server.start()

    assert connection.client().ping()


# A connection of one's own


@pytest.mark.parametrize(
    ("url", "connection_class"),
    [
        ("redis://host", Connection),
        ("rediss://host?ssl_cert_reqs=none", SSLConnection),
        ("unix:///run/redis.sock", UnixDomainSocketConnection),
        ("redis+sentinel://h1,h2/mymaster", MasterConnection),
        ("rediss+sentinel://h1,h2/mymaster", TLSMasterConnection),
    ],
)
def test_make_connection_knows_every_kind_of_address(settings, url: str, connection_class: type[object]):
    settings.JOBQUEUE_REDIS_URL = url

    made = connection.make_connection()

    assert isinstance(made, connection_class)
    assert (made.socket_connect_timeout, made.socket_timeout, made.retry.get_retries()) == (2, 2, 0)
    assert not made._sock


def test_make_connection_may_wait_longer_for_answers(settings):
    settings.JOBQUEUE_SOCKET_TIMEOUT_SECONDS = 0.5
    settings.JOBQUEUE_CONNECT_TIMEOUT_SECONDS = 0.25

    assert connection.make_connection().socket_timeout == 0.5
    assert connection.make_connection(read_timeout_seconds=7).socket_timeout == 7
    assert connection.make_connection(read_timeout_seconds=7).socket_connect_timeout == 0.25


def test_a_made_connection_speaks_to_redis(redis):
    made = connection.make_connection()
    made.send_command("SET", "key", b"\xff")
    answer = made.read_response()
    made.disconnect()

    assert (answer, redis.get("key")) == (b"OK", b"\xff")


@pytest.mark.parametrize("name", [b"\xff", b"caf\xe9 \x00", "é".encode()])
def test_any_bytes_may_be_a_name_in_redis(redis, name):
    text = name.decode("utf-8", "surrogateescape")

    connection.client().set(text, 1)
    with connection.client().pipeline() as pipe:
        pipe.rpush("list", text, b"\xfe", 2).execute()

    assert redis.get(name) == b"1"
    assert redis.lrange("list", 0, -1) == [name, b"\xfe", b"2"]


# When Redis cannot be reached


def test_a_refused_connection_is_told_in_one_sentence(settings):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings.JOBQUEUE_REDIS_URL = f"redis://person:secret@127.0.0.1:{port}/2"

    with pytest.raises(RedisUnreachable) as unreachable, connection.reaching():
        connection.client().ping()

    assert str(unreachable.value) == (
        f"Redis at redis://person:***@127.0.0.1:{port}/2 cannot be reached: Connection refused. "
        "Is it running, and is REDIS_URL right?"
    )
    assert isinstance(unreachable.value.__cause__, redis_client.ConnectionError)


def test_a_host_without_address_is_told(settings):
    settings.JOBQUEUE_REDIS_URL = "redis://redis.invalid"

    with (
        pytest.raises(RedisUnreachable, match="redis.invalid:6379/0 cannot be reached: "),
        connection.reaching(),
    ):
        connection.client().ping()


@pytest.mark.parametrize("use", ["pool", "pipeline", "own", "unconnected"])
def test_a_missing_socket_is_told_for_every_use(settings, tmp_path: Path, use: str):
    settings.JOBQUEUE_REDIS_URL = f"unix://{tmp_path}/none"
    uses: dict[str, Callable[[], object]] = {
        "pool": lambda: connection.client().ping(),
        "pipeline": lambda: connection.client().pipeline().ping().execute(),
        "own": lambda: connection.make_connection().connect(),
        "unconnected": lambda: connection.make_connection().send_command("PING"),
    }

    with pytest.raises(RedisUnreachable, match="none cannot be reached: No such file"), connection.reaching():
        uses[use]()


def test_a_redis_that_never_answers_does_not_hold_up_for_long(settings, silent_port):
    settings.JOBQUEUE_REDIS_URL = f"redis://127.0.0.1:{silent_port}"
    settings.JOBQUEUE_SOCKET_TIMEOUT_SECONDS = 0.1
    started = time.monotonic()

    with (
        pytest.raises(RedisUnreachable, match="cannot be reached: it gives no answer in time"),
        connection.reaching(),
    ):
        connection.client().ping()

    assert 0.1 <= time.monotonic() - started < 2, "less than the default"


def test_a_frozen_redis_behind_a_socket_does_not_hold_up_for_long(settings, redis_factory):
    server = redis_factory()
    server.freeze()
    settings.JOBQUEUE_REDIS_URL = server.url
    settings.JOBQUEUE_SOCKET_TIMEOUT_SECONDS = 0.1

    with (
        pytest.raises(RedisUnreachable, match="cannot be reached: it gives no answer in time"),
        connection.reaching(),
    ):
        connection.client().ping()


def test_the_embedded_server_is_told_how_to_be_started(settings, monkeypatch, tmp_path: Path):
    monkeypatch.delenv("REDIS_URL")
    monkeypatch.setattr(embedded, "address", lambda: RedisAddress(path=f"{tmp_path}/redis.sock"))
    settings.DEBUG = True

    with pytest.raises(RedisUnreachable, match="`manage.py jobredis start` starts it"), connection.reaching():
        connection.client().ping()


# Users, passwords, databases


@pytest.fixture
def guarded(redis_factory):
    """A server with a password, and a user of its own."""
    return redis_factory("--requirepass", "s@cret", "--user", *["jobs", "on", ">other", "~*", "&*", "+@all"])


@pytest.mark.parametrize("login", [":s%40cret", "default:s%40cret", "jobs:other"])
def test_a_password_and_an_acl_user_are_accepted(settings, guarded, login):
    settings.JOBQUEUE_REDIS_URL = guarded.url.replace("://", f"://{login}@")

    assert connection.client().ping()
    assert connection.make_connection().connect() is None


@pytest.mark.parametrize("login", [":wrong@", "jobs:wrong@", "nobody:secret@", ""])
def test_a_wrong_login_is_told_without_the_password(settings, guarded, login):
    settings.JOBQUEUE_REDIS_URL = guarded.url.replace("://", f"://{login}")

    with (
        pytest.raises(RedisUnreachable, match="refuses the user or password") as refused,
        connection.reaching(),
    ):
        connection.client().ping()

    assert "wrong" not in str(refused.value).replace("WRONGPASS", "")
    assert "secret" not in str(refused.value)


def test_a_redis_that_loads_its_data_is_told(settings):
    with impostor(b"-LOADING Redis is loading the dataset in memory\r\n") as server:
        settings.JOBQUEUE_REDIS_URL = server.url

        with pytest.raises(RedisUnreachable, match="is still loading its data"), connection.reaching():
            connection.client().ping()


def test_a_database_that_redis_does_not_have_is_told(settings, redis_server):
    settings.JOBQUEUE_REDIS_URL = f"{redis_server}?db=99"

    with pytest.raises(RedisUnreachable, match="has no database 99"), connection.reaching():
        connection.client().ping()


def test_another_server_in_its_place_is_told(settings):
    with impostor(b"HTTP/1.1 400 Bad Request\r\n") as server:
        settings.JOBQUEUE_REDIS_URL = server.url

        with pytest.raises(RedisUnreachable, match="What answers at .* is no Redis"), connection.reaching():
            connection.client().ping()


def test_other_errors_of_redis_pass(redis):
    redis.set("key", "text")

    with pytest.raises(redis_client.ResponseError, match="WRONGTYPE"), connection.reaching():
        connection.client().lpop("key")


@pytest.mark.parametrize(
    ("refusal", "raised"),
    [
        (redis_client.OutOfMemoryError("OOM command not allowed when used memory > 'maxmemory'."), RedisFull),
        (redis_client.ResponseError("NOREPLICAS Not enough good replicas to write."), RedisUnreachable),
    ],
)
def test_what_is_refused_after_an_answer_was_lost_may_have_arrived_before(
    refusal: Exception, raised: type[RedisUnreachable]
) -> None:
    with pytest.raises(raised) as unreachable, connection.reaching():
        try:
            raise redis_client.TimeoutError
        except redis_client.TimeoutError:
            raise refusal  # noqa: B904 - as it happens when the same is sent again
    assert unreachable.value.may_have_arrived

    with pytest.raises(raised) as unreachable, connection.reaching():
        raise type(refusal)(*refusal.args)
    assert not unreachable.value.may_have_arrived
