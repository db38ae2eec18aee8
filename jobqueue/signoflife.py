"""How a supervisor tells each turn that it lives: by a file, which ``jobhealth`` reads, and to systemd.

Whatever happens to the file, the supervisor goes on: a full disk, a read-only folder, somebody who cleans up.
"""

from __future__ import annotations

import logging
import os
import stat
from contextlib import suppress

import jobhealth
from jobqueue import systemd

_log = logging.getLogger("jobqueue")


class SignOfLife:
    """The sign of this process; ``wanted`` is how many workers it is meant to have."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._pid = os.getpid()
        self._folder = jobhealth.folder()
        self._file = jobhealth.path(self._folder, self._pid)
        self._told = b""
        self._is_troubled = False

    def give(self, workers: int) -> None:
        """Tell that the supervisor lives, and so many workers. Trouble is logged once."""
        systemd.notify("READY=1", "WATCHDOG=1", f"STATUS={workers} of {self._wanted} workers live")
        try:
            self._give(jobhealth.text(self._pid, workers, self._wanted))
        except OSError as error:
            if not self._is_troubled:
                _log.warning(
                    "jobhealth cannot tell that this supervisor lives: %s: %s. %s names another folder.",
                    self._folder,
                    error.strerror,
                    jobhealth.FOLDER_VARIABLE,
                )
            self._is_troubled = True
        else:
            self._is_troubled = False

    def _give(self, text: bytes) -> None:
        """Touch the file, which needs no space on a disk; write it if there is something new."""
        try:
            os.utime(self._file)
        except FileNotFoundError:
            self._told = b""
            self._prepare_folder()
        if text != self._told:
            # Neither truncated nor replaced: in a full file system the old sign stays, and stays fresh
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
            try:
                os.write(descriptor, text)
            finally:
                os.close(descriptor)
            self._told = text

    def _prepare_folder(self) -> None:
        """Make the folder, and remove what supervisors that were killed left in it."""
        with suppress(FileExistsError):
            os.makedirs(self._folder, 0o755)
        if not os.environ.get(jobhealth.FOLDER_VARIABLE):
            _refuse_foreign(self._folder)
        for file in jobhealth.signs(self._folder)[1]:
            with suppress(OSError):
                os.unlink(file)

    def withdraw(self) -> None:
        """Remove the file: the supervisor ends as it should."""
        if os.getpid() == self._pid:
            systemd.notify("STOPPING=1")
            with suppress(OSError):
                os.unlink(self._file)


def _refuse_foreign(folder: str) -> None:
    """Raise PermissionError for a folder in a public place that another user has put there."""
    found = os.lstat(folder)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise PermissionError(1, "it should be a directory of this user, which nobody else may write", folder)
