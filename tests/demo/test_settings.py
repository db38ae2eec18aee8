"""The demo's settings in processes of their own, as ``make demo`` and a deployment read them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def manage(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    passed_on = {name: os.environ[name] for name in ("PATH", "HOME", "REDIS_URL") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *args],
        cwd=ROOT,
        env=passed_on | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_demo_needs_no_settings_and_its_migrations_are_complete(tmp_path):
    done = manage(
        "makemigrations", "--check", SECRET_KEY="x", DATABASE_URL=f"sqlite:///{tmp_path}/db.sqlite3"
    )

    assert (done.returncode, done.stdout) == (0, "No changes detected\n"), done.stderr


def test_the_schedule_can_be_used():
    done = manage("check", SECRET_KEY="x")

    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), (
        done.stderr
    )


def test_without_debug_a_secret_key_is_demanded():
    done = manage("check", DEBUG="0")

    assert done.returncode == 1
    assert "SECRET_KEY" in done.stderr


def test_another_database_gets_no_options_of_sqlite():
    code = "from django.conf import settings; print(settings.DATABASES['default'].get('OPTIONS'))"
    done = manage("shell", "-v", "0", "-c", code, SECRET_KEY="x", DATABASE_URL="postgres://u@h/db")

    assert done.stdout in ("None\n", "{}\n"), done.stderr
