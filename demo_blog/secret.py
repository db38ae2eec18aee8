"""A secret key for development that survives a restart and is in no repository."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path


def kept_secret(folder: Path) -> str:
    """Return the secret kept in ``folder``, made the first time; web and workers all get the same one."""
    kept = folder / "secret-key"
    if not kept.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        _offer(kept)
    return kept.read_text(encoding="ascii")


def _offer(kept: Path) -> None:
    # A link to a complete file is there entirely or not at all; whoever comes second keeps the first's.
    with tempfile.NamedTemporaryFile("w", dir=kept.parent, encoding="ascii") as draft:
        draft.write(secrets.token_urlsafe(50))
        draft.flush()
        try:
            os.link(draft.name, kept)
        except FileExistsError:
            return
