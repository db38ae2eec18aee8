"""The blog's jobs, and the figures of its home page, which a job computes."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone

from demo_blog.models import Article, Comment, ContactMessage
from demo_blog.words import count_words
from jobqueue import BackgroundValue, job

logger = logging.getLogger(__name__)


def count_everything() -> dict[str, Any]:
    """Count all articles, comments and their words, and find the article with the most comments."""
    texts = Article.objects.order_by().values_list("text", flat=True).iterator(chunk_size=200)
    article_words = [count_words(text) for text in texts]
    comments_of: Counter[int] = Counter()
    comment_words = 0
    for article_pk, text in Comment.objects.order_by().values_list("article_id", "text").iterator():
        comments_of[article_pk] += 1
        comment_words += count_words(text)
    return {
        "articles": len(article_words),
        "article_words": sum(article_words),
        "comments": comments_of.total(),
        "comment_words": comment_words,
        "most_popular": _most_popular(comments_of),
    }


def _most_popular(comments_of: Counter[int]) -> dict[str, Any] | None:
    """Return the article with the most comments, of several the oldest; None if nobody has commented."""
    best = max(comments_of, key=lambda pk: (comments_of[pk], -pk), default=0)
    article = Article.objects.filter(pk=best).values("title", "slug").first()
    return {**article, "comments": comments_of[best]} if article else None


class Home:
    """What the home page shows; reading it costs nothing but one look into Redis."""

    counts = BackgroundValue(compute=count_everything, refresh_on=(Article, Comment))


@job(queue="values")
def recount() -> None:
    """Count again what may have changed without a signal: by SQL, or in bulk."""
    Home.counts.refresh()


@job(queue="mail", retries=5, retry_on=OSError)
def send_contact_message(pk: int) -> None:
    """Mail a reader's message to the editor."""
    message = ContactMessage.objects.get(pk=pk)
    if message.sent:
        # A job can be performed again when a worker died on it; the editor wants one mail.
        return
    EmailMessage(
        subject=f"Message from {message.name}",
        body=message.text,
        to=[settings.CONTACT_EMAIL],
        reply_to=[message.email],
    ).send()
    ContactMessage.objects.filter(pk=pk).update(sent=timezone.now())


@job(queue="mail", retries=5, retry_on=OSError, debounce=60)
def tell_of_comments(article_pk: int) -> None:
    """Mail the editor that an article is talked about: once, when nobody has commented for a minute."""
    latest = Comment.objects.filter(article=article_pk).select_related("article").first()
    if latest is None:
        # The comments, or the article itself, were deleted meanwhile.
        return
    EmailMessage(
        subject="New comments", body=f"{latest}:\n\n{latest.text}", to=[settings.CONTACT_EMAIL]
    ).send()


@job(queue="try")
def fail(reason: str) -> None:
    """Fail, so that there is something to see under Failed."""
    raise ValueError(reason)


@job(queue="try", retries=2, backoff=[10, 20])
def keep_failing(reason: str) -> None:
    """Fail again and again, so that there is something to see under Retries."""
    raise ConnectionError(reason)


@job(queue="try", unique="until_done")
def sleep_alone(seconds: float) -> None:
    """Take a while, and let no equal job wait or run meanwhile."""
    time.sleep(seconds)


@job(queue="try")
def sleep(seconds: float) -> None:
    """Take a while, so that there is something to see under Working."""
    time.sleep(seconds)


class Greeting:
    """A job in Resque's own shape: a class with a queue and ``perform``, nothing to inherit from."""

    queue = "try"

    @staticmethod
    def perform(name: str) -> None:
        logger.info("Hello, %s!", name)
