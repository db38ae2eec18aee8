from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from demo_blog.importing import find_text_files, import_files


class Command(BaseCommand):
    help = "Load a folder of Markdown or text files as articles; a file loaded before updates its article."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the folder; its subfolders are loaded too")

    def handle(self, *args: Any, folder: Path, verbosity: int, **options: Any) -> None:
        if not folder.is_dir():
            raise CommandError(f"{str(folder)!r} is no folder. Name one that holds Markdown or text files.")
        files = find_text_files(folder)
        outcomes: Counter[str] = Counter()
        # None leaves the bar out where nobody watches: in a pipe or a log.
        with tqdm(total=len(files), unit=" files", disable=None if verbosity else True) as bar:
            for batch in import_files(files, folder):
                outcomes += batch
                bar.update(batch.total())
        if verbosity:
            self.stdout.write(f"{folder}: {describe(outcomes)}")


def describe(outcomes: Counter[str]) -> str:
    """Return how many files came to which end, for example ``2 new, 1 left out``."""
    ends = ("new", "changed", "unchanged", "left out")
    return ", ".join(f"{outcomes[end]} {end}" for end in ends if outcomes[end]) or "no text files"
