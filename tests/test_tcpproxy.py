"""The proxy that tests put before a Redis does what it is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis as redis_client
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.tcpproxy import TcpProxy


@pytest.fixture
def proxy(redis_factory) -> Iterator[TcpProxy]:
    with TcpProxy(redis_factory().path) as proxy:
        yield proxy


@pytest.fixture(params=["url", "unix_url"])
def client(request, proxy) -> Iterator[redis_client.Redis]:
    url = getattr(proxy, request.param)
    with redis_client.Redis.from_url(url, protocol=2, retry=Retry(NoBackoff(), 0)) as client:
        yield client


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
    late = redis_client.Redis.from_url(
        proxy.url, protocol=2, socket_timeout=0.05, retry=Retry(NoBackoff(), 0)
    )
    with late, pytest.raises(redis_client.TimeoutError):
        late.ping()
