"""Import real text files and comments into the demo while workers run, and count everything independently.

    python -m benchmarks.demo_import FOLDER [--files 1000] [--comments 20000] [--batch 50] [--workers 2]

The folder holds the text files, such as a system's own documentation. The result is Markdown.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import django

from tests.demosite import ROOT, DemoSite

PATIENCE_SECONDS = 600


def main() -> None:
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="jobqueue-import-"))
    site = DemoSite(folder)
    try:
        site.redis.start()
        os.environ.update(site.environment)
        django.setup()
        texts = copy_texts(options.folder, folder / "texts", options.files)
        report(site, texts, options)
    finally:
        site.stop()
        shutil.rmtree(folder)


def report(site: DemoSite, texts: list[str], options: argparse.Namespace) -> None:
    subprocess.run(site.manage("migrate", "-v", "0"), cwd=ROOT, check=True)
    site.run("worker", ["manage.py", "jobworker", "--count", str(options.workers)])
    importing = timed(lambda: import_texts(site))
    commenting = timed(lambda: save_comments(options.comments, options.batch))
    settling = timed(lambda: wait_until_quiet(site))
    print_table(
        {
            "files, comments": f"{len(texts)}, {options.comments}, {options.batch} saves in a transaction",
            "workers": options.workers,
            "saving the files, the comments": f"{importing:.1f} s, {commenting:.1f} s",
            "from the last save to the last job": f"{settling:.1f} s",
            "saves": len(texts) + options.comments,
            **computations(site),
        }
    )
    compare(site, texts)


def copy_texts(source: Path, target: Path, count: int) -> list[str]:
    """Copy text files, each to a folder of its own as many have one name; return what they hold."""
    texts = []
    for number, path in enumerate(sorted(_text_files(source))[:count]):
        (target / f"{number:05}").mkdir(parents=True)
        shutil.copyfile(path, target / f"{number:05}" / path.name)
        texts.append(path.read_bytes().decode("utf-8", "replace").removeprefix("\ufeff"))
    if len(texts) < count:
        sys.exit(f"{source} holds {len(texts)} text files, and {count} are wanted: name a larger folder.")
    return texts


def import_texts(site: DemoSite) -> None:
    subprocess.run(site.manage("import_articles", str(site.folder / "texts")), cwd=ROOT, check=True)


def save_comments(count: int, batch: int) -> None:
    from demo_blog import generating  # noqa: PLC0415 - models can be imported once Django is set up

    generating.BATCH = batch
    for _ in generating.save_comments(count):
        pass


def wait_until_quiet(site: DemoSite) -> None:
    """Return when no job waits and none is in flight."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    with site.redis.client() as redis:
        while redis.llen("resque:queue:values") or any(
            field.isdigit() for key in redis.scan_iter("resque:inflight:*") for field in redis.hkeys(key)
        ):
            if time.monotonic() > deadline:
                sys.exit("The workers do not come to an end.")
            time.sleep(0.02)


def computations(site: DemoSite) -> dict[str, Any]:
    """Tell how often values were computed: of the numbers a value has given out, all that are no requests."""
    with site.redis.client() as redis:
        jobs, failed = (int(redis.get(f"resque:stat:{name}") or 0) for name in ("processed", "failed"))
        given = [int(redis.hget(key, "ticket")) for key in redis.scan_iter("resque:value:*")]
    return {"jobs performed, failed": f"{jobs}, {failed}", "computations": sum(given) - jobs}


def compare(site: DemoSite, texts: list[str]) -> None:
    """Print counted against independent figures; exit with an error if they differ."""
    from demo_blog.jobs import Home  # noqa: PLC0415
    from demo_blog.models import Article  # noqa: PLC0415

    comments = site.texts("comment")
    independent = {
        "articles": len(texts),
        "article_words": sum(len(text.split()) for text in texts),
        "comments": len(comments),
        "comment_words": sum(len(text.split()) for text in comments),
    }
    counted = Home.counts.get().value or {}
    words = Article.words.read_many(Article.objects.values_list("pk", flat=True)).values()
    apart = sum(reading.value or 0 for reading in words)
    print_table(
        {name: f"{counted.get(name)} counted, {number} expected" for name, number in independent.items()}
    )
    print(f"The articles' own figures add up to {apart} words.")
    same = {name: counted.get(name) for name in independent} == independent
    same = same and apart == independent["article_words"]
    print("All figures are exact." if same else "THE FIGURES DIFFER.")
    sys.exit(not same)


def timed(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def print_table(rows: dict[str, Any]) -> None:
    print("\n| | |\n|---|---|")
    for name, value in rows.items():
        print(f"| {name} | {value} |")
    print()


def _text_files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        is_text = path.suffix.lower() in {"", ".md", ".rst", ".txt"} and not path.name.startswith(".")
        if is_text and path.is_file() and b"\0" not in path.read_bytes():
            yield path


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--comments", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=50, help="comments saved in one transaction")
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
