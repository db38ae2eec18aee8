"""What the documentation says, held against the code."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from django.core.management import load_command_class

import jobqueue
from jobqueue.conf import PREFIX, Settings, known_settings
from jobqueue.keys import Keys

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/*.md")])
README = (ROOT / "README.md").read_text()


def rows(table: str) -> list[list[str]]:
    """Return the cells of the README's table that begins with this heading."""
    _, _, rest = README.partition(f"| {table} |")
    lines = rest.partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_setting_is_in_the_readme_with_its_default():
    documented = {name.strip("`"): default.strip("`") for name, default, _ in rows("Setting")}

    assert documented == {
        name: repr(vars(Settings)[name.removeprefix(PREFIX).lower()]) for name in known_settings()
    }


def test_every_option_of_the_worker_is_in_the_readme_and_no_other():
    parser = load_command_class("jobqueue", "jobworker").create_parser("manage.py", "jobworker")
    djangos_own = load_command_class("django.core", "migrate").create_parser("manage.py", "migrate")
    options = set(parser._option_string_actions) - set(djangos_own._option_string_actions)

    documented = set(re.findall(r"--[a-z-]+", " ".join(row[0] for row in rows("Option"))))

    assert documented == {option for option in options if option.startswith("--")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_a_page_imports_from_jobqueue_is_public(page):
    text = page.read_text()
    named = set(re.findall(r"\bjobqueue\.([a-z_]+)\(", text))
    for line in re.findall(r"from jobqueue import ([\w, ]+)", text):
        named |= {name.strip() for name in line.split(",")}

    assert named <= set(jobqueue.__all__)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_in_a_page_can_be_compiled(page):
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL):
        compile(block, page.name, "exec", flags=0x2000)  # allows await at the top


def test_every_key_in_redis_is_described_and_no_other():
    _, _, table = (ROOT / "docs/inside.md").read_text().partition("| Key |")
    described = set(re.findall(r"^\| `([^`]+)` \|", table.partition("\n\n")[0], flags=re.MULTILINE))

    assert described == {
        each.fget(Keys("")) if isinstance(each, property) else each(Keys(""), *_placeholders(each))
        for name, each in vars(Keys).items()
        if not name.startswith("_") and (callable(each) or isinstance(each, property))
    }


def _placeholders(method) -> list[str]:
    return [f"<{name.removeprefix('worker_')}>" for name in list(inspect.signature(method).parameters)[1:]]


def test_every_test_that_is_named_as_a_proof_exists_once():
    text = (ROOT / "docs/reliability.md").read_text()
    sources = "".join(path.read_text() for path in ROOT.glob("tests/**/*.py"))

    for name in set(re.findall(r"`((?:test_|Test)\w+)`", text)):
        made = rf"^(?:\s*(?:def|class) {name}\b|{name} =)"
        assert len(re.findall(made, sources, flags=re.MULTILINE)) == 1, name


def test_every_fault_names_its_proof():
    _, *tables = (ROOT / "docs/reliability.md").read_text().split("| Fault |")
    for line in "".join(table.partition("\n\n")[0] for table in tables).splitlines():
        assert re.search(r"`(?:test_|Test)\w+`|^\W*$|Proven by", line), line


def test_the_changelog_begins_with_what_is_unreleased():
    heads = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)

    assert heads[0] == "Unreleased"
