from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.core.management import call_command

from demo_blog.jobs import Home, count_everything
from demo_blog.management.commands import prepare_demo
from demo_blog.models import Article, Comment

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis")]


@pytest.fixture(autouse=True)
def small_demo(settings, monkeypatch, tmp_path) -> None:
    settings.BASE_DIR = tmp_path
    monkeypatch.setattr(prepare_demo, "COMMENTS", 205)
    (tmp_path / "docs").mkdir()
    for name in ("README.md", "CHANGELOG.md", "docs/inside.md"):
        Path(tmp_path, name).write_text(f"# {name}\n\nSome words.")


def test_the_first_run_loads_the_docs_and_comments_and_the_next_keeps_them(capsys, perform_all):
    call_command("prepare_demo")
    call_command("prepare_demo")
    perform_all()

    assert capsys.readouterr().out.count("Loaded 3 articles") == 1
    assert Home.counts.get().value == count_everything()
    assert (Article.objects.count(), Comment.objects.count()) == (3, 205)


def test_the_comments_are_the_same_on_every_machine():
    call_command("prepare_demo", verbosity=0)
    first = list(Comment.objects.order_by("pk").values_list("article__title", "name", "text"))
    Article.objects.all().delete()

    call_command("prepare_demo", verbosity=0)

    assert list(Comment.objects.order_by("pk").values_list("article__title", "name", "text")) == first


def test_the_staff_user_exists_with_debug_only(settings, capsys):
    call_command("prepare_demo")
    assert authenticate(username="demo", password="demo") is None

    settings.DEBUG = True
    call_command("prepare_demo")

    assert authenticate(username="demo", password="demo").is_staff
    assert "Staff user: demo, password: demo" in capsys.readouterr().out


@pytest.mark.parametrize(("port", "shown"), [("5100", "5100"), (None, "8000")])
def test_both_addresses_are_printed_with_the_port(capsys, monkeypatch, port, shown):
    monkeypatch.delenv("PORT", raising=False)
    if port:
        monkeypatch.setenv("PORT", port)

    call_command("prepare_demo")

    out = capsys.readouterr().out
    assert f"http://localhost:{shown}/\n" in out
    assert f"http://localhost:{shown}/jobs/\n" in out
