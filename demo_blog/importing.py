"""Text files become articles; a file that was imported before updates its article."""

from __future__ import annotations

import logging
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from django.db import transaction

from demo_blog.models import Article

SUFFIXES = {"", ".md", ".markdown", ".rst", ".text", ".txt"}
BATCH = 50
"""Files saved in one transaction: each transaction enqueues a refresh of the figures once."""

logger = logging.getLogger(__name__)


def find_text_files(folder: Path) -> list[Path]:
    """Return the Markdown and text files (also ``README`` and the like) below a folder; no hidden ones."""
    found: list[Path] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(parent, name) for name in sorted(names) if not name.startswith(".")]
    return [path for path in found if path.suffix.lower() in SUFFIXES and path.is_file()]


def read_text(path: Path) -> str | None:
    """Return a file's text, with U+FFFD for what is no UTF-8; None for binary or unreadable files."""
    try:
        text = path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        logger.warning("Left out %s: %s", path, error.strerror)
        return None
    return None if "\0" in text else text


def import_files(paths: Sequence[Path], root: Path) -> Iterator[Counter[str]]:
    """Save each file as an article; yield how many of a batch were new, changed, unchanged or left out."""
    for start in range(0, len(paths), BATCH):
        batch = [(path, read_text(path)) for path in paths[start : start + BATCH]]
        with transaction.atomic():
            outcomes = Counter(_import_text(path, root, text) for path, text in batch)
        yield outcomes


def _import_text(path: Path, root: Path, text: str | None) -> str:
    if text is None:
        return "left out"
    # Names of files may hold bytes that are no text; a database takes text only.
    source = os.fsencode(path.absolute()).decode("utf-8", "backslashreplace")
    article = Article.objects.filter(source=source).first() or Article(source=source)
    title = title_of(text, path.relative_to(root))
    if article.pk and (article.title, article.text) == (title, text):
        return "unchanged"
    outcome = "changed" if article.pk else "new"
    article.title, article.text = title, text
    article.save()
    return outcome


def title_of(text: str, name: Path) -> str:
    """Return the heading in the first line (``# Heading``), else the file's name without its suffix."""
    heading = re.match(r"\s*#+[ \t]+(\S.*)", text)
    title = heading[1].strip(" \t#") if heading else ""
    return (title or _readable(name))[:200]


def _readable(name: Path) -> str:
    return os.fsencode(name.with_suffix("")).decode("utf-8", "backslashreplace")
