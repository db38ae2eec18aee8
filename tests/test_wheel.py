from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> set[str]:
    """The names of the files in a wheel built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(build, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = folder.glob("django_jobqueue-*.whl")
    return set(zipfile.ZipFile(path).namelist())


def shipped(*suffixes: str) -> set[str]:
    """Return the files of the package that git would know, by their endings."""
    files = (path for path in (ROOT / "jobqueue").rglob("*") if path.is_file() and path.suffix in suffixes)
    return {str(path.relative_to(ROOT)) for path in files}


def test_the_wheel_holds_the_whole_package(wheel) -> None:
    assert shipped(".py", ".lua", ".html", ".css", ".js", ".txt") <= wheel
    assert "jobqueue/py.typed" in wheel


def test_the_wheel_holds_scripts_templates_and_static_files(wheel) -> None:
    for suffix in (".lua", ".html", ".css"):
        assert any(name.endswith(suffix) for name in wheel), suffix


def test_the_wheel_holds_nothing_else(wheel) -> None:
    heads = {name.split("/")[0].partition("-")[0] for name in wheel}
    assert heads == {"jobqueue", "django_jobqueue", "jobhealth.py"}
    assert not [name for name in wheel if "__pycache__" in name]
