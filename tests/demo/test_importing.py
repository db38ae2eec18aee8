from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from demo_blog.importing import find_text_files, title_of
from demo_blog.jobs import Home
from demo_blog.models import Article

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


def load(folder: Path, capsys) -> str:
    call_command("import_articles", str(folder))
    return capsys.readouterr().out.strip().removeprefix(f"{folder}: ")


def test_fifty_files_end_with_exact_counts_and_few_computations(tmp_path, capsys, perform_all, redis):
    texts = [f"# Article {number}\n\n" + "word " * number + "\u00a0end\n" for number in range(53)]
    for number, text in enumerate(texts):
        folder = tmp_path / f"part{number % 3}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.md").write_text(text)

    assert load(tmp_path, capsys) == "53 new"
    performed = perform_all()

    counts = Home.counts.get().value
    assert (counts["articles"], counts["article_words"]) == (53, sum(len(text.split()) for text in texts))
    assert all(article.words.value == len(article.text.split()) for article in Article.objects.all())
    # Two transactions refresh the home page twice at most, and each article once.
    assert len(performed) <= 53 + 2


def test_loading_a_folder_again_updates_what_has_changed(tmp_path, capsys):
    (tmp_path / "same.md").write_text("# Same\n\nstays")
    (tmp_path / "other.md").write_text("# Other\n\nbefore")
    load(tmp_path, capsys)

    (tmp_path / "other.md").write_text("# Renamed\n\nafter")

    assert load(tmp_path, capsys) == "1 changed, 1 unchanged"
    assert sorted(Article.objects.values_list("title", "slug")) == [("Renamed", "other"), ("Same", "same")]


def test_files_of_one_name_in_two_folders_are_two_articles(tmp_path, capsys):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "README").write_text("# Read me")

    assert load(tmp_path, capsys) == "2 new"


def test_text_files_are_found_in_all_folders_and_hidden_or_other_files_are_not(tmp_path):
    for name in ("a.md", "B.TXT", "sub/deep/c.rst", "README", ".hidden.md", ".git/d.md", "e.py", "f.gz"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (tmp_path / "broken.md").symlink_to(tmp_path / "gone.md")

    found = [str(path.relative_to(tmp_path)) for path in find_text_files(tmp_path)]

    assert found == ["B.TXT", "README", "a.md", "sub/deep/c.rst"]


def test_bytes_that_are_no_utf8_and_marks_of_byte_order_do_no_harm(tmp_path, capsys):
    (tmp_path / "latin.txt").write_bytes("fünf Wörter".encode("latin-1"))
    (tmp_path / "mark.txt").write_bytes("\ufeff# Title\r\n\r\ntext".encode())

    assert load(tmp_path, capsys) == "2 new"
    assert set(Article.objects.values_list("title", "text")) == {
        ("latin", "f\ufffdnf W\ufffdrter"),
        ("Title", "# Title\n\ntext"),
    }


def test_binary_files_are_left_out(tmp_path, capsys):
    (tmp_path / "program").write_bytes(b"\x7fELF\x00\x01")

    assert load(tmp_path, capsys) == "1 left out"


def test_an_unreadable_file_is_left_out(tmp_path, capsys, monkeypatch):
    (tmp_path / "secret.md").write_text("x")
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_text", lambda *args, **kwargs: read(tmp_path))

    assert load(tmp_path, capsys) == "1 left out"


def test_a_file_whose_name_is_no_text_is_loaded(tmp_path, capsys):
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md")).write_text("x")

    assert load(tmp_path, capsys) == "1 new"
    assert Article.objects.get().title == "caf\\xe9"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# A heading #\n\ntext", "A heading"),
        ("\n\n## Deeper\n", "Deeper"),
        ("text\n# Later\n", "docs/page"),
        ("#!/bin/sh\n", "docs/page"),
        ("# \n", "docs/page"),
        ("", "docs/page"),
        ("# " + "long " * 50, ("long " * 50)[:200]),
    ],
)
def test_a_title_is_the_first_heading_or_the_name(text, title):
    assert title_of(text, Path("docs/page.md")) == title


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(CommandError, match="nowhere' is no folder. Name one that holds Markdown"):
        call_command("import_articles", str(tmp_path / "nowhere"))


def test_an_empty_folder_says_so_and_quiet_says_nothing(tmp_path, capsys):
    assert load(tmp_path, capsys) == "no text files"

    call_command("import_articles", str(tmp_path), verbosity=0)

    assert capsys.readouterr().out == ""
