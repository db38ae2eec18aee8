from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError

from demo_blog.models import Article, ContactMessage, words_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


def test_articles_of_one_title_get_addresses_of_their_own():
    articles = [Article.objects.create(title="Same!", text="x") for _ in range(3)]

    assert [article.slug for article in articles] == ["same", "same-2", "same-3"]


@pytest.mark.parametrize(("title", "slug"), [("Füße", "füße"), ("日本", "日本"), ("?!", "article")])
def test_a_title_in_any_script_becomes_an_address(client, title, slug):
    article = Article.objects.create(title=title, text="x")

    assert article.slug == slug
    assert client.get(article.get_absolute_url()).status_code == 200


def test_an_article_keeps_its_address_when_its_title_changes(article):
    article.title = "Another title"
    article.save()

    assert article.slug == "on-queues"


def test_the_words_of_an_article_are_those_of_its_text(article):
    assert words_of(article.pk) == 4


def test_the_words_of_a_deleted_article_are_not_counted():
    with pytest.raises(Article.DoesNotExist):
        words_of(404)


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("name", "Eve\r\nBcc: all@example.com", "on one line"),
        ("email", "nowhere", "valid email address"),
        ("text", "Hi", "ten letters"),
        ("text", "x" * 5001, "at most 5000"),
    ],
)
def test_a_contact_message_is_validated_in_its_model(field, value, complaint):
    right = {"name": "Eve", "email": "eve@example.com", "text": "Hello there!"}
    message = ContactMessage(**right | {field: value})

    with pytest.raises(ValidationError, match=complaint):
        message.full_clean()


def test_the_model_tells_articles_comments_and_messages_by_name(article, comment):
    assert str(article) == "On queues"
    assert str(comment) == "Ada on On queues"
    assert str(ContactMessage(name="Eve", email="eve@example.com")) == "Eve <eve@example.com>"
    assert comment.get_absolute_url() == f"/articles/on-queues/#comment-{comment.pk}"
