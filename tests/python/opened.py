"""Folders that the sandbox's user has to look into."""

from __future__ import annotations

import stat
from pathlib import Path


def open_to_all(folder: Path) -> None:
    """Let anyone look into a folder of pytest's, and what it lies in, but for shared folders."""
    for one in (folder, *folder.parents[:2]):
        if not one.stat().st_mode & stat.S_ISVTX:
            one.chmod(0o755)
