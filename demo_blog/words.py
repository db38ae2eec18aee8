from __future__ import annotations


def count_words(text: str) -> int:
    """Count what stands between white space, as ``str.split`` sees it."""
    return len(text.split())
