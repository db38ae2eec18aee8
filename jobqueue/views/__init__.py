"""The dashboard: every view loads one page of values and shows it, or makes one change and redirects."""

from __future__ import annotations
