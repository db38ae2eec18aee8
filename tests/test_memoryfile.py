from __future__ import annotations

import os

import pytest

from jobqueue.memoryfile import memory_file


@pytest.fixture(params=["memory", "disk"])
def file(request, monkeypatch):
    """Yield a file in memory, or what there is in its place on systems without them."""
    if request.param == "disk":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    fd = memory_file("page")
    yield fd
    os.close(fd)


def test_what_is_written_is_read_again(file):
    os.write(file, b"abc")

    assert os.pread(file, 10, 0) == b"abc"


def test_programs_do_not_inherit_it(file):
    assert not os.get_inheritable(file)


def test_it_has_no_name_on_the_disk(file):
    assert os.fstat(file).st_nlink == 0
