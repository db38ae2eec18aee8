"""The write door to Redis: every change of state, a module for each noun."""

from __future__ import annotations
