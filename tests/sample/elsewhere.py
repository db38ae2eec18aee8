from __future__ import annotations


class Elsewhere:
    """Looks like a job, but stands in no module ``jobs``."""

    queue = "elsewhere"

    @staticmethod
    def perform() -> None:
        raise AssertionError("nobody should have found this")
