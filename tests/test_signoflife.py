from __future__ import annotations

import errno
import os

import pytest

import jobhealth
from jobqueue import systemd
from jobqueue.signoflife import SignOfLife


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for signs of life that is not there yet, which the environment names."""
    folder = tmp_path / "health"
    monkeypatch.setenv(jobhealth.FOLDER_VARIABLE, str(folder))
    return folder


def told(folder):
    """Return the workers that live and those that are wanted, as the sign of this process tells them."""
    living, _ = jobhealth.signs(str(folder))
    return [(sign.workers, sign.wanted) for sign in living if sign.pid == os.getpid()]


@pytest.fixture
def file(folder):
    return folder / f"supervisor-{os.getpid()}"


def test_each_sign_tells_how_many_workers_live(folder):
    sign = SignOfLife(4)

    sign.give(0)
    assert told(folder) == [(0, 4)]

    sign.give(4)
    assert told(folder) == [(4, 4)]


def test_a_sign_makes_the_last_one_younger_and_writes_nothing(file, monkeypatch):
    sign = SignOfLife(1)
    sign.give(1)
    os.utime(file, (0, 0))
    monkeypatch.setattr(os, "write", None)

    sign.give(1)

    assert file.stat().st_mtime > 0


def test_a_sign_that_somebody_removed_is_given_again(folder, file):
    sign = SignOfLife(1)
    sign.give(1)
    file.unlink()
    folder.rmdir()

    sign.give(1)

    assert told(folder) == [(1, 1)]


def test_signs_of_supervisors_that_were_killed_are_removed_at_the_first_one(folder, file):
    folder.mkdir()
    left = folder / "supervisor-4194305"
    left.write_bytes(b"4194305 17 1 1")
    stranger = folder / "notes"
    stranger.touch()

    SignOfLife(1).give(1)

    assert {path.name for path in folder.iterdir()} == {file.name, "notes"}


def test_a_supervisor_that_ends_as_it_should_leaves_nothing(folder):
    sign = SignOfLife(1)
    sign.give(1)

    sign.withdraw()
    sign.withdraw()

    assert list(folder.iterdir()) == []


def test_systemd_is_told_of_life_and_end(folder, monkeypatch):
    told = []
    monkeypatch.setattr(systemd, "notify", lambda *assignments: told.append(assignments))
    sign = SignOfLife(4)

    sign.give(3)
    sign.withdraw()

    assert told == [("READY=1", "WATCHDOG=1", "STATUS=3 of 4 workers live"), ("STOPPING=1",)]


def test_a_child_leaves_the_sign_of_its_supervisor_alone(folder, monkeypatch):
    sign = SignOfLife(1)
    sign.give(1)
    monkeypatch.setattr(os, "getpid", lambda: 1)

    sign.withdraw()

    assert len(list(folder.iterdir())) == 1


def test_a_folder_that_takes_no_file_is_told_once_and_hurts_nobody(folder, caplog):
    folder.write_text("no folder")
    sign = SignOfLife(1)

    sign.give(1)
    sign.give(1)

    assert caplog.messages == [
        f"jobhealth cannot tell that this supervisor lives: {folder}: Not a directory. "
        f"JOBQUEUE_HEALTH_FOLDER names another folder."
    ]

    folder.unlink()
    sign.give(1)
    assert told(folder) == [(1, 1)]


def test_in_a_full_file_system_the_last_sign_stays_fresh(folder, file, monkeypatch, caplog):
    sign = SignOfLife(2)
    sign.give(2)
    os.utime(file, (0, 0))

    def is_full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", is_full)
        sign.give(1)

    assert file.stat().st_mtime > 0
    assert told(folder) == [(2, 2)]
    assert "No space left on device" in caplog.text

    sign.give(1)
    assert told(folder) == [(1, 2)]


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_folder_in_a_public_place_that_others_may_write_is_refused(folder, monkeypatch, caplog, mode):
    folder.mkdir()
    folder.chmod(mode)
    monkeypatch.delenv(jobhealth.FOLDER_VARIABLE)
    monkeypatch.setattr(jobhealth, "folder", lambda: str(folder))

    SignOfLife(1).give(1)

    assert "it should be a directory of this user, which nobody else may write" in caplog.text
    assert list(folder.iterdir()) == []


def test_a_link_in_place_of_the_file_is_not_followed(folder, file, tmp_path, caplog):
    folder.mkdir()
    victim = tmp_path / "victim"
    victim.touch()
    file.symlink_to(victim)

    SignOfLife(1).give(1)

    assert victim.read_bytes() == b""
