from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from jobqueue.readiness import readable


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    with ExitStack() as stack:
        stack.callback(os.close, reader)
        yield reader, writer


def test_nothing_is_readable_before_something_was_written(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    assert readable(0, reader) == []

    os.write(writer, b"x")

    assert readable(60, reader) == [reader]
    os.close(writer)


def test_a_file_at_its_end_is_readable(pipe: tuple[int, int]) -> None:
    reader, writer = pipe

    os.close(writer)

    assert readable(60, reader) == [reader]


def test_large_numbers_are_no_hindrance(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 2048)), hard))
    os.dup2(reader, 1500)
    os.write(writer, b"x")

    assert readable(60, 1500, reader) == [1500, reader]

    os.close(1500)
    os.close(writer)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
