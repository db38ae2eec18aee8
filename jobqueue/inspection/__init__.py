"""The read door to Redis: what the pages and commands show; nothing here changes anything."""

from __future__ import annotations
