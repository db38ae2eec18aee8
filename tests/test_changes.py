"""Acting on changes of models, on real commits."""

from __future__ import annotations

import logging

import pytest
from django.db import models, transaction

import jobqueue
from jobqueue import payload
from jobqueue.changes import call_on_change, enqueue_on_change
from jobqueue.exceptions import InvalidArguments, InvalidDefinition, UnknownJob
from jobqueue.testing import capture_jobs
from tests.sample import jobs
from tests.sample.models import Article, Comment

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "other"])


class Rollback(Exception):
    pass


@pytest.fixture
def on_change():
    """Return ``call_on_change``; what it connects ends with the test."""
    stops = []
    yield lambda *args, **options: stops.append(call_on_change(*args, **options))
    for stop in stops:
        stop()


@pytest.fixture
def called(on_change):
    """Return the list of calls that changes of articles make, by their title."""
    calls: list[tuple] = []
    on_change(Article, lambda *args: calls.append(args), args=lambda article: (article.title,))
    return calls


@pytest.fixture
def enqueueing():
    """Return ``enqueue_on_change``; what it connects ends with the test."""
    stops = []
    yield lambda *args, **options: stops.append(enqueue_on_change(*args, **options))
    for stop in stops:
        stop()


def waiting(redis, queue="default"):
    """Return the arguments of a queue's jobs."""
    return [payload.decode(text).args for text in redis.lrange(f"resque:queue:{queue}", 0, -1)]


def test_create_update_and_delete_are_told(called):
    article = Article.objects.create(title="new")
    article.title = "changed"
    article.save()
    article.delete()

    assert called == [("new",), ("changed",), ("changed",)]


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        (("create",), ["new"]),
        (["update"], ["changed"]),
        ({"delete"}, ["last"]),
        (("create", "delete"), ["new", "last"]),
    ],
)
def test_only_the_kinds_of_change_that_are_named_are_told(on_change, on, expected):
    calls = []
    on_change(Article, calls.append, args=lambda article: [article.title], on=on)

    article = Article.objects.create(title="new")
    article.title = "changed"
    article.save()
    article.title = "last"
    article.delete()

    assert calls == expected


def test_the_primary_key_is_the_argument_if_none_is_named(on_change):
    calls = []
    on_change("sample.Article", calls.append)

    article = Article.objects.create(title="new")
    key = article.pk
    article.delete()

    assert calls == [key, key]


def test_a_call_waits_for_the_commit(called):
    with transaction.atomic():
        Article.objects.create(title="new")
        assert called == []

    assert called == [("new",)]


def test_a_rollback_calls_nothing(called):
    with pytest.raises(Rollback), transaction.atomic():
        Article.objects.create(title="new")
        raise Rollback

    assert called == []


def test_arguments_are_computed_at_the_change(called):
    with transaction.atomic():
        article = Article.objects.create(title="first")
        article.title = "second"
        article.save()
        article.title = "never saved"

    assert called == [("first",), ("second",)]


def test_arguments_are_copied_at_the_change(on_change):
    calls, shared = [], {"count": 1}
    on_change(Article, calls.append, args=lambda article: (shared,))

    with transaction.atomic():
        Article.objects.create()
        shared["count"] = 2
        Article.objects.create()

    assert calls == [{"count": 1}, {"count": 2}]


def test_a_hundred_saves_of_one_transaction_are_one_call(called):
    with transaction.atomic():
        article = Article.objects.create(title="same")
        for _ in range(99):
            article.save()

    assert called == [("same",)]


def test_calls_that_differ_are_all_made(on_change):
    calls = []
    on_change(Article, calls.append, args=lambda article: (article.title == "yes" or 1,))

    with transaction.atomic():
        Article.objects.create(title="yes")
        Article.objects.create(title="no")

    assert [type(call) for call in calls] == [bool, int]


def test_two_transactions_in_a_row_are_two_calls(called):
    for _ in range(2):
        with transaction.atomic():
            Article.objects.create(title="same")

    assert called == [("same",)] * 2


def test_a_savepoint_that_is_rolled_back_swallows_nothing(called):
    with transaction.atomic():
        with pytest.raises(Rollback), transaction.atomic():
            Article.objects.create(title="same")
            raise Rollback
        Article.objects.create(title="same")

    assert called == [("same",)]


def test_a_savepoint_that_is_rolled_back_after_an_equal_save_swallows_nothing(called):
    with transaction.atomic():
        Article.objects.create(title="same")
        with pytest.raises(Rollback), transaction.atomic():
            Article.objects.create(title="same")
            Article.objects.create(title="lost")
            raise Rollback

    assert called == [("same",)]


def test_a_transaction_that_is_rolled_back_swallows_nothing_of_the_next(called):
    with pytest.raises(Rollback), transaction.atomic():
        Article.objects.create(title="same")
        raise Rollback
    with transaction.atomic():
        Article.objects.create(title="same")

    assert called == [("same",)]


def test_a_save_inside_a_commit_hook_is_told_again(called):
    with transaction.atomic():
        article = Article.objects.create(title="same")
        transaction.on_commit(article.save)

    assert called == [("same",)] * 2


def test_a_transaction_inside_a_commit_hook_is_told_again(called):
    def save_in_a_transaction():
        with transaction.atomic():
            article.save()
            article.save()

    with transaction.atomic():
        article = Article.objects.create(title="same")
        transaction.on_commit(save_in_a_transaction)

    assert called == [("same",)] * 2


def test_an_action_that_saves_is_called_for_that_save(on_change):
    calls = []

    def save_once_more(key):
        calls.append(key)
        if len(calls) == 1:
            with transaction.atomic():
                article.save()

    on_change(Article, save_once_more)
    with transaction.atomic():
        article = Article.objects.create()

    assert calls == [article.pk] * 2


def test_an_action_that_fails_stops_no_other(on_change, called, caplog):
    on_change(Article, lambda key: 1 / 0)
    calls = []
    on_change(Article, calls.append)

    with transaction.atomic():
        article = Article.objects.create(title="new")

    assert (called, calls) == ([("new",)], [article.pk])
    assert "division by zero" in caplog.text


def test_outside_a_transaction_an_action_that_fails_reaches_the_caller(on_change):
    on_change(Article, lambda key: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        Article.objects.create()


def test_the_database_of_the_change_is_the_one_that_is_waited_for(called):
    with transaction.atomic():
        Article.objects.using("other").create(title="other")
        with transaction.atomic(using="other"):
            Article.objects.using("other").create(title="later")
            assert called == [("other",)]
        assert called == [("other",), ("later",)]


def test_of_a_deleted_article_its_comments_are_told_too(on_change):
    calls = []
    on_change(Comment, calls.append, args=lambda comment: (comment.article_id,), on=("delete",))
    article = Article.objects.create()
    for _ in range(2):
        Comment.objects.create(article=article)
    key = article.pk

    article.delete()

    assert calls == [key]


def test_what_sends_no_signals_is_not_told(called):
    Article.objects.bulk_create([Article(title="bulk")])
    Article.objects.update(title="update")

    assert called == []


def test_stop_ends_it():
    calls = []
    stop = call_on_change(Article, calls.append)

    stop()
    Article.objects.create().delete()

    assert calls == []


def test_a_job_is_enqueued_at_a_change(redis, enqueueing):
    enqueueing(Article, jobs.record)

    with transaction.atomic():
        article = Article.objects.create()
        article.save()
        assert redis.keys() == []

    assert waiting(redis) == [[article.pk]]


def test_a_job_gets_the_arguments_that_are_named(redis, enqueueing):
    enqueueing("sample.Comment", "tests.sample.jobs.Exporter", args=lambda comment: (comment.article_id,))

    with transaction.atomic():
        article = Article.objects.create()
        Comment.objects.create(article=article)
        Comment.objects.create(article=article)

    assert waiting(redis, "exports") == [[article.pk]]


def test_equal_jobs_of_two_models_are_one(redis, enqueueing):
    enqueueing(Article, jobs.record, args=lambda _: ())
    enqueueing(Comment, jobs.record, args=lambda _: ())

    with transaction.atomic():
        Comment.objects.create(article=Article.objects.create())

    assert waiting(redis) == [[]]


def test_a_job_is_enqueued_after_a_commit_whatever_another_database_does(redis, enqueueing):
    enqueueing(Article, jobs.record, args=lambda article: (article.title,))

    with pytest.raises(Rollback), transaction.atomic():
        with transaction.atomic(using="other"):
            Article.objects.using("other").create(title="committed")
        raise Rollback

    assert waiting(redis) == [["committed"]]


def test_a_push_that_fails_after_the_commit_is_reported(enqueueing, settings, caplog):
    enqueueing(Article, jobs.emailer, args=lambda _: ("a", "b", "c"))
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1"

    with transaction.atomic():
        Article.objects.create()

    lines = [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
    assert [line.endswith('payload={"class":"Emailer","args":["a","b","c"]}') for line in lines] == [True]


def test_where_jobs_are_collected_each_change_counts_at_once(enqueueing):
    enqueueing(Article, jobs.record)

    with capture_jobs() as collected, transaction.atomic():
        article = Article.objects.create()
        article.save()
        assert [job.args for job in collected.of(jobs.record)] == [[article.pk]] * 2


@pytest.mark.parametrize("found", ["text", 7, None])
def test_arguments_that_are_no_tuple_are_refused(on_change, found):
    on_change(Article, print, args=lambda article: found)

    with pytest.raises(
        InvalidArguments, match=r"args should return a tuple of arguments, such as \(.*,\), not"
    ):
        Article.objects.create()


def test_arguments_that_are_no_json_are_refused_at_the_change(on_change):
    on_change(Article, print, args=lambda article: (article,))

    with transaction.atomic(), pytest.raises(InvalidArguments, match=r"args\[0\]"):
        Article.objects.create()


class Abstract(models.Model):
    class Meta:
        abstract = True


@pytest.mark.parametrize("model", [int, "Article", "a.b.c", Abstract, None])
def test_what_is_no_model_is_refused(model):
    with pytest.raises(
        InvalidDefinition, match=r"should be a model that has a table, or the name of one, such"
    ):
        call_on_change(model, print)


@pytest.mark.parametrize("on", ["create", (), ("created",)])
def test_what_is_no_kind_of_change_is_refused(on):
    with pytest.raises(
        InvalidDefinition, match=r"should be some of \('create', 'update', 'delete'\), such as"
    ):
        call_on_change(Article, print, on=on)


def test_an_unknown_definition_is_refused_at_once():
    with pytest.raises(UnknownJob):
        jobqueue.enqueue_on_change(Article, "nobody")


# Debounced


def delayed(redis):
    """Return the arguments of the delayed jobs."""
    return [payload.decode(text).args for text in redis.zrange("resque:later", 0, -1)]


def test_debounced_changes_of_several_transactions_are_one_job(redis, enqueueing):
    enqueueing(Article, jobs.record, args=lambda article: (article.title,), debounce=60)
    for title in ("a", "b", "a", "a"):
        with transaction.atomic():
            Article.objects.create(title=title)

    assert sorted(delayed(redis)) == [["a"], ["b"]]
    assert waiting(redis) == []
