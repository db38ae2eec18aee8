"""A schedule as a YAML file in resque-scheduler's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jobqueue.exceptions import InvalidSchedule

try:
    import yaml
except ImportError:
    yaml = None  # type: ignore[assignment]  # an extra
else:

    class Loader(yaml.SafeLoader):
        """Reads Ruby's symbols, such as ``:low``, as texts: Ruby's payloads know no others."""

    Loader.add_implicit_resolver("!symbol", re.compile(r":[A-Za-z_]\w*\Z"), [":"])
    Loader.add_constructor("!symbol", lambda _, node: node.value[1:])


def load(path: str | Path) -> dict[str, Any]:
    """Return the entries of a file. Raises InvalidSchedule if it cannot be read."""
    if yaml is None:
        raise InvalidSchedule("it is YAML, which takes another package: pip install pyyaml")
    try:
        found = yaml.load(Path(path).read_text(encoding="utf-8"), Loader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise InvalidSchedule(f"it cannot be read: {error}") from error
    if not isinstance(found, Mapping | None):
        raise InvalidSchedule("it should be a mapping of names to their configurations")
    return {str(name): config for name, config in (found or {}).items()}
