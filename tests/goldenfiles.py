"""Load what real Resque left in Redis, recorded in tests/golden/."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "golden"


def golden(name: str) -> dict[str, Any]:
    """Return the recording of one operation."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def load(redis: Any, name: str) -> None:
    """Write the keys of a recording into ``redis``."""
    for key, held in golden(name)["keys"].items():
        value = held["value"]
        match held["type"]:
            case "string":
                redis.set(key, value)
            case "list":
                redis.rpush(key, *value)
            case "set":
                redis.sadd(key, *value)
            case "hash":
                redis.hset(key, mapping=value)
            case "zset":
                redis.zadd(key, {member: float(score) for member, score in value})
        if held["ttl"] >= 0:
            redis.expire(key, held["ttl"])


def dump(redis: Any) -> dict[str, Any]:
    """Return every key of ``redis`` in the form of a recording (without TTLs)."""
    return {key.decode(): _value(redis, key) for key in sorted(redis.keys("*"))}


def values(name: str) -> dict[str, Any]:
    """Return a recording's keys in the form of ``dump``."""
    return {key: held["value"] for key, held in golden(name)["keys"].items()}


def _value(redis: Any, key: bytes) -> Any:
    match redis.type(key):
        case b"string":
            return redis.get(key).decode()
        case b"list":
            return [item.decode() for item in redis.lrange(key, 0, -1)]
        case b"set":
            return sorted(item.decode() for item in redis.smembers(key))
        case b"hash":
            return {field.decode(): value.decode() for field, value in redis.hgetall(key).items()}
        case _:
            return [[member.decode(), score] for member, score in redis.zrange(key, 0, -1, withscores=True)]
