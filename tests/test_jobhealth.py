from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from django.core.management import call_command

import jobhealth
from jobqueue import connection
from jobqueue.signoflife import SignOfLife

MODULES_OF_WEIGHT = ("django", "redis", "jobqueue", "json", "typing", "dataclasses", "pathlib", "tempfile")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder for signs of life, which the environment names."""
    monkeypatch.setenv(jobhealth.FOLDER_VARIABLE, str(tmp_path))
    return str(tmp_path)


@pytest.fixture
def sign(folder):
    """The sign of this process, given with two of three workers."""
    sign = SignOfLife(3)
    sign.give(2)
    return sign


@pytest.fixture
def other():
    """A process that lives as long as the test."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.communicate()


def judge(folder, *, max_age=30.0, workers=0):
    return jobhealth.judge(folder, max_age, workers)


def refusal(folder, **asked):
    with pytest.raises(jobhealth.Unhealthy) as refused:
        judge(folder, **asked)
    return str(refused.value)


def write(folder, pid, text):
    path = jobhealth.path(folder, pid)
    with open(path, "wb") as file:
        file.write(text)
    return path


def make_old(path, seconds):
    os.utime(path, (time.time() - seconds,) * 2)


# The judgement


def test_a_supervisor_that_gave_a_sign_is_healthy(folder, sign):
    said = judge(folder)

    assert said.startswith(f"supervisor {os.getpid()} gave a sign of life 0.")
    assert said.endswith("; 2 of 3 workers live")


@pytest.mark.usefixtures("sign")
def test_too_few_workers_are_unhealthy_where_more_are_asked_for(folder):
    assert judge(folder, workers=2)
    assert refusal(folder, workers=3) == "2 of 3 workers live; 3 are asked for"


@pytest.mark.usefixtures("sign")
def test_a_supervisor_that_hangs_is_unhealthy(folder):
    make_old(jobhealth.path(folder, os.getpid()), 45)

    assert refusal(folder) == (
        f"supervisor {os.getpid()} has given no sign of life for 45 s; 30 s are allowed"
    )
    assert judge(folder, max_age=60)


@pytest.mark.usefixtures("sign")
def test_one_that_hangs_beside_one_that_works_is_unhealthy(folder, other):
    make_old(write(folder, other.pid, jobhealth.text(other.pid, 1, 1)), 45)

    assert f"supervisor {other.pid} has given no sign" in refusal(folder)


@pytest.mark.usefixtures("sign")
def test_several_supervisors_are_counted_together(folder, other):
    write(folder, other.pid, jobhealth.text(other.pid, 4, 4))

    said = judge(folder, workers=6)

    assert said.startswith("supervisors ")
    assert said.endswith("6 of 7 workers live")


def test_no_sign_is_unhealthy_and_tells_where_it_was_looked_for(folder):
    assert refusal(folder) == (
        f"no supervisor lives that gives signs of life in {folder} (JOBQUEUE_HEALTH_FOLDER)"
    )
    assert "no supervisor lives" in refusal(f"{folder}/missing")


def test_the_sign_of_a_dead_supervisor_counts_for_nothing(folder):
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        write(folder, process.pid, jobhealth.text(process.pid, 1, 1))
        assert judge(folder)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)

        # It is a zombie now, as where nobody reaps
        assert "no supervisor lives" in refusal(folder)

    assert "no supervisor lives" in refusal(folder)


def test_a_process_that_got_the_pid_of_a_dead_supervisor_is_none(folder, other):
    born = jobhealth.born(other.pid)
    write(folder, other.pid, jobhealth.text(other.pid, 1, 1).replace(born.encode(), b"17"))

    assert "no supervisor lives" in refusal(folder)


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"1 2", b"one two three four", b"-1 ? 1 1"])
def test_what_is_no_sign_counts_for_nothing(folder, text):
    write(folder, 1, text)

    assert "no supervisor lives" in refusal(folder)


def test_a_folder_that_cannot_be_read_is_told(folder):
    file = write(folder, 1, b"")

    assert refusal(file) == f"signs of life cannot be looked for in {file}: Not a directory"


def test_processes_are_found_without_proc(monkeypatch, other):
    def is_not_there(path, *_):
        raise FileNotFoundError(path)

    monkeypatch.setattr(jobhealth, "open", is_not_there, raising=False)
    monkeypatch.setattr(os.path, "exists", lambda path: False)

    assert [jobhealth.born(other.pid), jobhealth.born(1), jobhealth.born(2**22 + 1)] == ["?", "?", ""]


def test_the_folder_is_the_environments_or_one_of_this_user(folder, monkeypatch):
    assert jobhealth.folder() == folder

    monkeypatch.delenv(jobhealth.FOLDER_VARIABLE)
    assert jobhealth.folder().endswith(f"/jobqueue-{os.getuid()}")

    monkeypatch.setattr(os, "access", lambda *_: False)
    assert jobhealth.folder() == f"/tmp/jobqueue-{os.getuid()}"


# The two doors


def run(*options):
    return subprocess.run(
        [sys.executable, "-m", "jobhealth", *options], capture_output=True, text=True, check=False
    )


@pytest.mark.usefixtures("sign")
def test_the_small_door_prints_a_line_and_answers_by_its_status(folder):
    answer = run()
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith(f"healthy: supervisor {os.getpid()} gave a sign of life")
    assert answer.stdout.count("\n") == 1

    answer = run("--workers", "3")
    assert (answer.returncode, answer.stderr) == (1, "")
    assert answer.stdout == "unhealthy: 2 of 3 workers live; 3 are asked for\n"


def test_the_small_door_loads_nothing_of_weight():
    script = f"import sys, jobhealth; sys.exit(' '.join(m for m in {MODULES_OF_WEIGHT} if m in sys.modules))"

    # Coverage would load some of them
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environ
    )

    assert loaded.stderr == "\n"


@pytest.mark.usefixtures("folder")
def test_the_main_function_is_what_the_console_script_calls(monkeypatch, capsys, sign):
    monkeypatch.setattr(sys, "argv", ["jobhealth"])
    assert jobhealth.main() == 0

    sign.withdraw()
    assert jobhealth.main() == 1
    assert capsys.readouterr().out.count("healthy: ") == 2


def ask(capsys, *options):
    """Return what the management command prints, and its exit status."""
    status = 0
    try:
        call_command("jobhealth", *options)
    except SystemExit as left:
        status = left.code
    return capsys.readouterr().out, status


@pytest.mark.usefixtures("sign")
def test_the_command_says_the_same_as_the_small_door(capsys):
    said, status = ask(capsys)
    assert (said.startswith("healthy: supervisor"), status) == (True, 0)

    assert ask(capsys, "--workers", "3") == ("unhealthy: 2 of 3 workers live; 3 are asked for\n", 1)


@pytest.mark.usefixtures("sign")
def test_life_does_not_depend_on_redis(capsys, settings):
    settings.JOBQUEUE_REDIS_URL = "redis://127.0.0.1:1/0"

    assert ask(capsys)[1] == 0


@pytest.mark.usefixtures("sign", "redis")
def test_redis_is_asked_where_that_is_wanted(capsys):
    said, status = ask(capsys, "--redis")

    assert status == 0
    assert "2 of 3 workers live; Redis at " in said
    assert said.endswith(" answers\n")


@pytest.mark.usefixtures("sign")
def test_a_redis_that_is_away_is_told_without_its_password(capsys, settings):
    settings.JOBQUEUE_REDIS_URL = "redis://:secret@127.0.0.1:1/0"

    said, status = ask(capsys, "--redis")

    assert status == 1
    assert said.startswith("unhealthy: Redis at redis://:***@127.0.0.1:1/0 cannot be reached")
    assert "secret" not in said


@pytest.mark.usefixtures("sign")
def test_a_redis_that_is_not_named_is_told(capsys, monkeypatch):
    monkeypatch.delenv("REDIS_URL")

    said, status = ask(capsys, "--redis")

    assert status == 1
    assert said.startswith("unhealthy: No Redis is named")


@pytest.mark.usefixtures("sign")
def test_a_replica_takes_no_jobs(capsys, redis_factory, settings):
    server = redis_factory()
    settings.JOBQUEUE_REDIS_URL = server.url
    with server.client() as client:
        client.replicaof("127.0.0.1", "1")

    said, status = ask(capsys, "--redis")

    assert (said, status) == (
        f"unhealthy: Redis at {connection.address()} is a replica, which takes no jobs\n",
        1,
    )


@pytest.mark.usefixtures("sign")
def test_a_redis_that_refuses_is_told(capsys, redis_factory, settings):
    server = redis_factory("--rename-command", "INFO", "''")
    settings.JOBQUEUE_REDIS_URL = server.url

    said, status = ask(capsys, "--redis")

    assert status == 1
    assert said.startswith(f"unhealthy: Redis at {connection.address()} refuses: unknown command")
