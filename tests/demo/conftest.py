"""The demo blog's pages and jobs on the suite's database and Redis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis as redis_client
from redis.connection import AbstractConnection

from demo_blog.models import Article, Comment
from jobqueue import performing
from jobqueue.outcome import Outcome

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


@pytest.fixture(autouse=True)
def demo_site(settings) -> None:
    """Serve the demo's addresses with its own templates in front."""
    settings.ROOT_URLCONF = "demo_blog.urls"
    settings.TEMPLATES = [{**engine, "DIRS": [TEMPLATES]} for engine in settings.TEMPLATES]
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "demo_blog.middleware.TellWhenRedisIsUnreachable"]
    settings.CONTACT_EMAIL = "editor@example.com"


@pytest.fixture
def perform_all(redis: redis_client.Redis) -> Callable[[], list[Outcome]]:
    """Return a function that performs every enqueued job, and those they enqueue, here and now."""

    def waiting() -> Iterator[tuple[str, bytes]]:
        for queue in redis.smembers("resque:queues"):
            while payload := redis.lpop(b"resque:queue:" + queue):
                yield queue.decode(), payload

    def performed() -> Iterator[Outcome]:
        while jobs := list(waiting()):
            for queue, payload in jobs:
                yield performing.perform(payload, queue, "test:1:*")

    return lambda: list(performed())


@pytest.fixture
def round_trips(monkeypatch) -> list[bytes]:
    """Return a list that grows by one entry with each message to Redis, however many commands it holds."""
    sent: list[bytes] = []
    send = AbstractConnection.send_packed_command

    def listening(connection, command, *args, **kwargs):
        sent.append(command)
        return send(connection, command, *args, **kwargs)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", listening)
    return sent


@pytest.fixture
def article(transactional_db) -> Article:
    return Article.objects.create(title="On queues", text="Four words stand here")


@pytest.fixture
def comment(article: Article) -> Comment:
    return Comment.objects.create(article=article, name="Ada", text="I agree")
