"""The proxy that tests put before a Redis does what it is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis as redis_client
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.redisserver import free_port
from tests.tcpproxy import TcpProxy


@pytest.fixture
def proxy(redis_factory) -> Iterator[TcpProxy]:
    with TcpProxy(redis_factory().path) as proxy:
        yield proxy


def once(url: str, **options: float) -> redis_client.Redis:
    """Return a client that tries everything once."""
    return redis_client.Redis.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0), **options)


@pytest.fixture(params=["url", "unix_url"])
def client(request, proxy) -> Iterator[redis_client.Redis]:
    with once(getattr(proxy, request.param)) as client:
        yield client


def test_the_redis_may_listen_on_tcp(redis_factory):
    port = free_port()
    redis_factory("--port", str(port))
    with TcpProxy(("127.0.0.1", port)) as proxy, once(proxy.url) as client:
        assert client.ping()


def test_what_is_asked_and_answered_passes_whole(client):
    client.set("key", b"x" * 1_000_000)
    assert client.get("key") == b"x" * 1_000_000


def test_every_connection_is_cut_and_the_next_one_works(client, proxy):
    client.set("key", 1)
    proxy.cut()

    assert client.get("key") == b"1"
    assert proxy.connects == 2


@pytest.mark.parametrize("after_bytes", [0, 1, 2, 1000])
def test_a_reply_is_cut_and_what_was_asked_is_done(client, proxy, after_bytes):
    client.set("key", 1)
    proxy.cut_in_reply(after_bytes)

    with pytest.raises(redis_client.ConnectionError):
        client.incr("key")
    assert client.get("key") == b"2"
    assert proxy.cuts == 1


def test_connections_are_refused_until_they_are_not(client, proxy):
    proxy.refuses = True
    with pytest.raises(redis_client.ConnectionError):
        client.ping()
    proxy.refuses = False
    assert client.ping()


def test_a_reply_may_come_too_late(proxy):
    proxy.delay_seconds = 0.3
    with once(proxy.url, socket_timeout=0.05) as late, pytest.raises(redis_client.TimeoutError):
        late.ping()


def test_a_request_arrives_after_its_sender_has_given_up(proxy, client):
    with once(proxy.url, socket_timeout=0.5) as hasty:
        assert hasty.ping()
        proxy.request_delay_seconds = 1.5
        with pytest.raises(redis_client.TimeoutError):
            hasty.rpush("late", "arrived")
    proxy.request_delay_seconds = 0.0

    assert client.blpop("late", timeout=4) == (b"late", b"arrived")
