from __future__ import annotations

import re

import pytest
from django.core import mail
from django.urls import reverse

from demo_blog.models import Article, Comment, ContactMessage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _empty_redis(redis):
    return redis


def text_of(response) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", response.content.decode()).split())


def figure(response, name: str) -> str:
    return re.search(rf'id="{name}">([^<]*)<', response.content.decode())[1]


def test_before_the_first_count_the_home_page_says_so(client):
    assert "not computed yet" in text_of(client.get("/"))


def test_the_home_page_shows_what_the_jobs_counted(client, comment, perform_all):
    perform_all()

    page = client.get("/")

    names = ("articles", "article-words", "comments", "comment-words")
    assert [figure(page, name) for name in names] == ["1", "4", "1", "2"]
    assert "Most talked about: On queues , 1 comment." in text_of(page)
    assert re.search(r"Counted (just now|1 second ago)", text_of(page))


def test_without_comments_nobody_has_commented(client, article, perform_all):
    perform_all()

    assert "Nobody has commented yet." in text_of(client.get("/"))


@pytest.mark.parametrize(
    ("address", "queries"),
    [("/", 1), ("/figures/", 0), ("/articles/", 1), ("/articles/on-queues/figures/", 1)],
)
def test_a_page_reads_redis_once_and_counts_nothing(
    client, comment, perform_all, round_trips, django_assert_num_queries, address, queries
):
    perform_all()
    client.get(address)
    round_trips.clear()

    with django_assert_num_queries(queries) as seen:
        client.get(address)

    assert len(round_trips) == 1
    assert not [query["sql"] for query in seen if "COUNT(" in query["sql"].upper()]


def test_an_articles_page_reads_article_and_comments_and_redis_once(
    client, article, comment, perform_all, round_trips, django_assert_num_queries
):
    perform_all()
    client.get(article.get_absolute_url())
    round_trips.clear()

    with django_assert_num_queries(2):
        page = client.get(article.get_absolute_url())

    assert len(round_trips) == 1
    assert "4 words" in text_of(page)
    assert "I agree" in text_of(page)


def test_articles_are_listed_on_pages_the_newest_first(client):
    for number in range(21):
        Article.objects.create(title=f"Number {number}.", text="x")

    first, second = client.get("/articles/"), client.get("/articles/?page=2")

    assert "Number 20." in text_of(first) and "Number 0." not in text_of(first)
    assert "Number 0." in text_of(second) and "Number 1." not in text_of(second)
    assert '?page=2" rel="next"' in first.content.decode() and 'rel="prev"' not in first.content.decode()
    assert '?page=1" rel="prev"' in second.content.decode() and 'rel="next"' not in second.content.decode()


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "²", "9" * 30])
def test_a_page_that_does_not_exist_is_no_error(client, article, page):
    assert client.get("/articles/", {"page": page}).status_code == 200


def test_an_article_is_written_changed_and_deleted(client):
    written = client.post("/write/", {"title": "Hello", "text": "First words"}, follow=True)
    assert "The article is saved" in text_of(written)

    client.post("/articles/hello/edit/", {"title": "Hello", "text": "Other words"})
    assert Article.objects.get().text == "Other words"

    assert "Delete Hello?" in text_of(client.get("/articles/hello/delete/"))
    assert Article.objects.exists()

    client.post("/articles/hello/delete/")
    assert not Article.objects.exists()


def test_an_article_without_text_is_refused(client):
    page = client.post("/write/", {"title": "Hello", "text": " "})

    assert "This field is required." in text_of(page)
    assert not Article.objects.exists()


def test_a_comment_is_added_changed_and_deleted(client, article):
    added = client.post("/articles/on-queues/comments/", {"name": "Ada", "text": "Well"})
    comment = Comment.objects.get()
    assert added.url == f"/articles/on-queues/#comment-{comment.pk}"

    client.post(f"/comments/{comment.pk}/edit/", {"name": "Ada", "text": "Well put"})
    assert Comment.objects.get().text == "Well put"

    assert "Delete the comment by Ada?" in text_of(client.get(f"/comments/{comment.pk}/delete/"))

    client.post(f"/comments/{comment.pk}/delete/")
    assert not Comment.objects.exists()


def test_of_many_comments_on_an_article_the_editor_is_told_once(client, article, redis):
    for text in ("First!", "Second."):
        client.post("/articles/on-queues/comments/", {"name": "Ada", "text": text})

    (waiting,) = redis.zrange("resque:later", 0, -1)
    assert b'"class":"demo_blog.jobs.tell_of_comments","args":[%d]' % article.pk in waiting


def test_an_empty_comment_is_refused_on_a_page_that_keeps_the_name(client, article):
    page = client.post("/articles/on-queues/comments/", {"name": "Ada", "text": ""})

    assert "Comment on “On queues”" in text_of(page)
    assert 'value="Ada"' in page.content.decode()
    assert not Comment.objects.exists()


def test_what_readers_write_stays_text(client, article):
    evil = "<script>alert(1)</script> <b>[x](javascript:alert(1))</b>"
    Article.objects.filter(pk=article.pk).update(title=evil, text=evil)
    Comment.objects.create(article=article, name=evil, text=evil)

    for address in ("/", "/articles/", "/articles/on-queues/"):
        page = client.get(address).content.decode()
        assert "<script>" not in page and "<b>" not in page and 'href="javascript' not in page


def test_a_contact_message_is_kept_answered_and_mailed_later(client, perform_all):
    page = client.post(
        "/contact/", {"name": "Eve", "email": "eve@example.com", "text": "Hello there!"}, follow=True
    )
    assert "your message is on its way" in text_of(page)
    assert not mail.outbox

    perform_all()

    assert [sent.subject for sent in mail.outbox] == ["Message from Eve"]
    assert ContactMessage.objects.get().sent


def test_a_contact_message_that_is_too_short_is_not_kept(client):
    page = client.post("/contact/", {"name": "Eve", "email": "eve@example.com", "text": "Hi"})

    assert "Please write ten letters at least." in text_of(page)
    assert not ContactMessage.objects.exists()


@pytest.mark.parametrize(
    ("button", "queued"),
    [
        ("fail", b'"args":["This job always fails."]'),
        ("sleep", b'"args":[5]'),
        ("retry", b'"args":["Nobody answers."]'),
        ("once", b'"args":[10]'),
        ("greet", b'"args":["world"]'),
    ],
)
def test_a_button_enqueues_its_job(client, redis, button, queued):
    page = client.post(f"/try/{button}/", follow=True)

    assert re.search(r"Enqueued as job [-\w]{22}\.", text_of(page))
    (payload,) = redis.lrange("resque:queue:try", 0, -1)
    assert queued in payload


def test_a_button_delays_its_job(client, redis):
    page = client.post("/try/later/", follow=True)

    assert re.search(r"Enqueued as job [-\w]{22}\.", text_of(page))
    (waiting,) = redis.zrange("resque:later", 0, -1)
    assert b'"class":"demo_blog.jobs.Greeting","args":["world"]' in waiting


def test_a_button_enqueues_one_job_however_often_it_is_pressed(client, redis):
    first, second = (text_of(client.post("/try/once/", follow=True)) for _ in range(2))

    assert re.findall(r"job [-\w]{22}", first) == re.findall(r"job [-\w]{22}", second)
    assert redis.llen("resque:queue:try") == 1


@pytest.mark.parametrize("address", ["/articles/none/", "/articles/none/figures/", "/comments/1/edit/"])
def test_what_is_gone_is_not_found(client, address):
    assert client.get(address).status_code == 404


def test_an_unknown_button_is_not_found_and_a_button_is_no_link(client):
    assert client.post("/try/nothing/").status_code == 404
    assert client.get("/try/fail/").status_code == 405


def test_without_redis_a_page_says_so_in_one_sentence(client, settings):
    settings.JOBQUEUE_REDIS_URL = "redis://:hidden@127.0.0.1:1/0"

    page = client.get("/")

    assert page.status_code == 503
    assert "127.0.0.1:1" in text_of(page)
    assert "hidden" not in page.content.decode()


@pytest.mark.parametrize("name", ["home", "articles", "article_create", "contact", "try"])
def test_pages_need_no_inline_script_or_style_and_nothing_from_elsewhere(client, name):
    page = client.get(reverse(name)).content.decode()

    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
