from __future__ import annotations

from jobqueue.inspection import inflight


def hold(redis, run: str, worker: str, **jobs: bytes) -> None:
    redis.zadd("resque:runs", {run: 1})
    redis.hset(f"resque:inflight:{run}", "worker", worker)
    redis.hset(f"resque:inflight:{run}", mapping={token.strip("t"): value for token, value in jobs.items()})


def test_a_workers_jobs_come_in_the_order_of_their_claims(redis):
    payload = b'{"class":"A","args":[%d]}'
    hold(redis, "r1", "h:1:q", t10=b"0:1:q" + payload % 10, t9="1:2:é".encode() + payload % 9)
    hold(redis, "r2", "h:2:q", t1=b"1:1:q" + payload % 1)

    jobs = inflight.of_worker("h:1:q").jobs

    assert [(held.queue, held.is_started, held.job.args) for held in jobs] == [
        ("é", True, [9]),
        ("q", False, [10]),
    ]


def test_a_worker_without_a_run_has_nothing(redis):
    assert inflight.of_worker("h:1:q") == inflight.InFlight(jobs=[], complaints=[])


def test_what_is_no_job_in_flight_is_shown_with_the_reason(redis):
    hold(redis, "r1", "h:1:q", t1=b"nonsense", t2=b"1:99:q", t3=b"")

    jobs = inflight.of_worker("h:1:q").jobs

    assert len(jobs) == 3
    assert all(held.job.complaint for held in jobs)


def test_damaged_keys_are_complained_of(redis):
    redis.set("resque:runs", "damaged")

    assert len(inflight.of_worker("h:1:q").complaints) == 1
