"""An account of what was performed, outside of Redis."""

from __future__ import annotations

import os

ACCOUNT = os.open(os.environ.get("TEST_ACCOUNT", os.devnull), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
