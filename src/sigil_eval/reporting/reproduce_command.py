"""The lines that a reader types to repeat a run."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

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


# Options about the machine of the run, each with a value; another machine has its own places.
_OF_THE_MACHINE = {"--output-dir", "--provision-state"}
PROJECT = "https://github.com/Superuser666-Sigil/SigilDERG-Lambda-Package"


def reproduce_command(metadata: Metadata) -> str:
    """Shell lines that repeat the run that `metadata` describes, on whatever machine."""
    lines = []
    git = metadata.get("git")
    if git:
        lines.append(f"git clone {PROJECT}.git && cd {PROJECT.rsplit('/', 1)[-1]}")
        remark = "  # and the changes that were not committed" if git["dirty"] else ""
        lines.append(f"git checkout {git['commit']}{remark}")
    settings = [
        f"{name}={shlex.quote(value)}"
        for name, value in (metadata.get("environment") or {}).items()
        if name in _SETTINGS
    ]
    command = shlex.join(_anywhere(metadata.get("command") or []))
    lines.append(" ".join([*settings, command]).strip())
    return "\n".join(line for line in lines if line)


def _anywhere(command: list[str]) -> Iterator[str]:
    """The words of a command without the options that are about its machine."""
    words = iter(command)
    for word in words:
        if word in _OF_THE_MACHINE:
            next(words, None)
        elif word.split("=", 1)[0] not in _OF_THE_MACHINE:
            yield word
