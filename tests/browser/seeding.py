"""A Redis that looks like a busy site's: our jobs beside Ruby's."""

from __future__ import annotations

import time
from typing import Any

from jobqueue import clock, delayed, failure, ids, locks
from jobqueue.attempts import Attempt
from jobqueue.payload import Job, encode, write

SEND = "blog.jobs.send_email"
NOW_WORKING = "web1:4711:emails,images"


def seed(redis: Any) -> None:
    """Fill queues, workers, failures, retries, delayed jobs, the schedule and locks."""
    seed_queues(redis)
    seed_workers(redis)
    seed_failures(redis)
    seed_retries(redis)
    seed_delayed(redis)
    seed_schedule(redis)
    seed_locks(redis)


def seed_queues(redis: Any) -> None:
    for queue in ("emails", "images", "reports", "search", "émile & co", "webhooks/outgoing"):
        redis.sadd("resque:queues", queue)
    for n in range(43):
        args = [f"person{n}@example.com", "Sample Subject"]
        redis.rpush("resque:queue:emails", encode(Job(SEND, args, {"urgent": n % 5 == 0}, ids.new_id())))
    long = {"title": "A title", "body": "word " * 80, "tags": ["news", "redis"], "author": {"id": 7}}
    redis.rpush(
        "resque:queue:reports",
        b'{"class":"MonthlyReport","args":[2026,11]}',
        write(Job("blog.jobs.publish", [long], {"notify": True}, ids.new_id(), 1, "earlier")),
        b'{"class":"ActiveJob::QueueAdapters::ResqueAdapter::JobWrapper","args":[{"job_class":"WelcomeJob"}]}',
        b"{broken",
    )
    redis.rpush("resque:queue:images", *[b'{"class":"Thumbnailer","args":[%d]}' % n for n in range(1_234)])
    redis.sadd("resque:paused", "search")


def seed_workers(redis: Any) -> None:
    now = time.time()
    workers = {
        NOW_WORKING: 4,
        "web1:4712:emails,images": 2,
        "web2:911:*": 3,
        "app3.example.com:77:reports,search,critical": None,
    }
    for n, (worker, beat) in enumerate(workers.items()):
        redis.sadd("resque:workers", worker)
        redis.set(f"resque:worker:{worker}:started", clock.started(now - 7_200 * (n + 1)))
        redis.set(f"resque:stat:processed:{worker}", 3_120 * (n + 1))
        if beat is not None:
            redis.hset("resque:workers:heartbeat", worker, clock.heartbeat(now - beat))
    redis.set("resque:stat:failed:web2:911:*", 12)
    redis.set(
        f"resque:worker:{NOW_WORKING}",
        working("images", now - 95, b'{"class":"Thumbnailer","args":[4711,"large"]}'),
    )
    redis.set(
        "resque:worker:web2:911:*",
        working("reports", now - 3, write(Job("blog.jobs.count_words", [12], {}, ids.new_id()))),
    )
    redis.set("resque:stat:processed", 1_204_311)
    redis.set("resque:stat:failed", 318)


def working(queue: str, since: float, payload: bytes) -> bytes:
    """Return what ``worker:<id>`` holds while a job runs."""
    return b'{"queue":"%s","run_at":"%s","payload":%s}' % (
        queue.encode(),
        clock.run_at(since).encode(),
        payload,
    )


def seed_failures(redis: Any) -> None:
    now = time.time()
    for n in range(27):
        payload = encode(Job(SEND, [f"person{n}@example.com"], {"urgent": True}, ids.new_id()))
        failed_at = now - 4_000 * (30 - n)
        redis.rpush("resque:failed", entry(payload, "smtplib.SMTPRecipientsRefused", n, failed_at))
    retried = failure.retried(
        failure.entry(
            b'{"class":"BouncingEmailer","args":["person@example.com","Sample Subject"]}',
            exception="ArgumentError",
            error="cannot deliver to person@example.com",
            backtrace=["/app/jobs.rb:20:in `deliver'", "/app/jobs.rb:16:in `perform'"],
            worker="vm:28432:emails,reports",
            queue="emails",
            failed_at=now - 700,
        ),
        now - 60,
    )
    redis.rpush("resque:failed", retried, b"{no json")
    payload = encode(Job("blog.jobs.refresh_feed", ["https://example.com/feed.xml"], {}, ids.new_id()))
    redis.rpush("resque:failed", entry(payload, "ZeroDivisionError", 0, now - 42))


def seed_retries(redis: Any) -> None:
    now = time.time()
    for n in range(1, 4):
        times = (clock.failed_at(now - 90 * k) for k in range(n, 0, -1))
        attempts = tuple(Attempt(at, "ConnectionError", "no answer") for at in times)
        job = Job("blog.jobs.refresh_feed", [f"https://example.com/{n}"], {}, ids.new_id(), attempts=attempts)
        redis.zadd("resque:later", {delayed.member(write(job), "emails"): int((now + 700 * n) * 1000)})


def seed_delayed(redis: Any) -> None:
    """Delay jobs of ours for half an hour and more, and two of Ruby's for an hour."""
    now = time.time()
    for n in range(24):
        job = Job(SEND, [f"person{n}@example.com", "Your trial ends"], {"days": n}, ids.new_id())
        redis.zadd(
            "resque:later", {delayed.member(write(job), "emails"): int((now + 1_800 + 7_200 * n) * 1000)}
        )
    text = b'{"class":"Reports::Monthly","args":[2026,11],"queue":"reports"}'
    at = int(now) + 3_600
    redis.rpush(f"resque:delayed:{at}", text, text)
    redis.sadd(b"resque:timestamps:" + text, f"delayed:{at}")
    redis.zadd("resque:delayed_queue_schedule", {str(at): at})


def entry(payload: bytes, exception: str, n: int, failed_at: float) -> bytes:
    """Return a failure as a Python worker writes it."""
    return failure.entry(
        payload,
        exception=exception,
        error=f"{{'person{n}@example.com': (550, b'No such user here')}}" if n else "division by zero",
        backtrace=[
            "/usr/lib/python3.11/smtplib.py:882:in `sendmail'",
            "/srv/site/.venv/lib/python3.11/site-packages/django/core/mail/backends/smtp.py:151:in `_send'",
            "/srv/site/blog/jobs.py:14:in `send_email'",
        ],
        worker="web1:4711:emails,images",
        queue="emails",
        failed_at=failed_at,
    )


def seed_schedule(redis: Any) -> None:
    now = time.time()
    entries = {
        "send_digest": b'{"class":"DigestMailer","cron":"0 8 * * mon-fri Europe/Berlin","queue":"emails",'
        b'"args":["daily",{"limit":10}],"description":"The digest of all that is new"}',
        "import_products": b'{"class":"Importer","queue":"reports",'
        b'"parameters":{"limit":{"description":"How many at most","default":100},"dry_run":{}}}',
        "sweep": b'{"class":"Sweeper","every":["10m",{"first_in":"1m"}],"queue":"search"}',
        "broken": b'{"class":"Report","cron":"61 * * * *","queue":"reports"}',
    }
    redis.hset("resque:persistent_schedules", mapping=entries)
    redis.hset("resque:fired", "sweep", f"{int(now - 200) * 1000} every 10m")
    redis.hset("resque:delayed:last_enqueued_at", "sweep", clock.started(now - 200))
    redis.sadd("resque:paused_schedule", "send_digest")


def seed_locks(redis: Any) -> None:
    """Let two unique jobs hold their locks, in a queue and for a moment."""
    for n, (until, place) in enumerate((("queued", locks.place("search")), ("done", locks.LATER))):
        id, digest = ids.new_id(), locks.digest(SEND, n)
        text = write(Job(SEND, [n], {"urgent": True}, id, unique=locks.field(until, digest)))
        redis.hset("resque:unique", digest, locks.held(id, place, text))
