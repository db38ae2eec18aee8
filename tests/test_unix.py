from __future__ import annotations

import pytest

from jobqueue.unix import require_unix


def test_windows_is_refused_in_one_sentence(monkeypatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")

    with pytest.raises(
        ImportError, match="^jobqueue needs a Unix such as Linux or macOS, because its workers fork"
    ):
        require_unix()


@pytest.mark.parametrize("platform", ["linux", "darwin", "freebsd14"])
def test_unix_is_welcome(monkeypatch, platform: str) -> None:
    monkeypatch.setattr("sys.platform", platform)

    require_unix()
