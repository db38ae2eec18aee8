"""Models for tests: a pair to watch for changes, and a pair with background values."""

from __future__ import annotations

from typing import Any

from django.db import models

from jobqueue import BackgroundValue


class Article(models.Model):
    title = models.CharField(max_length=100)
    text = models.TextField(blank=True)


class Comment(models.Model):
    article = models.ForeignKey(Article, on_delete=models.CASCADE)
    text = models.TextField(blank=True)


def count_words(key: int) -> int:
    page = Page.objects.get(pk=key)
    return sum(len(each.text.split()) for each in [page, *page.note_set.all()])


def count_everything() -> dict[str, Any]:
    return {"pages": Page.objects.count(), "notes": Note.objects.count()}


class Page(models.Model):
    text = models.TextField(blank=True)

    words = BackgroundValue(
        compute=count_words,
        refresh_on={
            "sample.Page": lambda page: page.pk,
            "sample.Note": lambda note: note.page_id,
        },
    )


class Note(models.Model):
    page = models.ForeignKey(Page, null=True, on_delete=models.CASCADE)
    text = models.TextField(blank=True)


class Home:
    counts = BackgroundValue(compute=count_everything, refresh_on=(Page, Note), queue="home")
