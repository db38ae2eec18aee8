from __future__ import annotations

import socket

import pytest

from jobqueue import systemd


@pytest.fixture(params=["file", "abstract"])
def listener(request, tmp_path, monkeypatch):
    """A socket in systemd's place."""
    name = str(tmp_path / "notify") if request.param == "file" else f"@jobqueue-{tmp_path}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(name.replace("@", "\0", 1))
        listener.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield listener


def test_systemd_is_told(listener):
    systemd.notify("READY=1", "STATUS=2 of 2 workers live")

    assert listener.recv(1000) == b"READY=1\nSTATUS=2 of 2 workers live"


def test_a_systemd_that_does_not_listen_holds_nobody_up(listener):
    for _ in range(2000):
        systemd.notify("WATCHDOG=1")

    assert listener.recv(1000) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", ["", "/missing/socket", "vsock:2:1234", "@nobody-listens-here"])
def test_elsewhere_nothing_happens(monkeypatch, address):
    monkeypatch.setenv("NOTIFY_SOCKET", address)

    systemd.notify("READY=1")
