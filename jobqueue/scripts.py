"""The Lua scripts: one file for each change of state, loaded by name.

A line ``-- include _name`` in a script stands for the file ``_name.lua``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import redis
from redis.exceptions import NoScriptError

FOLDER = resources.files("jobqueue") / "scripts"
INCLUDE = re.compile(r"^-- include (_\w+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """A script's text and the SHA-1 under which Redis caches it."""

    text: str
    sha: str

    def __call__(self, client: redis.Redis, keys: Sequence[str], args: Iterable[Any]) -> Any:
        """Run the script in one round trip; two when Redis has to be told its text again."""
        try:
            return client.execute_command(*self.by_sha(keys, args))
        except NoScriptError:
            return client.execute_command(*self.by_text(keys, args))

    def by_sha(self, keys: Sequence[str], args: Iterable[Any]) -> tuple[Any, ...]:
        """Return the command for a Redis that knows the script."""
        return ("EVALSHA", self.sha, len(keys), *keys, *args)

    def by_text(self, keys: Sequence[str], args: Iterable[Any]) -> tuple[Any, ...]:
        """Return the command for one that does not, and from then on does."""
        return ("EVAL", self.text, len(keys), *keys, *args)


@cache
def load(name: str) -> Script:
    """Return the script of that name."""
    text = INCLUDE.sub(lambda match: _read(match[1]), _read(name))
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def load_all() -> None:
    """Load every script, as before a fork, whose children then share them."""
    for each in FOLDER.iterdir():
        if not each.name.startswith("_"):
            load(each.name.removesuffix(".lua"))


def _read(name: str) -> str:
    return (FOLDER / f"{name}.lua").read_text(encoding="utf-8")
