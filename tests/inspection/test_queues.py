from __future__ import annotations

import pytest

from jobqueue.inspection import queues
from tests.goldenfiles import load


def sizes():
    return {queue.name: queue.size for queue in queues.measured(queues.names())}


def test_rubys_queues_are_read_with_their_sizes(redis):
    load(redis, "enqueue_several_queues")

    assert queues.names() == sorted(queues.names(), key=str.encode)
    assert sum(sizes().values()) == 5
    assert all(size > 0 for size in sizes().values())


def test_names_are_sorted_by_bytes_as_ruby_does(redis):
    redis.sadd("resque:queues", "alpha", "émile", "Beta", "9", "10", b"\xff")

    assert queues.names() == ["10", "9", "Beta", "alpha", "émile", "\udcff"]


def test_an_emptied_queue_is_still_known(redis):
    load(redis, "queue_emptied_by_pop")

    assert list(sizes().values()) == [0]


def test_payloads_come_in_order_by_position(redis):
    redis.rpush("resque:queue:q", "a", "b", "c")

    assert queues.payloads("q", 1, 2) == [b"b", b"c"]
    assert queues.size("q") == 3


def test_a_queue_whose_name_is_no_text_can_be_read(redis):
    redis.rpush(b"resque:queue:\xff", "a")

    assert queues.payloads("\udcff", 0, -1) == [b"a"]


def test_a_page_tells_jobs_size_and_state(redis):
    redis.rpush("resque:queue:q", *[b'{"class":"A","args":[%d]}' % n for n in range(30)])
    redis.sadd("resque:queues", "q")
    redis.sadd("resque:paused", "q")

    page = queues.page("q", 20, 20)

    assert (page.size, page.is_known, page.is_paused) == (30, True, True)
    assert [job.args for job in page.jobs] == [[n] for n in range(20, 30)]


def test_special_values_of_ruby_are_read(redis):
    load(redis, "enqueue_special_values")

    [name] = queues.names()

    assert [job.complaint for job in queues.page(name, 0, 100).jobs] == [""] * queues.size(name)


def test_a_queue_that_is_no_list_is_complained_of_and_counts_as_empty(redis):
    redis.sadd("resque:queues", "q", "sound")
    redis.rpush("resque:queue:sound", "a")
    redis.set("resque:queue:q", "no list")

    assert sizes() == {"q": 0, "sound": 1}
    assert queues.page("q", 0, 20).complaints == [
        "resque:queue:q cannot be read: it holds another type of value than belongs there."
    ]


@pytest.mark.parametrize("recording", ["enqueue_namespace_myns", "enqueue_namespace_nested"])
def test_other_namespaces_are_read(redis, recording, settings):
    load(redis, recording)
    settings.JOBQUEUE_NAMESPACE = {"enqueue_namespace_myns": "myns"}.get(recording, "resque:GitHub")

    assert list(sizes().values()) == [1]
