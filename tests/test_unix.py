from __future__ import annotations

import subprocess
import sys

import pytest

from jobqueue.unix import require_unix


def test_windows_is_refused_in_one_sentence(monkeypatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")

    with pytest.raises(
        ImportError, match="^jobqueue needs a Unix such as Linux or macOS, because its workers fork"
    ):
        require_unix()


def test_the_package_refuses_windows_before_anything_else() -> None:
    code = "import sys; sys.platform = 'win32'; import jobqueue"

    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr

    assert said.splitlines()[-1].startswith("ImportError: jobqueue needs a Unix")


@pytest.mark.parametrize("platform", ["linux", "darwin", "freebsd14"])
def test_unix_is_welcome(monkeypatch, platform: str) -> None:
    monkeypatch.setattr("sys.platform", platform)

    require_unix()
