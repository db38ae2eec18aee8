from __future__ import annotations

import logging

import pytest
from django.core import mail

from demo_blog.jobs import (
    Greeting,
    Home,
    count_everything,
    fail,
    keep_failing,
    recount,
    send_contact_message,
    sleep,
    sleep_alone,
    tell_of_comments,
)
from demo_blog.models import Article, Comment, ContactMessage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


@pytest.fixture
def message() -> ContactMessage:
    return ContactMessage.objects.create(name="Eve", email="eve@example.com", text="Hello there!")


def test_everything_is_counted_as_str_split_counts_words(article, comment):
    Article.objects.create(title="Odd white space", text="one\ttwo\n\u2003three\u00a0four\r\n\r\n")

    assert count_everything() == {
        "articles": 2,
        "article_words": 8,
        "comments": 1,
        "comment_words": 2,
        "most_popular": {"title": "On queues", "slug": "on-queues", "comments": 1},
    }


def test_an_empty_blog_counts_nothing_and_has_no_favourite():
    assert count_everything() == {
        "articles": 0,
        "article_words": 0,
        "comments": 0,
        "comment_words": 0,
        "most_popular": None,
    }


def test_of_two_favourites_the_older_article_is_named(article, comment):
    other = Article.objects.create(title="Newer", text="x")
    Comment.objects.create(article=other, name="Björn", text="y")

    assert count_everything()["most_popular"]["title"] == "On queues"


def _edit(thing):
    thing.text = "now it holds exactly seven words here"
    thing.save()


@pytest.mark.parametrize(
    ("change", "article_words", "comment_words"),
    [
        (lambda article, comment: Article.objects.create(title="New", text="a b c"), 7, 2),
        (lambda article, comment: _edit(article), 7, 2),
        (lambda article, comment: article.delete(), 0, 0),
        (lambda article, comment: Comment.objects.create(article=article, name="x", text="y"), 4, 3),
        (lambda article, comment: _edit(comment), 4, 7),
        (lambda article, comment: comment.delete(), 4, 0),
    ],
    ids=["article created", "edited", "deleted", "comment created", "edited", "deleted"],
)
def test_every_change_is_followed_by_the_figures(
    article, comment, perform_all, change, article_words, comment_words
):
    perform_all()

    change(article, comment)
    perform_all()

    counts = Home.counts.get().value
    assert (counts["article_words"], counts["comment_words"]) == (article_words, comment_words)
    assert counts == count_everything()


def test_an_articles_words_follow_its_text(article, perform_all):
    _edit(article)
    perform_all()

    assert article.words.value == 7


def test_the_words_of_a_deleted_article_are_forgotten(article, comment, perform_all, redis):
    perform_all()
    key = article.pk

    article.delete()
    perform_all()

    assert not Article.words.get(key).is_computed


def test_what_changed_without_a_signal_is_counted_by_and_by(article, perform_all):
    perform_all()
    Article.objects.update(text="Just these words now")

    recount()
    perform_all()

    assert Home.counts.get().value == count_everything()


def test_the_mail_of_a_message_goes_to_the_editor_and_is_answered_to_the_reader(message):
    send_contact_message(message.pk)

    assert [(sent.to, sent.reply_to, sent.body) for sent in mail.outbox] == [
        (["editor@example.com"], ["eve@example.com"], "Hello there!")
    ]


def test_a_message_performed_twice_is_mailed_once(message):
    send_contact_message(message.pk)
    send_contact_message(message.pk)

    assert len(mail.outbox) == 1


def test_the_editor_hears_of_the_latest_comment(article, comment):
    tell_of_comments(article.pk)

    assert [(sent.to, sent.subject, sent.body) for sent in mail.outbox] == [
        (["editor@example.com"], "New comments", "Ada on On queues:\n\nI agree")
    ]


def test_of_comments_that_are_gone_the_editor_hears_nothing(article, comment):
    comment.delete()

    tell_of_comments(article.pk)

    assert mail.outbox == []


@pytest.mark.parametrize(("definition", "error"), [(fail, ValueError), (keep_failing, ConnectionError)])
def test_the_failing_jobs_fail_with_their_reasons(definition, error):
    with pytest.raises(error, match="because"):
        definition("because")


@pytest.mark.parametrize("definition", [sleep, sleep_alone])
def test_the_sleeping_jobs_wake_up(definition):
    definition(0)


def test_the_class_greets_in_the_log(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("demo_blog"), "propagate", True)
    with caplog.at_level("INFO", "demo_blog"):
        Greeting.perform("Ada")

    assert caplog.messages == ["Hello, Ada!"]
