from __future__ import annotations

import pytest
from redis.connection import HiredisRespSerializer

from jobqueue.packing import Packer, packed


@pytest.mark.parametrize("command", [("GET", "é"), ["SET", b"\xff", 1, 2.5], ("RPUSH", "a", *["b"] * 1000)])
def test_a_command_is_packed_as_redis_py_packs_it(command):
    assert [packed(command)] == HiredisRespSerializer().pack(*command) == Packer().pack(*command)


def test_a_name_of_any_bytes_is_packed():
    name = b"caf\xe9".decode("utf-8", "surrogateescape")

    assert packed(["GET", name]) == b"*2\r\n$3\r\nGET\r\n$4\r\ncaf\xe9\r\n"
    assert Packer().pack("GET", name) == [packed(["GET", name])]
