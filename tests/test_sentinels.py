"""Which Redis is the master, by what real Sentinels and servers say; ``process/test_failover`` kills one."""

from __future__ import annotations

import socket

import pytest
import redis as redis_client

from jobqueue import connection
from jobqueue.exceptions import RedisUnreachable
from jobqueue.link import Link
from jobqueue.sentinels import Sentinels
from tests.failover import SERVICE, running_sentinels
from tests.redisserver import free_port


@pytest.fixture(autouse=True)
def no_connections_left():
    yield
    connection.disconnect()


@pytest.fixture
def port(redis_factory):
    """Return the port of a master with a password."""
    port = free_port()
    redis_factory("--port", str(port), "--requirepass", "s@cret")
    return port


@pytest.fixture
def sentinel(port):
    """Yield a Sentinel with a user of its own, who watches the master."""
    lines = [f"sentinel auth-pass {SERVICE} s@cret", "user guard on >w@tch ~* &* +@all"]
    with running_sentinels(1, port, *lines) as (sentinel,):
        yield sentinel


def url(*places, login="", service=SERVICE, options=""):
    listed = ",".join(str(each) for each in places)
    return f"redis+sentinel://{login}{listed}/{service}/0{options}"


def test_the_master_is_found_with_both_passwords(settings, sentinel, port):
    settings.JOBQUEUE_REDIS_URL = url(
        f"127.0.0.1:{sentinel.port}",
        login=":s%40cret@",
        options="?sentinel_username=guard&sentinel_password=w%40tch",
    )

    assert connection.client().ping()
    link = Link()
    assert link.command("PING") == b"PONG"
    assert link.connect().port == port
    link.close()


@pytest.mark.parametrize(("scheme", "tls"), [("redis", False), ("rediss", True)])
def test_the_sentinels_are_asked_as_the_master_is_spoken_to(settings, monkeypatch, scheme, tls):
    asked = []
    monkeypatch.setattr(
        Sentinels, "find_master", lambda _, options: asked.append(options) or ("127.0.0.1", 1)
    )
    settings.JOBQUEUE_REDIS_URL = f"{scheme}+sentinel://h1,h2/m" + ("?ssl_cert_reqs=none" if tls else "")

    with pytest.raises(redis_client.ConnectionError, match="127.0.0.1:1"):
        connection.make_connection().connect()

    (options,) = asked
    assert options["ssl"] == tls
    assert options.get("ssl_cert_reqs") == ("none" if tls else None)
    assert options["socket_timeout"] == 2.0


def test_the_master_can_be_named_to_redis_cli(settings, sentinel, port):
    settings.JOBQUEUE_REDIS_URL = url(f"127.0.0.1:{sentinel.port}", login=":s%40cret@")

    assert connection.master().masked == f"redis://:***@127.0.0.1:{port}/0"


def test_a_sentinel_that_is_away_is_passed_over(settings, sentinel):
    settings.JOBQUEUE_REDIS_URL = url(
        "127.0.0.1:1", f"[::1]:{free_port()}", f"127.0.0.1:{sentinel.port}", login=":s%40cret@"
    )

    assert connection.client().ping()


def test_what_each_sentinel_says_is_told_when_none_names_a_master(settings, sentinel):
    settings.JOBQUEUE_REDIS_URL = url("127.0.0.1:1", f"127.0.0.1:{sentinel.port}", service="other")

    with pytest.raises(RedisUnreachable) as unreachable, connection.reaching():
        connection.client().ping()

    message = str(unreachable.value)
    assert message.startswith(
        f"Redis at redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel.port}/other/0 cannot be"
    )
    assert "no Sentinel names its master. 127.0.0.1:1 says: " in message
    assert f"127.0.0.1:{sentinel.port} says: no master is named 'other' here, only ['{SERVICE}']." in message


@pytest.mark.parametrize(
    "options", ["?sentinel_password=wrong", "?sentinel_username=guard&sentinel_password=x"]
)
def test_a_sentinel_that_refuses_the_login_is_told_without_the_password(settings, sentinel, options):
    settings.JOBQUEUE_REDIS_URL = url(f"127.0.0.1:{sentinel.port}", options=options)

    with (
        pytest.raises(RedisUnreachable, match="no Sentinel names its master") as unreachable,
        connection.reaching(),
    ):
        connection.client().ping()

    assert "=" not in str(unreachable.value)


def test_a_redis_in_the_place_of_a_sentinel_is_told(settings, port):
    settings.JOBQUEUE_REDIS_URL = url(f"127.0.0.1:{port}", options="?sentinel_password=s%40cret")

    with pytest.raises(RedisUnreachable, match="says: unknown command .SENTINEL"), connection.reaching():
        connection.client().ping()


def test_sentinels_that_never_answer_do_not_hold_up_for_long(settings):
    settings.JOBQUEUE_CONNECT_TIMEOUT_SECONDS = 0.1
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.JOBQUEUE_REDIS_URL = url(f"127.0.0.1:{silent.getsockname()[1]}")

        with pytest.raises(RedisUnreachable, match="Timeout"), connection.reaching():
            connection.client().ping()


def test_a_replica_that_is_named_the_master_is_left(replica, settings, monkeypatch):
    with replica.client() as redis:
        named = ("127.0.0.1", redis.config_get("port")["port"])
    monkeypatch.setattr(Sentinels, "find_master", lambda *_: named)
    settings.JOBQUEUE_REDIS_URL = url("127.0.0.1:1")
    link = Link()

    with pytest.raises(redis_client.ConnectionError, match="the master, and it is a replica"):
        link.connect()

    assert link.connects == 0


def test_a_master_that_was_demoted_is_left_at_the_next_write(replica, settings, monkeypatch):
    """Sentinel closes the connections of clients; nothing depends on that."""
    with connection.client() as old, replica.client() as new:
        ports = [int(client.config_get("port")["port"]) for client in (old, new)]
        monkeypatch.setattr(Sentinels, "find_master", lambda *_: ("127.0.0.1", ports[0]))
        settings.JOBQUEUE_REDIS_URL = url("127.0.0.1:1")
        link = Link()
        link.command("SET", "a", "1")
        new.replicaof("NO", "ONE")
        old.replicaof("127.0.0.1", str(ports[1]))
        ports.reverse()

        with pytest.raises(redis_client.ReadOnlyError):
            link.command("SET", "b", "1")
        link.command("SET", "c", "1")

        assert new.mget("b", "c") == [None, b"1"]
    link.close()
