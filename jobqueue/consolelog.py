"""Show the log of a worker on its console, in the forms of Resque's VERBOSE and VVERBOSE."""

from __future__ import annotations

import logging
from collections.abc import Mapping

LOOK = 5
"""Level of the lines that each look for jobs writes, below DEBUG."""
LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG, LOOK)
PLAIN = "%(message)s"
VERBOSE = "*** %(message)s"
VERY_VERBOSE = "** [%(asctime)s] %(process)d: %(message)s"
MOMENT = "%H:%M:%S %Y-%m-%d"


def verbosity(given: int, environ: Mapping[str, str]) -> int:
    """Return 0 to 3, where Resque's variables raise Django's default of 1."""
    if given != 1:
        return given
    if environ.get("VVERBOSE"):
        return 3
    return 2 if environ.get("VERBOSE") or environ.get("LOGGING") else 1


def set_up(verbosity: int) -> None:
    """Let the logger ``jobqueue`` write to the console, unless the site's LOGGING has seen to it.

    A handler of the root logger is enough.
    """
    log = logging.getLogger("jobqueue")
    if log.level == logging.NOTSET or verbosity > 1:
        log.setLevel(LEVELS[verbosity])
    if log.hasHandlers():
        return
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter((PLAIN, PLAIN, VERBOSE, VERY_VERBOSE)[verbosity], MOMENT))
    log.addHandler(handler)
    log.propagate = False
