"""The lines that a reader types to repeat a run."""

from __future__ import annotations

import shlex

from sigil_eval.documents import Metadata

# The recorded variables that stand for an option of the command.
_SETTINGS = {
    "ACCEPTED_DEVIATIONS",
    "BASE_MODEL",
    "CHECKPOINT_PATH",
    "K_VALUES",
    "NUM_SAMPLES",
    "PYTHON_VERSION",
    "SANDBOX_MODE",
    "SEED",
    "SKIP_ENV_CHECK",
}


def reproduce_command(metadata: Metadata) -> str:
    """Shell lines that repeat the run that `metadata` describes, from a clone of the project."""
    lines = []
    git = metadata.get("git")
    if git:
        remark = "  # and the changes that were not committed" if git["dirty"] else ""
        lines.append(f"git checkout {git['commit']}{remark}")
    settings = [
        f"{name}={shlex.quote(value)}"
        for name, value in (metadata.get("environment") or {}).items()
        if name in _SETTINGS
    ]
    lines.append(" ".join([*settings, shlex.join(metadata.get("command") or [])]).strip())
    return "\n".join(line for line in lines if line)
