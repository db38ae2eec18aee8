from __future__ import annotations

import os

import pytest

from jobqueue.pidfile import pidfile


def test_the_file_holds_the_pid_while_the_process_runs(tmp_path):
    path = tmp_path / "worker.pid"

    with pidfile(str(path)):
        assert path.read_text() == str(os.getpid())

    assert not path.exists()


def test_the_file_goes_when_the_process_breaks(tmp_path):
    path = tmp_path / "worker.pid"

    with pytest.raises(ZeroDivisionError), pidfile(str(path)):
        raise ZeroDivisionError

    assert not path.exists()


def test_a_file_that_somebody_removed_is_not_missed(tmp_path):
    path = tmp_path / "worker.pid"

    with pidfile(str(path)):
        path.unlink()


def test_without_a_path_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    with pidfile(""):
        assert list(tmp_path.iterdir()) == []
