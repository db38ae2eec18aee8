from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from demo_blog.secret import kept_secret


def test_a_secret_is_made_once_and_kept_private(tmp_path):
    folder = tmp_path / ".jobqueue"

    secret = kept_secret(folder)

    assert len(secret) > 50
    assert kept_secret(folder) == secret
    assert (folder / "secret-key").stat().st_mode & 0o077 == 0
    assert [path.name for path in folder.iterdir()] == ["secret-key"]


def test_processes_that_start_together_get_the_same_secret(tmp_path):
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(kept_secret, [tmp_path] * 8))) == 1
