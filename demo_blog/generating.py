"""Comments made up by a dice that always falls the same way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from demo_blog.models import Article, Comment

BATCH = 200
NAMES = ("Ada", "Björn", "Chiara", "Dmitri", "Eun-ji", "Farid", "Grace", "Hana", "Ibrahim", "Jun", "Kofi")
SENTENCES = (
    "Thank you for this.",
    "I read it twice, and the second time it made sense.",
    "The part about queues is clear now.",
    "An example would help me here.",
    "It works the same way on my machine.",
    "The last paragraph surprised me.",
    "A worker died on me yesterday, and nothing was lost.",
    "What happens when Redis restarts in between?",
    "Figures that are counted in the background feel right.",
    "The old way was so much slower…",
    "This saved me an afternoon!",
    "I am not so sure.",
    "More of this, please.",
)


def save_comments(count: int) -> Iterator[int]:
    """Save comments, a few articles getting many of them; yield the size of each batch saved."""
    dice = random.Random(1)
    articles = list(Article.objects.order_by("-pk").only("pk"))
    weights = [1 / rank for rank in range(1, len(articles) + 1)]
    for start in range(0, count, BATCH):
        chosen = dice.choices(articles, weights, k=min(BATCH, count - start))
        with transaction.atomic():
            for article in chosen:
                _comment(dice, article).save()
        yield len(chosen)


def _comment(dice: random.Random, article: Article) -> Comment:
    text = " ".join(dice.sample(SENTENCES, dice.randint(1, 4)))
    written = timezone.now() - timedelta(minutes=dice.randint(1, 60 * 24 * 30))
    return Comment(article=article, name=dice.choice(NAMES), text=text, created=written)
