"""A schedule as a YAML file in resque-scheduler's form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobqueue.exceptions import InvalidSchedule

try:
    import yaml
except ImportError:
    yaml = None  # type: ignore[assignment]  # an extra


def load(path: str | Path) -> dict[str, Any]:
    """Return the entries of a file. Raises InvalidSchedule if it cannot be read."""
    if yaml is None:
        raise InvalidSchedule("it is YAML, which takes another package: pip install pyyaml")
    try:
        found = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InvalidSchedule(f"it cannot be read: {error}") from error
    if not isinstance(found, Mapping | None):
        raise InvalidSchedule("it should be a mapping of names to their configurations")
    return {str(name): config for name, config in (found or {}).items()}
