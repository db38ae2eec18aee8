"""Unique jobs from the enqueue to the end of the job, in this process; ``process/`` has crashes."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import transaction

import jobqueue
from jobqueue import duetime, job, locks, payload, unique
from jobqueue.exceptions import AlreadyEnqueued, InvalidArguments, InvalidDefinition, NotReplicated
from jobqueue.inspection.failures import upwards
from jobqueue.inspection.locks import every
from jobqueue.patterns import QueueList
from jobqueue.payload import Job, decode
from jobqueue.sharedpage import SharedPage
from jobqueue.store import pushing
from jobqueue.store.failures import retry_listed
from jobqueue.store.promotion import promote
from jobqueue.store.queues import remove_queue
from jobqueue.testing import capture_jobs
from jobqueue.worker import Worker
from jobqueue.workeroptions import WorkerOptions

pytestmark = pytest.mark.usefixtures("redis", "own_registry", "own_title")

QUEUE = "resque:queue:work"


@pytest.fixture
def define():
    """Return a function that defines a job of the queue ``work``."""

    def make(function=None, **options):
        return job(name="unique", queue="work", **options)(function or (lambda *args, **kwargs: None))

    return make


@pytest.fixture
def make_worker(attention):
    """Return a function that makes a worker of the queue ``work``."""
    made = []

    def make():
        made.append(Worker(WorkerOptions(queues=QueueList.parse("work")), attention, SharedPage(), 0.0))
        return made[-1]

    yield make
    for worker in made:
        worker._lookout._bells.close()
        worker._in_flight._run._link.close()


def waiting(redis):
    """Return ids and arguments of the jobs that wait, in order."""
    jobs = map(decode, redis.lrange(QUEUE, 0, -1))
    return [(each.id, each.args) for each in jobs]


def delayed(redis):
    """Return ids, arguments and moments in ms of the delayed jobs."""
    found = redis.zrange("resque:later", 0, -1, withscores=True)
    return [(decode(text).id, decode(text).args, score) for text, score in found]


def holders():
    """Return the ids of who holds a lock."""
    return {lock.holder.id for lock in all_locks()}


def all_locks():
    return [lock for some in every() for lock in some]


def work_off(worker):
    while worker.turn():
        pass


# What makes jobs equal


def fields(definition, *calls):
    """Return how many different locks calls have."""
    return len({unique.lock_field(definition, args, kwargs) for args, kwargs in calls})


def test_calls_are_equal_if_their_parameters_have_the_same_values(define):
    definition = define(lambda a, b=2, *, c=None: None, unique="queued")

    assert fields(definition, ((1,), {}), ((), {"a": 1}), ((1, 2), {"c": None}), ((1,), {"b": 2})) == 1
    assert fields(definition, ((1,), {}), ((2,), {}), ((1, 3), {}), ((1,), {"c": 0}), ((True,), {})) == 5


def test_the_order_of_keys_makes_no_difference(define):
    definition = define(lambda a: None, unique="queued")

    assert (
        fields(definition, (({"x": 1, "y": {"p": 1, "q": 2}},), {}), (({"y": {"q": 2, "p": 1}, "x": 1},), {}))
        == 1
    )


def test_any_number_of_arguments_is_compared(define):
    definition = define(lambda *args, **kwargs: None, unique="queued")

    assert fields(definition, ((1, 2), {}), ((1,), {}), ((1, 2), {"k": 1}), ((2, 1), {})) == 4


def test_jobs_of_two_definitions_are_never_equal(define):
    one = define(unique="queued")
    other = job(name="other", unique="queued")(lambda *args: None)

    assert unique.lock_field(one, (1,), {}) != unique.lock_field(other, (1,), {})


def test_a_chosen_part_decides(define):
    definition = define(
        lambda *args, **kwargs: None, unique="queued", unique_by=lambda user, kind, **_: (user, kind)
    )

    assert fields(definition, ((1, "a"), {}), ((1, "a"), {"text": "x"}), ((1,), {"kind": "a"})) == 1
    assert fields(definition, ((1, "a"), {}), ((1, "b"), {}), ((2, "a"), {})) == 3


def test_a_part_that_cannot_be_chosen_is_refused_at_the_call(define):
    definition = define(unique="queued", unique_by=lambda user: {user})

    with pytest.raises(InvalidArguments, match=r"^unique_by of unique\(user\) cannot be called so: too many"):
        definition.enqueue(1, 2)
    with pytest.raises(InvalidArguments, match=r"^unique_by of unique: \{1\} is no JSON value; pass a list"):
        definition.enqueue(1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"unique": True}, "unique=True should be 'queued', for one that waits at a time, or"),
        (
            {"unique": "queued", "on_conflict": "skip"},
            "on_conflict='skip' should be 'drop', 'replace' or 'raise'",
        ),
        ({"unique": "queued", "unique_by": "user"}, "unique_by='user' should be an ordinary function"),
        ({"unique_by": len}, "unique_by and on_conflict say how a job is unique, and this one is not"),
        ({"on_conflict": "raise"}, "unique_by and on_conflict say how a job is unique, and this one is not"),
        ({"unique": "queued", "bare": True}, "with bare=True it gets none"),
        ({"debounce": 0}, "debounce=0 should be more than no time at all"),
        ({"debounce": "5"}, "debounce='5' is no time to wait"),
        ({"debounce": 5, "unique": "until_done"}, "leave unique='until_done' and on_conflict out"),
        ({"debounce": 5, "on_conflict": "raise"}, "leave unique='until_done' and on_conflict out"),
        ({"debounce": 5, "bare": True}, "with bare=True it gets none"),
    ],
)
def test_options_that_make_no_sense_are_refused(define, options, message):
    with pytest.raises(InvalidDefinition) as caught:
        define(**options)

    assert message in str(caught.value)


def test_a_bare_job_is_not_debounced_by_a_single_call(define):
    with pytest.raises(InvalidDefinition, match="a unique or debounced job has to be known by its id"):
        define(bare=True).using(debounce=5)


def test_a_class_has_the_options_as_attributes(redis):
    @job
    class Report:
        queue = "work"
        name = "Report"
        unique = "until_done"
        on_conflict = "raise"

        @staticmethod
        def unique_by(user, **_):
            return user

        @staticmethod
        def perform(user, day=0):
            pass

    first = jobqueue.enqueue(Report, 1, day=1)

    with pytest.raises(AlreadyEnqueued) as caught:
        jobqueue.enqueue(Report, 1, day=2)
    assert caught.value.id == first.id


# Waiting once


def test_the_second_enqueue_returns_the_id_of_the_first(define, redis):
    definition = define(unique="queued")

    first, second, other = definition.enqueue(1), definition.enqueue(1), definition.enqueue(2)

    assert second.id == first.id != other.id
    assert waiting(redis) == [(first.id, [1]), (other.id, [2])]
    assert holders() == {first.id, other.id}


def test_the_payload_tells_of_the_lock_and_ruby_reads_it(define, redis):
    definition = define(unique="until_done")

    enqueued = definition.enqueue(1)

    (text,) = redis.lrange(QUEUE, 0, -1)
    assert text.startswith(b'{"class":"unique","args":[1],"id":"%s","unique":"done:' % enqueued.id.encode())
    assert decode(text) == enqueued
    assert locks.lock_of(text).id == enqueued.id


def test_fifty_concurrent_enqueues_give_one_job(define, redis):
    definition = define(unique="queued")
    barrier = threading.Barrier(50)

    def enqueue(_):
        barrier.wait()
        return definition.enqueue(1).id

    with ThreadPoolExecutor(50) as pool:
        ids = set(pool.map(enqueue, range(50)))

    assert len(ids) == 1
    assert [id for id, _ in waiting(redis)] == list(ids)


def test_another_queue_makes_no_difference(define, redis):
    definition = define(unique="queued")

    first = definition.enqueue(1)

    assert definition.using(queue="other").enqueue(1).id == first.id
    assert not redis.exists("resque:queue:other")


def test_only_what_was_enqueued_is_announced(define):
    definition = define(unique="queued")
    seen = []

    def receive(sender, job, **_):
        seen.append(job.id)

    jobqueue.signals.job_enqueued.connect(receive)
    try:
        first = definition.enqueue(1)
        definition.enqueue(1)
    finally:
        jobqueue.signals.job_enqueued.disconnect(receive)

    assert seen == [first.id]


def test_many_are_enqueued_once_each(define, redis):
    definition = define(unique="queued")
    first = definition.enqueue(2)

    jobs = definition.enqueue_many([(1,), (2,), (1,), (3,)])

    assert [each.id for each in jobs] == [jobs[0].id, first.id, jobs[0].id, jobs[3].id]
    assert [args for _, args in waiting(redis)] == [[2], [1], [3]]


def test_what_raises_enqueues_none_of_many(define, redis):
    definition = define(unique="queued", on_conflict="raise")

    with pytest.raises(AlreadyEnqueued):
        definition.enqueue_many([(1,), (2,), (1,)])

    assert waiting(redis) == []
    assert holders() == set()


def test_a_conflict_says_who_is_there(define):
    definition = define(unique="queued", on_conflict="raise")
    first = definition.enqueue(1)

    with pytest.raises(AlreadyEnqueued) as caught:
        definition.enqueue(1)

    assert str(caught.value) == (
        f"An equal job of 'unique' waits or runs already, as {first.id}, so this one was not enqueued; with "
        "on_conflict='drop' that job would have been returned."
    )


def test_the_newer_job_replaces_the_older_one_in_its_place(define, redis):
    definition = define(unique="queued", unique_by=lambda key, *_: key, on_conflict="replace")
    first, other = definition.enqueue(1, "old"), definition.enqueue(2)

    second = definition.enqueue(1, "new")

    assert second.id == first.id
    assert waiting(redis) == [(first.id, [1, "new"]), (other.id, [2])]
    assert holders() == {first.id, other.id}
    assert definition.enqueue(1, "newest").id == first.id
    assert waiting(redis)[0] == (first.id, [1, "newest"])


def test_a_job_that_is_replaced_may_change_its_queue(define, redis):
    definition = define(unique="queued", unique_by=lambda key, *_: key, on_conflict="replace")
    first = definition.using(queue="other").enqueue(1, "old")

    definition.enqueue(1, "new")

    assert waiting(redis) == [(first.id, [1, "new"])]
    assert not redis.exists("resque:queue:other")
    assert [lock.holder.place for lock in all_locks()] == ["queue:work"]


def test_a_job_that_is_replaced_makes_its_queue_known(define, redis):
    definition = define(unique="queued", on_conflict="replace")
    definition.enqueue_in(3600, 1)

    definition.enqueue(1)

    assert redis.smembers("resque:queues") == {b"work"}


def test_nothing_is_lost_where_delayed_jobs_have_no_place(define, redis):
    definition = define(unique="queued", on_conflict="replace")
    first = definition.enqueue(1)
    redis.set("resque:later", "x")

    with pytest.raises(Exception, match="WRONGTYPE"):
        definition.enqueue_in(60, 1)

    assert waiting(redis) == [(first.id, [1])]


def test_equal_calls_among_many_are_told_where_they_raise(define, redis):
    definition = define(unique="queued", on_conflict="raise")

    with pytest.raises(AlreadyEnqueued) as caught:
        definition.enqueue_many([(1,), (2,), (1,)])

    assert str(caught.value) == (
        "Some of these calls of 'unique' are equal, so none of them was enqueued; with "
        "on_conflict='drop' one job would have been enqueued for them."
    )
    assert caught.value.id == ""


@pytest.fixture
def send_twice(monkeypatch):
    """Return a function that lets pushes be sent again, as if answers were lost, and acts in between."""

    def prepare(between):
        def send(self, call, done):
            whole(self, call, done)
            between()
            return whole(self, call, done)

        whole = pushing.Producer._send
        monkeypatch.setattr(pushing.Producer, "_send", send)

    return prepare


def test_what_has_replaced_a_job_is_not_enqueued_again_where_the_answer_was_lost(define, redis, send_twice):
    definition = define(unique="queued", unique_by=lambda key, *_: key, on_conflict="replace")
    definition.enqueue(1, "old")
    send_twice(lambda: redis.delete(QUEUE, "resque:unique"))

    definition.enqueue(1, "new")

    assert waiting(redis) == []


def test_what_has_debounced_a_job_is_not_delayed_again_where_the_answer_was_lost(define, redis, send_twice):
    definition = define(debounce=60)
    definition.enqueue(1)
    send_twice(lambda: redis.delete("resque:later", "resque:unique"))

    definition.enqueue(1)

    assert delayed(redis) == []


def test_a_job_that_was_let_in_raises_nothing_where_the_answer_was_lost(define, redis, send_twice):
    definition = define(unique="queued", on_conflict="raise")
    digest = unique.lock_field(definition, (1,), {}).partition(":")[2]
    send_twice(lambda: redis.hset("resque:unique", digest, locks.held("next", "queue:work", b"{}")))

    enqueued = definition.enqueue(1)

    assert waiting(redis) == [(enqueued.id, [1])]


def test_only_what_was_enqueued_is_told_where_replicas_are_missing(define, redis, settings, caplog):
    definition = define(unique="queued")
    first = definition.enqueue(1)
    settings.JOBQUEUE_WAIT_REPLICAS, settings.JOBQUEUE_WAIT_TIMEOUT_SECONDS = 1, 0.001

    with pytest.raises(NotReplicated):
        definition.enqueue(1)
    assert "a failover may lose it" not in caplog.text
    with pytest.raises(NotReplicated):
        definition.enqueue(2)

    assert waiting(redis)[0] == (first.id, [1])
    assert caplog.text.count("a failover may lose it") == 1


def test_a_conflict_is_told_where_replicas_are_missing(define, settings):
    definition = define(unique="queued", on_conflict="raise")
    definition.enqueue(1)
    settings.JOBQUEUE_WAIT_REPLICAS, settings.JOBQUEUE_WAIT_TIMEOUT_SECONDS = 1, 0.001

    with pytest.raises(AlreadyEnqueued):
        definition.enqueue(1)


@pytest.mark.parametrize("id", ['a"b', "a b", "a\\b", "é", "", "a" * 201])
def test_an_id_that_no_lock_can_name_holds_none(id):
    assert locks.lock_of(payload.encode(Job("a", [], id=id, unique=f"queued:{1:024x}"))) is None


def test_inside_a_transaction_it_is_decided_at_the_commit(define, redis, transactional_db):
    definition = define(unique="queued")

    with transaction.atomic():
        inside = definition.enqueue(1)
        before = definition.using(on_commit=False).enqueue(1)

    assert inside.id != before.id
    assert waiting(redis) == [(before.id, [1])]


def test_a_conflict_at_the_commit_is_logged(define, redis, transactional_db, caplog):
    definition = define(unique="queued", on_conflict="raise")

    with transaction.atomic():
        definition.enqueue(1)
        first = definition.using(on_commit=False).enqueue(1)

    assert (
        f"not enqueued at the commit: An equal job of 'unique' waits or runs already, as {first.id}"
        in caplog.text
    )


def test_a_rollback_leaves_no_lock(define, transactional_db):
    definition = define(unique="queued")

    with transaction.atomic():
        definition.enqueue(1)
        transaction.set_rollback(True)

    assert holders() == set()


def test_a_payload_that_is_replayed_has_its_lock(define, redis):
    definition = define(unique="queued")
    definition.enqueue(1)
    (text,) = redis.lrange(QUEUE, 0, -1)
    redis.flushall()

    jobqueue.push("work", text)
    jobqueue.push("work", text.replace(b'"id":"', b'"id":"again-'))

    assert redis.lrange(QUEUE, 0, -1) == [text]


def test_without_redis_jobs_are_collected_and_equal_ones_stay(define):
    definition = define(unique="queued")

    with capture_jobs() as jobs:
        definition.enqueue(1)
        definition.enqueue(1)

    assert jobs.of(definition) == [jobqueue.Job("unique", [1])] * 2


# Beginning and ending


@pytest.fixture
def seen():
    """Return a list in which jobs note what they see."""
    return []


def test_a_job_that_has_begun_lets_an_equal_one_wait(define, redis, make_worker, seen):
    definition = define(
        lambda n: seen.append(definition.enqueue(n).id) if len(seen) < 2 else None, unique="queued"
    )
    first = definition.enqueue(1)

    make_worker().turn()

    assert len(seen) == 1
    assert seen[0] != first.id
    assert [id for id, _ in waiting(redis)] == seen
    assert holders() == set(seen)


def test_a_job_keeps_others_out_until_it_has_ended(define, redis, make_worker, seen):
    definition = define(lambda n: seen.append(definition.enqueue(n).id), unique="until_done")
    first = definition.enqueue(1)
    worker = make_worker()

    work_off(worker)

    assert seen == [first.id]
    assert holders() == set()
    assert definition.enqueue(1).id != first.id


@pytest.mark.parametrize("kind", ["queued", "until_done"])
@pytest.mark.parametrize("batch", [True, False])
def test_a_job_that_fails_gives_its_lock_back(define, redis, make_worker, kind, batch):
    definition = define(lambda: 1 / 0, unique=kind, batch=batch)
    definition.enqueue()

    work_off(make_worker())

    assert redis.llen("resque:failed") == 1
    assert holders() == set()


def test_a_job_that_is_tried_again_keeps_its_lock_meanwhile(define, redis, make_worker):
    definition = define(lambda: 1 / 0, unique="until_done", retries=1, backoff=[3600])
    first = definition.enqueue()

    work_off(make_worker())

    assert [id for id, *_ in delayed(redis)] == [first.id]
    assert definition.enqueue().id == first.id
    assert [lock.holder.place for lock in all_locks()] == ["later"]
    (text,) = redis.zrange("resque:later", 0, -1)
    assert [lock.holder.text for lock in all_locks()] == [text]


def test_a_job_that_waits_for_its_next_attempt_has_its_lock_again_if_it_is_free(
    define, redis, make_worker, seen
):
    def run(is_followed):
        if is_followed:
            seen.append(definition.enqueue(is_followed).id)
        raise ValueError

    definition = define(run, unique="queued", retries=1, backoff=[3600])
    lonely, followed = definition.enqueue(False), definition.enqueue(True)

    make_worker().turn()

    assert {id for id, *_ in delayed(redis)} == {lonely.id, followed.id}
    assert definition.enqueue(False).id == lonely.id
    assert definition.enqueue(True).id == seen[0]


def test_a_batch_that_goes_back_keeps_its_locks(define, redis, make_worker, seen):
    definition = define(lambda n: None, unique="queued")
    jobs = [definition.enqueue(n) for n in range(3)]
    worker = make_worker()
    worker._in_flight.claim(["work"], 3)
    assert [definition.enqueue(n).id for n in range(3)] == [each.id for each in jobs]

    worker._in_flight.leave()

    assert [id for id, _ in waiting(redis)] == [each.id for each in jobs]
    assert [definition.enqueue(n).id for n in range(3)] == [each.id for each in jobs]


def test_the_running_job_of_a_worker_that_leaves_has_its_lock_again(define, redis, make_worker):
    definition = define(lambda n: None, unique="queued")
    first = definition.enqueue(1)
    worker = make_worker()
    worker._in_flight.claim(["work"], 1)
    assert worker._in_flight.hand_out(worker._lane, lambda _: False)
    assert holders() == set()

    worker._in_flight.leave()

    assert waiting(redis) == [(first.id, [1])]
    assert definition.enqueue(1).id == first.id


def test_a_running_job_is_not_replaced(define, redis, make_worker, seen):
    definition = define(
        lambda key, text: seen.append((text, definition.enqueue(key, "new").id)),
        unique="until_done",
        unique_by=lambda key, _: key,
        on_conflict="replace",
    )
    first = definition.enqueue(1, "old")

    work_off(make_worker())

    assert seen == [("old", first.id)]
    assert waiting(redis) == []


@pytest.mark.parametrize("others", [0, 1001])
@pytest.mark.parametrize("options", [{"on_conflict": "replace", "unique": "queued"}, {"debounce": 60}])
def test_the_last_arguments_count_although_the_job_is_claimed(
    define, redis, link, make_worker, options, others
):
    definition = define(unique_by=lambda key, *_: key, **options)
    first = definition.enqueue(1, "old")
    promote(link, int((time.time() + 61) * 1000))
    worker = make_worker()
    worker._in_flight.claim(["work"], 1)
    redis.rpush(QUEUE, *["{}"] * others) if others else None

    assert definition.enqueue(1, "old").id == first.id
    second = definition.enqueue(1, "new")

    assert second.id != first.id
    assert holders() == {second.id}
    assert worker._in_flight.hand_out(worker._lane, lambda _: False)
    assert holders() == {second.id}
    promote(link, int((time.time() + 61) * 1000))
    (text,) = redis.lrange(QUEUE, -1, -1)
    assert (decode(text).id, decode(text).args) == (second.id, [1, "new"])


def test_locks_stand_in_the_namespace_of_their_jobs(define, redis, make_worker, settings):
    settings.JOBQUEUE_NAMESPACE = "site:a"
    definition = define(unique="until_done", on_conflict="replace")
    delayed, other = definition.enqueue_in(3600, 1), definition.enqueue(2)

    assert [definition.enqueue(n).id for n in (1, 2)] == [delayed.id, other.id]
    worker = make_worker()
    worker._in_flight.claim(["work"], 2)
    assert [definition.enqueue(n).id for n in (1, 2)] == [delayed.id, other.id]
    work_off(worker)
    definition.enqueue(3)
    remove_queue("work")

    assert holders() == set()
    assert all(key.startswith(b"site:a:") for key in redis.keys("*"))


# Retried from the Failed list


def test_a_failure_that_is_retried_has_its_lock_if_it_is_free(define, redis, make_worker):
    definition = define(lambda n: 1 / 0, unique="until_done")
    first = definition.enqueue(1)
    work_off(make_worker())
    (listed,) = next(upwards(0))

    assert retry_listed(listed)

    ((again, args),) = waiting(redis)
    assert (again != first.id, args) == (True, [1])
    assert definition.enqueue(1).id == again
    (listed,) = next(upwards(0))
    assert retry_listed(listed)
    assert len(waiting(redis)) == 2
    assert holders() == {again}


# Delayed


def test_a_delayed_job_waits_once_too(define, redis):
    definition = define(unique="queued")

    first = definition.enqueue_in(3600, 1)

    assert definition.enqueue_in(60, 1).id == first.id
    assert definition.enqueue(1).id == first.id
    assert [(id, args) for id, args, _ in delayed(redis)] == [(first.id, [1])]


def test_a_delayed_job_that_is_replaced_waits_for_the_new_moment(define, redis):
    definition = define(unique="queued", on_conflict="replace")
    first = definition.enqueue_in(3600, 1)
    (late,) = delayed(redis)

    definition.enqueue_in(60, 1)

    ((id, _, moment),) = delayed(redis)
    assert id == first.id
    assert late[2] - moment == pytest.approx(3_540_000, abs=5_000)
    definition.enqueue(1)
    assert delayed(redis) == []
    assert waiting(redis) == [(first.id, [1])]
    definition.enqueue_in(60, 1)
    assert waiting(redis) == []
    assert [id for id, *_ in delayed(redis)] == [first.id]
    assert holders() == {first.id}


# Taken away


def test_dequeued_jobs_give_their_locks_back(define, redis):
    definition = define(unique="queued")
    jobs = [definition.enqueue(n) for n in range(3)]

    assert jobqueue.dequeue(definition, 1) == 1
    assert holders() == {jobs[0].id, jobs[2].id}
    assert jobqueue.dequeue(definition) == 2
    assert holders() == set()


def test_a_removed_queue_takes_its_locks_along(define, redis, make_worker):
    definition = define(unique="queued")
    in_flight = definition.enqueue(0)
    worker = make_worker()
    worker._in_flight.claim(["work"], 1)
    definition.enqueue(1)
    other = definition.using(queue="other").enqueue(2)

    remove_queue("work")

    assert holders() == {in_flight.id, other.id}


def test_a_job_that_a_stranger_took_away_locks_nothing(define, redis):
    definition = define(unique="queued")
    first = definition.enqueue(1)
    redis.delete(QUEUE)

    second = definition.enqueue(1)

    assert second.id != first.id
    assert waiting(redis) == [(second.id, [1])]
    assert holders() == {second.id}


def test_a_lock_that_nobody_has_written_locks_nothing(define, redis):
    definition = define(unique="queued")
    digest = unique.lock_field(definition, (1,), {}).partition(":")[2]
    redis.hset("resque:unique", digest, "nonsense")

    enqueued = definition.enqueue(1)

    assert waiting(redis) == [(enqueued.id, [1])]
    assert definition.enqueue(1).id == enqueued.id


def test_a_key_of_another_type_hinders_no_job_that_is_there(define, redis, make_worker):
    definition = define(unique="until_done")
    definition.enqueue(1)
    redis.delete("resque:unique")
    redis.set("resque:unique", "x")

    work_off(make_worker())

    assert redis.get("resque:stat:processed") == b"1"
    with pytest.raises(Exception, match="WRONGTYPE"):
        definition.enqueue(1)
    assert waiting(redis) == []


# Debounced


def test_calls_that_follow_each_other_are_one_job_with_the_last_arguments(define, redis):
    definition = define(debounce=60, unique_by=lambda key, _: key)
    first = definition.enqueue(1, "a")
    (one,) = delayed(redis)

    second = definition.enqueue(1, "b")

    assert second.id == first.id
    ((id, args, moment),) = delayed(redis)
    assert (id, args) == (first.id, [1, "b"])
    assert one[2] <= moment <= time.time() * 1000 + 60_000
    definition.enqueue(2, "c")
    assert len(delayed(redis)) == 2


def test_calls_without_end_postpone_a_job_ten_times_its_debounce_at_most(define, redis, monkeypatch):
    definition = define(debounce=60)
    definition.enqueue(1)
    real = time.time
    for later, expected in ((500, 560), (550, 600), (595, 600)):
        monkeypatch.setattr(duetime.time, "time", lambda later=later: real() + later)
        definition.enqueue(1)

        ((_, _, moment),) = delayed(redis)
        assert moment / 1000 - real() == pytest.approx(expected, abs=5)


def test_a_call_lets_no_job_begin_earlier_than_it_asks_for(define, redis):
    definition = define(debounce=60)
    definition.enqueue_in(3600, 1)
    ((_, _, first),) = delayed(redis)

    definition.enqueue_in(7200, 1)

    assert [moment for _, _, moment in delayed(redis)] == [first]


def test_a_call_brings_a_job_forward_that_waits_to_be_tried_again(
    define, redis, make_worker, link, monkeypatch
):
    definition = define(lambda n: 1 / 0, debounce=60, retries=1, backoff=[3600])
    definition.enqueue(1)
    promote(link, int((time.time() + 61) * 1000))
    work_off(make_worker())
    real = time.time
    for later, expected in ((700, 760), (730, 760)):
        monkeypatch.setattr(duetime.time, "time", lambda later=later: real() + later)
        definition.enqueue(1)

        ((_, _, moment),) = delayed(redis)
        assert moment / 1000 - real() == pytest.approx(expected, abs=5)


def test_a_debounced_job_that_is_due_only_gets_the_arguments(define, redis, link):
    definition = define(debounce=60, unique_by=lambda key, _: key)
    first = definition.enqueue(1, "a")
    assert promote(link, int((time.time() + 61) * 1000)).promoted == 1
    other = definition.using(queue="work").enqueue(2, "x")

    definition.enqueue(1, "b")

    assert waiting(redis) == [(first.id, [1, "b"])]
    assert [id for id, *_ in delayed(redis)] == [other.id]
    assert holders() == {first.id, other.id}


def test_a_debounced_job_that_has_begun_is_followed_by_another(define, redis, link, make_worker, seen):
    definition = define(lambda n: seen.append(definition.enqueue(n).id), debounce=60)
    first = definition.enqueue(1)
    promote(link, int((time.time() + 61) * 1000))

    make_worker().turn()

    assert [id for id, *_ in delayed(redis)] == seen
    assert seen != [first.id]


def test_a_single_call_may_be_debounced(define, redis):
    definition = define().using(debounce=timedelta(minutes=1))

    first = definition.enqueue(1)

    assert definition.enqueue(1).id == first.id
    assert len(delayed(redis)) == 1


def test_a_debounced_job_that_is_called_many_times_at_once_is_one(define, redis):
    definition = define(debounce=60)

    jobs = definition.enqueue_many([(1,), (2,), (1,)])

    assert jobs[0].id == jobs[2].id
    assert sorted(args for _, args, _ in delayed(redis)) == [[1], [2]]


def test_a_hook_may_veto_some_of_many_debounced_calls(redis):
    @job
    class Report:
        queue = "work"
        name = "Report"
        debounce = 60

        @staticmethod
        def before_schedule(number):
            return number != 2

        @staticmethod
        def perform(number):
            pass

    jobqueue.enqueue_many(Report, [(1,), (2,)])

    assert [args for _, args, _ in delayed(redis)] == [[1]]


def test_a_delayed_unique_job_has_its_lock_in_its_queue(define, redis, link):
    definition = define(unique="queued")
    first = definition.enqueue_in(60, 1)
    promote(link, int((time.time() + 61) * 1000))

    assert definition.enqueue(1).id == first.id
    assert [(lock.holder.place, lock.holder.text) for lock in all_locks()] == [
        ("queue:work", redis.lindex(QUEUE, 0))
    ]


def test_a_delayed_job_without_a_place_to_go_gives_its_lock_back(define, redis, link):
    define(unique="queued").enqueue_in(60, 1)
    redis.set(QUEUE, "no list")

    promote(link, int((time.time() + 61) * 1000))

    assert redis.llen("resque:failed") == 1
    assert holders() == set()
