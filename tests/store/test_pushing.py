from __future__ import annotations

import os
import threading
from collections import deque
from pathlib import Path

import pytest
import redis as redis_client

from jobqueue.connection import client, target
from jobqueue.exceptions import NotReplicated, RedisUnreachable
from jobqueue.store import pushing
from jobqueue.store.pushing import Producer, push
from tests.redisserver import valkey

pytestmark = pytest.mark.usefixtures("producer")


@pytest.fixture
def producer(monkeypatch):
    """Make the one producer that is not pushing; its pushes are numbered from 1."""
    producer = Producer(target())
    monkeypatch.setattr(pushing, "_idle", deque([producer]))
    return producer


def waiting(redis, queue="work"):
    return redis.lrange(f"resque:queue:{queue}", 0, -1)


def test_payloads_are_appended_in_their_order(redis):
    push("work", [b"1", b"2"])
    push("work", [b"3"])

    assert waiting(redis) == [b"1", b"2", b"3"]
    assert redis.smembers("resque:queues") == {b"work"}


def test_nothing_is_pushed_without_payloads(redis):
    push("work", [])

    assert redis.keys() == []


def test_many_payloads_are_pushed_a_thousand_at_a_time(redis, producer):
    payloads = [b"%d" % number for number in range(2001)]

    push("work", payloads)

    assert waiting(redis) == payloads
    assert producer.number == 3


def test_a_push_rings_once_however_often_it_happens(redis):
    push("work", [b"1", b"2"])
    push("work", [b"3"])

    assert redis.lrange("resque:wake:work", 0, -1) == [b"1"]
    assert 0 < redis.ttl("resque:wake:work") <= 60


def test_only_a_new_queue_rings_for_those_who_look_for_new_ones(redis):
    push("work", [b"1"])
    assert redis.lpop("resque:wake") == b"1"

    push("work", [b"2"])

    assert redis.exists("resque:wake") == 0


def test_a_repeated_number_is_ignored(redis, producer):
    push("work", [b"1"])
    producer.number -= 1

    push("work", [b"1"])

    assert waiting(redis) == [b"1"]


def test_a_push_is_not_sent_again_when_redis_may_have_forgotten_its_number(redis, monkeypatch):
    """Its machine slept between the push and the answer."""
    send = Producer._send

    def push_and_sleep(producer, call, done):
        send(producer, call, done)
        redis.delete(call.keys[0])
        raise redis_client.ConnectionError("cut")

    monkeypatch.setattr(Producer, "_send", push_and_sleep)
    monkeypatch.setattr(pushing, "monotonic", iter([0.0, 61.0]).__next__)

    with pytest.raises(RedisUnreachable) as raised:
        push("work", [b"1"])

    assert raised.value.may_have_arrived
    assert waiting(redis) == [b"1"]


def test_a_straggler_is_ignored(redis, producer):
    """On a connection that was given up, a push may arrive after later ones; it was sent again."""
    push("work", [b"1"])
    push("work", [b"2"])
    producer.number = 0

    push("work", [b"1"])

    assert waiting(redis) == [b"1", b"2"]


def test_the_last_number_is_remembered_for_a_minute(redis, producer):
    push("work", [b"1"])
    push("work", [b"2"])

    assert redis.get(f"resque:sent:{producer.name}") == b"2"
    assert 50 < redis.ttl(f"resque:sent:{producer.name}") <= 60


def test_pushes_at_the_same_time_have_connections_and_numbers_of_their_own(redis, monkeypatch):
    together = threading.Barrier(3)
    send = Producer._send

    def send_together(*arguments):
        together.wait(10)
        send(*arguments)

    monkeypatch.setattr(Producer, "_send", send_together)
    threads = [threading.Thread(target=push, args=("work", [b"%d" % number])) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(waiting(redis)) == [b"0", b"1", b"2"]
    assert [redis.get(key) for key in redis.keys("resque:sent:*")] == [b"1"] * 3
    assert len({id(producer.link.connect()) for producer in pushing._idle}) == 3


def test_pushes_one_after_the_other_share_a_connection_whatever_thread_they_are_of(redis, producer):
    for number in range(3):
        thread = threading.Thread(target=push, args=("work", [b"%d" % number]))
        thread.start()
        thread.join()

    assert waiting(redis) == [b"0", b"1", b"2"]
    assert (producer.number, producer.link.connects) == (3, 1)


def test_another_redis_gets_another_connection(redis, redis_factory, settings, producer):
    push("work", [b"1"])
    settings.JOBQUEUE_REDIS_URL = redis_factory().url

    push("work", [b"2"])

    assert waiting(redis) == [b"1"]
    assert waiting(client()) == [b"2"]


def test_a_push_that_interrupts_another_one_hides_it_not(redis, monkeypatch):
    """As a signal handler does, between the numbering of a push and its sending."""
    send = Producer._send
    interruptions = [lambda: push("other", [b"2"])]

    def interrupted(*arguments):
        while interruptions:
            interruptions.pop()()
        send(*arguments)

    monkeypatch.setattr(Producer, "_send", interrupted)

    push("work", [b"1"])
    push("work", [b"3"])

    assert waiting(redis) == [b"1", b"3"]
    assert waiting(redis, "other") == [b"2"]


def test_a_child_is_a_producer_of_its_own(redis):
    push("work", [b"1"])

    if (child := os.fork()) == 0:
        push("work", [b"2"])
        os._exit(0)
    os.waitpid(child, 0)

    push("work", [b"3"])
    assert waiting(redis) == [b"1", b"2", b"3"]
    assert sorted(redis.get(key) for key in redis.keys("resque:sent:*")) == [b"1", b"2"]


def test_a_connection_that_was_cut_is_made_anew_and_the_push_sent_again(redis, producer):
    push("work", [b"1"])
    redis.client_kill_filter(_id=producer.link.command("CLIENT", "ID"))

    push("work", [b"2"])

    assert waiting(redis) == [b"1", b"2"]


def test_after_a_failover_a_push_finds_the_new_master(demoted):
    push("work", [b"1"])

    with demoted() as new:
        push("work", [b"2"])
        assert waiting(new) == [b"2"]


def test_a_push_whose_answer_was_lost_is_not_done_twice(redis, monkeypatch, producer):
    run = producer.link.run
    attempts = []

    def lose_first_answer(call):
        answers = run(call)
        attempts.extend(answers)
        if len(attempts) == 1:
            raise redis_client.TimeoutError
        return answers

    monkeypatch.setattr(producer.link, "run", lose_first_answer)

    push("work", [b"1"])

    assert attempts == [1, 0]
    assert waiting(redis) == [b"1"]


def test_a_redis_that_is_away_is_told_in_one_sentence(settings):
    settings.JOBQUEUE_REDIS_URL = "redis://:secret@127.0.0.1:1/0"

    with pytest.raises(
        RedisUnreachable, match=r"^Redis at redis://:\*\*\*@127\.0\.0\.1:1/0 cannot be reached: "
    ):
        push("work", [b"1"])


def test_a_push_to_a_redis_that_has_gone_since_the_last_one_is_known_not_to_have_arrived(
    redis_factory, settings
):
    server = redis_factory()
    settings.JOBQUEUE_REDIS_URL = server.url
    push("work", [b"1"])
    server.kill()

    with pytest.raises(RedisUnreachable) as unreachable:
        push("work", [b"2"])

    assert not unreachable.value.may_have_arrived


def test_a_push_onto_a_key_that_is_no_list_changes_nothing(redis, producer):
    redis.set("resque:queue:work", "no list")

    with pytest.raises(redis_client.ResponseError, match="WRONGTYPE"):
        push("work", [b"1"])

    assert redis.keys() == [b"resque:queue:work"]


def test_a_push_that_redis_takes_no_writes_for_is_told(redis_factory, settings):
    server = redis_factory("--min-replicas-to-write", "1")
    settings.JOBQUEUE_REDIS_URL = server.url

    with pytest.raises(RedisUnreachable, match="NOREPLICAS") as unreachable:
        push("work", [b"1"])

    assert not unreachable.value.may_have_arrived
    assert waiting(client()) == []


# Replicas


def test_a_push_waits_until_a_replica_has_it(replica, settings):
    settings.JOBQUEUE_WAIT_REPLICAS = 1

    push("work", [b"1"])

    with replica.client() as redis:
        assert waiting(redis) == [b"1"]


def test_a_push_that_no_replica_has_is_done_and_says_so(replica, settings):
    settings.JOBQUEUE_WAIT_REPLICAS = 1
    settings.JOBQUEUE_WAIT_TIMEOUT_SECONDS = 0.05
    replica.freeze()

    with pytest.raises(NotReplicated) as shortage:
        push("work", [b"1"])

    replica.thaw()
    assert waiting(client()) == [b"1"]
    assert str(shortage.value) == (
        "Enqueued in 'work', but not known to be on 1 replicas (JOBQUEUE_WAIT_REPLICAS): within 0.05 s "
        "0 have told so. It will be performed, unless a failover to a replica without it loses it. Enqueued "
        "again, it is performed twice."
    )


def test_a_shortage_of_replicas_keeps_no_payload_back(replica, settings, monkeypatch):
    monkeypatch.setattr(pushing, "MOST_PER_SCRIPT", 2)
    settings.JOBQUEUE_WAIT_REPLICAS = 2
    settings.JOBQUEUE_WAIT_TIMEOUT_SECONDS = 0.5

    with pytest.raises(NotReplicated, match="within 0.5 s 1 have told so"):
        push("work", [b"1", b"2", b"3"])

    assert waiting(client()) == [b"1", b"2", b"3"]


@pytest.mark.parametrize(
    "replica", ["", *valkey()], indirect=True, ids=lambda path: Path(path or "redis").name
)
def test_a_push_that_is_sent_again_waits_as_well(replica, settings):
    settings.JOBQUEUE_WAIT_REPLICAS = 1
    settings.JOBQUEUE_WAIT_TIMEOUT_SECONDS = 0.05
    settings.JOBQUEUE_SOCKET_TIMEOUT_SECONDS = 20
    replica.freeze()
    with pytest.raises(NotReplicated):
        push("work", [b"1"])

    (producer,) = pushing._idle
    producer.link.close()
    producer.number -= 1
    with pytest.raises(NotReplicated):
        push("work", [b"1"])

    replica.thaw()
    settings.JOBQUEUE_WAIT_TIMEOUT_SECONDS = 10
    producer.number -= 1
    push("work", [b"1"])
    assert waiting(client()) == [b"1"]


def test_a_push_that_waits_teaches_redis_its_script(replica, settings):
    settings.JOBQUEUE_WAIT_REPLICAS = 1
    client().script_flush()

    push("work", [b"1"])

    assert waiting(client()) == [b"1"]


def test_a_push_that_fails_does_not_speak_of_replicas(replica, settings):
    settings.JOBQUEUE_WAIT_REPLICAS = 1
    client().set("resque:queue:work", "no list")

    with pytest.raises(redis_client.ResponseError, match="WRONGTYPE"):
        push("work", [b"1"])


def test_a_user_who_may_not_wait_is_told_that_the_push_is_done(replica, settings):
    client().acl_setuser("jobs", enabled=True, nopass=True, keys="*", commands=["+@all", "-wait"])
    settings.JOBQUEUE_WAIT_REPLICAS = 1
    settings.JOBQUEUE_REDIS_URL = settings.JOBQUEUE_REDIS_URL.replace("://", "://jobs:any@")

    with pytest.raises(NotReplicated, match="within 1 s WAIT fails .*no permissions"):
        push("work", [b"1"])

    assert waiting(client()) == [b"1"]
