"""Asking the machine's programs what they are."""

from __future__ import annotations

import subprocess

COMMAND_TIMEOUT_SECONDS = 20


def output_of(command: list[str], *, any_status: bool = False) -> str | None:
    """Standard output of a command; None when it is missing, fails or takes too long."""
    try:
        finished = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_TIMEOUT_SECONDS,
            check=not any_status,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout
