from __future__ import annotations

import pytest
import redis as redis_client

from jobqueue.link import Call, Link
from jobqueue.scripts import load

UNREACHABLE = "redis://127.0.0.1:1"


def removal(queue, *payloads):
    none_is_unique = [part for payload in payloads for part in (payload, "", "")]
    return Call(load("remove_jobs"), [queue, "unique"], none_is_unique)


def cut(redis, link):
    """Close a link's connection from the side of Redis."""
    redis.client_kill_filter(_id=link.command("CLIENT", "ID"))


def test_a_command_is_answered_on_one_connection(redis, link):
    assert link.command("SET", "a", "1") == b"OK"
    assert link.command("GET", "a") == b"1"
    assert link.connects == 1


def test_an_error_of_a_command_is_raised_and_costs_no_connection(redis, link):
    redis.set("text", "no list")

    with pytest.raises(redis_client.ResponseError, match="WRONGTYPE"):
        link.command("LLEN", "text")

    assert link.command("PING") == b"PONG"
    assert link.connects == 1


def test_the_clock_of_redis_is_told_to_the_microsecond(redis, link):
    before, now, after = redis.time(), link.now(), redis.time()

    assert before[0] + before[1] / 1e6 <= now <= after[0] + after[1] / 1e6


def test_scripts_run_in_their_order(redis, link):
    redis.rpush("q", "a", "b", "a")

    assert link.run(removal("q", "a"), removal("q", "a", "b"), removal("q", "b")) == [2, 1, 0]


def test_a_script_that_redis_forgot_runs_in_the_middle_of_others(redis, link):
    redis.rpush("q", "a", "b")
    link.run(removal("q"))
    redis.script_flush()

    answers = link.run(
        removal("q", "a"), Call(load("resume"), ["paused", "q", "wake"], ["q"]), removal("q", "b")
    )

    assert answers == [1, 0, 1]
    assert redis.llen("wake") == 1
    assert link.run(removal("q", "b")) == [0]


def test_the_first_error_is_raised_when_all_scripts_were_answered(redis, link):
    redis.set("text", "no list")
    redis.rpush("q", "a")

    with pytest.raises(redis_client.ResponseError, match="WRONGTYPE"):
        link.run(removal("text", "a"), removal("q", "a"))

    assert redis.exists("q") == 0
    assert link.command("PING") == b"PONG"


def test_a_connection_that_was_cut_is_told_and_made_anew(redis, link):
    cut(redis, link)

    with pytest.raises(redis_client.ConnectionError):
        link.command("PING")

    assert link.connects == 1
    assert link.command("PING") == b"PONG"
    assert link.connects == 2


def test_a_connection_that_was_cut_while_idle_is_noticed_before_anything_is_sent(redis, link):
    link.close_if_ended()
    assert link.connects == 0
    cut(redis, link)

    link.close_if_ended()

    assert link.command("PING") == b"PONG"
    assert link.connects == 2
    link.close_if_ended()
    assert link.command("PING") == b"PONG"
    assert link.connects == 2


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(redis, link, settings):
    settings.JOBQUEUE_SOCKET_TIMEOUT_SECONDS = 0.05
    with pytest.raises(redis_client.TimeoutError):
        link.command("BLPOP", "nothing", 0)

    redis.rpush("nothing", "late")

    assert link.command("PING") == b"PONG"
    assert link.connects == 2


def test_an_interruption_leaves_no_half_exchange_behind(link, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(link.connect(), "read_response", interrupt)
    with pytest.raises(KeyboardInterrupt):
        link.command("ECHO", "first")

    assert link.command("ECHO", "second") == b"second"


def test_a_redis_that_is_away_counts_for_no_connection(settings):
    settings.JOBQUEUE_REDIS_URL = UNREACHABLE
    link = Link()

    with pytest.raises(redis_client.ConnectionError):
        link.command("PING")

    assert link.connects == 0


def test_closing_twice_is_closing_once(link):
    link.connect()

    link.close()
    link.close()

    assert link.connect() is link.connect()
    assert link.connects == 2


def test_after_a_failover_the_next_connection_finds_the_new_master(demoted):
    link = Link()
    call = removal("resque:queue:work", b"a")
    link.run(call)
    demoted().close()

    with pytest.raises(redis_client.ResponseError, match="READONLY|read only replica"):
        link.run(call)

    assert link.run(call) == [0]
    link.close()
