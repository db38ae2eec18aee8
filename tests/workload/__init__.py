"""An app whose jobs write down that they ran, for tests with real worker processes."""

from __future__ import annotations

LEDGER = "ledger"
"""A list outside the namespace, which the workers' own counters do not touch."""
