"""Background values; ``tests.sample.models`` declares ``Page.words``, by key, and ``Home.counts``."""

from __future__ import annotations

import itertools
import threading
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

import jobqueue
from jobqueue import payload, registry, rubyjson
from jobqueue.background import BackgroundValue, read_values
from jobqueue.exceptions import InvalidArguments, InvalidDefinition, RedisUnreachable
from jobqueue.failure import Failure
from jobqueue.inspection import values as inspection
from jobqueue.outcome import Kind
from jobqueue.performing import perform
from jobqueue.store import values as store
from jobqueue.store.values import Stored
from jobqueue.testing import capture_jobs, perform_enqueued
from tests.sample.models import Home, Note, Page

pytestmark = pytest.mark.usefixtures("own_registry", "redis")
on_real_commits = pytest.mark.django_db(transaction=True)

WORDS = "tests.sample.models.Page.words"
COUNTS = "tests.sample.models.Home.counts"


def work_off(redis, queue="values"):
    """Perform what waits on a queue; return the outcomes."""
    outcomes = []
    while text := redis.lpop(f"resque:queue:{queue}"):
        outcomes.append(perform(text, queue, "host:1:values"))
    return outcomes


def counting(**options):
    """Return a value that counts how often it was computed, and the list of what it was asked for."""
    asked: list = []

    def compute():
        asked.append(None)
        return len(asked)

    return BackgroundValue(compute=compute, name="counting", **options), asked


def by_key(**options):
    """Return a value with keys, and the list of the keys it was computed for."""
    asked: list = []
    return BackgroundValue(
        compute=lambda key: asked.append(key) or len(asked), name="by key", **options
    ), asked


# Reading


def test_before_the_first_run_it_says_so():
    reading = Home.counts.get()

    assert str(reading) == "not computed yet"
    assert (reading.is_computed, reading.value, reading.age, reading.computed_at) == (False, None, None, None)


def test_a_value_is_computed_by_a_job_and_read(redis):
    value, asked = counting()

    value.refresh()
    assert (asked, value.get().is_computed) == ([], False)
    (outcome,) = work_off(redis)

    assert outcome.kind is Kind.DONE
    assert (str(value.get()), value.get().value, asked) == ("1", 1, [None])


def test_a_reading_tells_its_age_by_the_clock_of_redis(redis):
    value, _ = counting()
    value.refresh()
    work_off(redis)
    redis.hincrby("resque:value:counting", "at", -90_000)

    reading = value.get()

    assert timedelta(seconds=90) <= reading.age < timedelta(seconds=100)
    assert abs(datetime.now(UTC) - reading.age - reading.computed_at) < timedelta(seconds=10)


def test_several_values_are_read_in_one_round_trip(redis, monkeypatch):
    single, _ = counting()
    keyed, _ = by_key()
    single.refresh()
    keyed.refresh("a")
    work_off(redis)
    trips, fetch = [], inspection.fetch
    monkeypatch.setattr(inspection, "fetch", lambda commands: trips.append(commands) or fetch(commands))

    readings = read_values(single, (keyed, "a"), (keyed, "b"))

    assert [str(reading) for reading in readings] == ["1", "1", "not computed yet"]
    assert len(trips) == 1
    assert {key: str(reading) for key, reading in keyed.read_many(["a", "b"]).items()} == {
        "a": "1",
        "b": "not computed yet",
    }


def test_reading_nothing_asks_nobody(settings):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"

    assert read_values() == []


@pytest.mark.parametrize(
    "fields", [{"value": "no JSON", "at": "1"}, {"value": "1", "at": "x"}, {"value": "1", "at": "9" * 30}]
)
def test_what_cannot_be_read_counts_as_not_computed(redis, fields):
    redis.hset(f"resque:value:{COUNTS}", mapping=fields)

    assert not Home.counts.get().is_computed


def test_a_key_of_another_type_counts_as_not_computed(redis):
    redis.set(f"resque:value:{COUNTS}", "text")

    assert not Home.counts.get().is_computed


def test_null_is_a_value(redis):
    value = BackgroundValue(compute=lambda: None, name="null")
    value.refresh()
    work_off(redis)

    assert (value.get().is_computed, str(value.get())) == (True, "None")


def test_an_unreachable_redis_is_told(settings):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"

    with pytest.raises(RedisUnreachable):
        Home.counts.get()


# Declaring


def test_a_value_is_a_job_of_its_own_name():
    assert Home.counts.name == COUNTS
    assert registry.get(COUNTS).queue == "home"
    assert registry.get(WORDS).queue == "values"
    assert registry.get(WORDS).place.startswith("tests.sample.models:")


def test_an_instance_gives_its_reading_and_a_class_the_value(redis):
    redis.hset(f"resque:value:{WORDS}:5", mapping={"value": "7", "at": "0"})
    redis.hset(f"resque:value:{COUNTS}", mapping={"value": "8", "at": "0"})

    assert Page.words is Page.__dict__["words"]
    assert Page(pk=5).words.value == 7
    assert Page().words.is_computed is False
    assert Home().counts.value == 8


def test_a_value_outside_a_class_needs_a_name():
    value = BackgroundValue(compute=lambda: 1)

    with pytest.raises(
        InvalidDefinition, match=r"a BackgroundValue outside a class has no name; give it one"
    ):
        value.get()


def test_a_name_that_is_given_is_kept_inside_a_class():
    class Holder:
        value = BackgroundValue(compute=lambda: 1, name="given")

    assert Holder.value.name == "given"


@pytest.mark.parametrize("compute", [lambda a, b: 1, lambda *, key: 1])
def test_a_computation_of_more_than_a_key_is_refused(compute):
    with pytest.raises(InvalidDefinition, match="compute should take no argument, or one, the key"):
        BackgroundValue(compute=compute)


@pytest.mark.parametrize(
    ("compute", "refresh_on", "message"),
    [
        (lambda: 1, {"sample.Page": None}, "should be a tuple of models"),
        (lambda: 1, "sample.Page", "should be a tuple of models"),
        (lambda key: 1, ("sample.Page",), "should be a dict from model to function of the key"),
    ],
)
def test_models_that_do_not_fit_the_computation_are_refused(compute, refresh_on, message):
    with pytest.raises(InvalidDefinition, match=message):
        BackgroundValue(compute=compute, refresh_on=refresh_on)


def test_an_asynchronous_computation_is_refused():
    async def compute(): ...

    with pytest.raises(InvalidDefinition, match="async def"):
        BackgroundValue(compute=compute)


def test_a_key_is_given_where_there_are_keys_and_only_there():
    keyed, _ = by_key()
    single, _ = counting()

    with pytest.raises(InvalidArguments, match="by key is one value for each key, so it needs a key"):
        keyed.refresh()
    with pytest.raises(InvalidArguments, match="counting is a single value, so it takes no key, and got 5"):
        single.get(5)


def test_a_key_that_is_no_json_travels_as_text(redis):
    value, asked = by_key()
    key = uuid.uuid4()

    value.refresh(key)
    value.refresh(7)
    work_off(redis)

    assert asked == [str(key), 7]
    assert value.get(key).value == 1


def test_a_result_that_is_no_json_is_a_failure_that_names_it(redis):
    value = BackgroundValue(compute=lambda: {"when": datetime.now(UTC)}, name="moment")
    value.refresh()

    (outcome,) = work_off(redis)

    assert Failure.parse(outcome.failure).error.startswith("the result of moment.when: ")
    assert not value.get().is_computed


# Refreshing


@on_real_commits
def test_changes_of_models_refresh_values(redis):
    page = Page.objects.create(text="one two")
    note = Note.objects.create(page=page, text="three")
    work_off(redis)
    work_off(redis, "home")
    assert (page.words.value, Home.counts.get().value) == (3, {"pages": 1, "notes": 1})

    note.text = "three four"
    note.save()
    work_off(redis)
    assert page.words.value == 4

    note.delete()
    work_off(redis)
    work_off(redis, "home")
    assert (page.words.value, Home.counts.get().value) == (2, {"pages": 1, "notes": 0})


@on_real_commits
def test_a_transaction_asks_once(redis):
    with transaction.atomic():
        page = Page.objects.create()
        for _ in range(10):
            Note.objects.create(page=page)
        assert redis.keys() == []

    assert (jobqueue.size("values"), jobqueue.size("home")) == (1, 1)
    assert redis.hget(f"resque:value:{COUNTS}", "ticket") == b"1"


@on_real_commits
def test_a_rollback_asks_for_nothing(redis):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Page.objects.create()
        raise ZeroDivisionError

    assert redis.keys() == []


@on_real_commits
def test_a_change_without_a_key_refreshes_nothing(redis):
    Note.objects.create(page=None)

    assert (jobqueue.size("values"), jobqueue.size("home")) == (0, 1)


@on_real_commits
def test_a_thousand_saves_need_few_computations(redis, monkeypatch):
    computed, compute = [], Page.words._compute
    monkeypatch.setattr(Page.words, "_compute", lambda key: computed.append(key) or compute(key))
    page = Page.objects.create(text="first")
    for number in range(999):
        page.text = f"save {number} of many"
        page.save()

    outcomes = work_off(redis)

    assert {outcome.kind for outcome in outcomes} == {Kind.DONE}
    assert (len(outcomes), len(computed)) == (1000, 1)
    assert page.words.value == 4


@on_real_commits
def test_the_value_of_a_deleted_instance_is_forgotten(redis):
    page = Page.objects.create(text="one two")
    Note.objects.create(page=page, text="three")
    work_off(redis)
    key = page.pk
    assert Page.words.get(key).value == 3

    page.delete()

    assert not Page.words.get(key).is_computed
    assert {outcome.kind for outcome in work_off(redis)} <= {Kind.DONE}
    assert not Page.words.get(key).is_computed
    assert 0 < redis.ttl(f"resque:value:{WORDS}:{key}") <= store.FORGOTTEN_SECONDS


@on_real_commits
def test_a_run_that_finds_its_instance_gone_forgets_the_value(redis):
    redis.hset(f"resque:value:{WORDS}:5", mapping={"value": "7", "at": "0", "ticket": "1", "done": "1"})
    Page.words.refresh(5)

    (outcome,) = work_off(redis)

    assert outcome.kind is Kind.DONE
    assert not Page.words.get(5).is_computed


@on_real_commits
def test_another_missing_instance_is_a_failure(redis, monkeypatch):
    monkeypatch.setattr(Page.words, "_compute", lambda key: Note.objects.get(pk=key))
    Page.words.refresh(5)

    (outcome,) = work_off(redis)

    assert Failure.parse(outcome.failure).exception == "tests.sample.models.Note.DoesNotExist"


@pytest.mark.django_db
def test_a_missing_instance_is_a_failure_of_a_value_outside_a_model(redis):
    value = BackgroundValue(compute=lambda key: Page.objects.get(pk=key).pk, name="outside")
    value._enqueue(5)

    (outcome,) = work_off(redis)

    assert outcome.kind is Kind.FAILED


def test_a_forgotten_value_can_be_computed_again(redis):
    value, _ = by_key()
    value.refresh("a")
    work_off(redis)

    value.forget("a")
    assert not value.get("a").is_computed
    value.refresh("a")
    work_off(redis)

    assert value.get("a").value == 2
    assert redis.ttl("resque:value:by key:a") == -1


def test_a_refresh_that_cannot_ask_redis_is_reported_in_a_form_that_can_be_replayed(settings, caplog):
    value, _ = by_key()
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"

    with pytest.raises(RedisUnreachable):
        value.refresh("a")

    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "CRITICAL"]
    assert 'payload={"class":"by key","args":["a",null]' in line


def test_inline_computes_at_once(settings):
    settings.JOBQUEUE_INLINE = True
    value, asked = counting()

    value.refresh()

    assert (value.get().value, asked) == (1, [None])


def test_where_jobs_are_collected_a_refresh_is_one_of_them(redis):
    value, _ = by_key()

    with capture_jobs() as collected:
        value.refresh("a")
    assert redis.keys() == []

    assert [job.args for job in collected.of("by key")] == [["a", None]]
    perform_enqueued(collected)
    assert value.get("a").value == 1


# Tickets


def test_a_request_that_a_newer_result_answers_gets_no_ticket():
    request = store.request("x")
    ticket = store.take("x", request)
    store.store("x", ticket, "1")

    assert store.take("x", request) is None


def test_a_request_made_while_a_run_computes_is_not_answered_by_it():
    ticket = store.take("x", store.request("x"))
    later = store.request("x")
    store.store("x", ticket, "1")

    assert store.take("x", later) is not None


def test_a_run_without_a_request_always_computes():
    for expected in (Stored.STORED, Stored.STORED):
        assert store.store("x", store.take("x", None), "1") is expected


def test_an_older_result_never_replaces_a_newer_one():
    older, newer = store.take("x", None), store.take("x", None)

    assert store.store("x", newer, '"newer"') is Stored.STORED
    assert store.store("x", older, '"older"') is Stored.OLDER
    assert inspection.read(["x"])[0].value == "newer"


def test_an_older_run_does_not_bring_back_a_forgotten_value():
    older = store.take("x", None)
    store.store("x", store.request("x"), None)

    assert store.store("x", older, "1") is Stored.OLDER


def test_a_run_that_found_nothing_does_not_remove_a_newer_result():
    older, newer = store.take("x", None), store.take("x", None)
    store.store("x", newer, "1")

    assert store.store("x", older, None) is Stored.OLDER
    assert inspection.read(["x"])[0].value == 1


def test_a_run_whose_redis_lost_its_memory_computes_again(redis):
    source = iter([1, 2])

    def compute():
        if (result := next(source)) == 1:
            redis.flushdb()
        return result

    value = BackgroundValue(compute=compute, name="amnesia")
    value.refresh()
    work_off(redis)

    assert value.get().value == 2


class Runs:
    """Runs of several workers that begin, read their source and end, or die, in any order."""

    def __init__(self):
        self.version = 0
        self.shown = 0
        self.promised = 0
        """The version at the newest ticket whose run has ended."""
        self.waiting: list[tuple[int, int]] = []
        """Requests that no run has taken up, with the version that each was made for."""
        self.running: list[list[int]] = []
        """Ticket, what was read, request and its version, the version when the ticket was taken."""

    def change(self, _):
        self.version += 1
        self.waiting.append((store.request("x"), self.version))

    def begin(self, which):
        if not self.waiting:
            return
        request, version = self.waiting.pop(which % len(self.waiting))
        ticket = store.take("x", request)
        if ticket is None:
            assert self.shown >= version, "answered by a result from before the request"
        else:
            self.running.append([ticket, self.version, request, version, self.version])

    def read(self, which):
        """Let a run read its source later than at its beginning."""
        if self.running:
            self.running[which % len(self.running)][1] = self.version

    def end(self, which):
        if not self.running:
            return
        ticket, read, _, _, at_ticket = self.running.pop(which % len(self.running))
        store.store("x", ticket, rubyjson.encode(read))
        self.shown = inspection.read(["x"])[0].value
        # A run that reads late may have seen more than its ticket promises; what tickets promise holds
        self.promised = max(self.promised, at_ticket)
        assert self.shown >= self.promised, "an older result replaced a newer one"

    def die(self, which):
        """Let the process of a run die; its job is performed again."""
        if self.running:
            _, _, request, version, _ = self.running.pop(which % len(self.running))
            self.waiting.append((request, version))


STEPS = st.lists(
    st.tuples(st.sampled_from(["change", "begin", "read", "end", "die"]), st.integers(0, 5)), max_size=40
)


@given(STEPS)
@example([("change", 0), ("change", 0), ("begin", 0), ("begin", 0), ("change", 0), ("read", 0)])
@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_the_order_of_runs_the_last_request_is_answered_and_nothing_gets_older(redis, steps):
    redis.delete("resque:value:x")
    runs = Runs()

    for verb, which in steps:
        getattr(runs, verb)(which)
    while runs.waiting:
        runs.begin(0)
    while runs.running:
        runs.end(0)

    assert runs.shown == runs.version


def test_with_many_threads_the_last_request_is_answered_by_a_later_computation(redis):
    versions = itertools.count()
    current = [0]
    value = BackgroundValue(compute=lambda: current[0], name="threads")

    def change_and_refresh():
        for _ in range(20):
            current[0] = next(versions)
            value.refresh()

    def work():
        while not stop.is_set() or jobqueue.size("values"):
            assert all(outcome.kind is Kind.DONE for outcome in work_off(redis))

    stop = threading.Event()
    workers = [threading.Thread(target=work) for _ in range(3)]
    changers = [threading.Thread(target=change_and_refresh) for _ in range(2)]
    for thread in [*workers, *changers]:
        thread.start()
    for thread in changers:
        thread.join()
    stop.set()
    for thread in workers:
        thread.join()

    assert value.get().value == current[0]


# Debounced


def test_a_debounced_value_is_computed_once_for_the_last_of_many_requests(redis):
    value, asked = by_key(debounce=60)
    for key in (1, 2, 1, 1):
        value.refresh(key)

    found = sorted(payload.decode(text).args for text in redis.zrange("resque:later", 0, -1))
    assert found == [[1, 3], [2, 1]]
    for text in redis.zrange("resque:later", 0, -1):
        perform(text, "values", "host:1:values")
    assert sorted(asked) == [1, 2]
    assert value.get(1).is_computed
