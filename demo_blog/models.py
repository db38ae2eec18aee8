from __future__ import annotations

import itertools
from typing import Any

from django.core.validators import MaxLengthValidator, MinLengthValidator, RegexValidator
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from demo_blog.words import count_words
from jobqueue import BackgroundValue

OPENING_LENGTH = 240
"""Characters of an article's text that lists of articles show."""

one_line = RegexValidator(r"\A[^\r\n]*\Z", "Please write this on one line.")


def words_of(article_pk: int) -> int:
    """Count the words of an article's text; raise Article.DoesNotExist if it is gone."""
    return count_words(Article.objects.values_list("text", flat=True).get(pk=article_pk))


class Article(models.Model):
    """A text on the blog; ``source`` names the file it was imported from."""

    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=220, unique=True, allow_unicode=True, editable=False)
    text = models.TextField()
    created = models.DateTimeField(default=timezone.now, editable=False, db_index=True)
    source = models.TextField(unique=True, null=True, editable=False)

    words = BackgroundValue(compute=words_of, refresh_on={"demo_blog.Article": lambda article: article.pk})

    class Meta:
        ordering = ("-created", "-pk")

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("article", args=[self.slug])

    def save(self, *args: Any, **kwargs: Any) -> None:
        with transaction.atomic():
            self.slug = self.slug or self._free_slug()
            super().save(*args, **kwargs)

    def _free_slug(self) -> str:
        wanted = slugify(self.title, allow_unicode=True) or "article"
        taken = set(Article.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
        numbered = (f"{wanted}-{number}" for number in itertools.count(2))
        return next(slug for slug in itertools.chain([wanted], numbered) if slug not in taken)


class Comment(models.Model):
    article = models.ForeignKey(Article, models.CASCADE, related_name="comments")
    name = models.CharField(max_length=80)
    text = models.TextField("comment")
    created = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created", "-pk")

    def __str__(self) -> str:
        return f"{self.name} on {self.article}"

    def get_absolute_url(self) -> str:
        return f"{self.article.get_absolute_url()}#comment-{self.pk}"


class ContactMessage(models.Model):
    """What a reader wrote to the editor; ``sent`` is when its mail went out."""

    name = models.CharField(max_length=80, validators=[one_line])
    email = models.EmailField()
    text = models.TextField(
        "message",
        max_length=5000,
        # The field's own limit is for forms; models check what validators say.
        validators=[MinLengthValidator(10, "Please write ten letters at least."), MaxLengthValidator(5000)],
    )
    created = models.DateTimeField(default=timezone.now, editable=False)
    sent = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("-created", "-pk")

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"
