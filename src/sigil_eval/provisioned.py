"""What the set-up has left for this environment: compiler, crates, sandbox user and the like.

`bash eval_setup.sh` writes it into the environment itself, so that the command finds it from any
shell. A variable that is set counts for more, what merely lies on PATH for less.
"""

from __future__ import annotations

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

VARIABLES = {
    "rustc": "SIGIL_RUSTC",
    "crates": "SIGIL_CRATES_DIR",
    "sandbox_user": "SIGIL_SANDBOX_USER",
    "vllm_python": "SIGIL_VLLM_PYTHON",
}


@dataclass(frozen=True)
class Provided:
    """A value, and where it comes from: a variable's name, or the set-up's file."""

    value: str
    source: str
    from_variable: bool


def provisioned_file() -> Path:
    """Where the set-up writes: lines NAME=VALUE, in the environment that runs this."""
    return Path(sys.prefix) / "sigilderg.env"


def provisioned() -> dict[str, str]:
    """What the set-up wrote; empty in an environment that it has not made."""
    try:
        text = provisioned_file().read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in text.split("\n") if "=" in line)


def provided(name: str) -> Provided | None:
    """One of VARIABLES: as its variable says, else as it was provisioned."""
    named = os.environ.get(VARIABLES[name])
    if named:
        return Provided(named, VARIABLES[name], from_variable=True)
    value = provisioned().get(name)
    return Provided(value, str(provisioned_file()), from_variable=False) if value else None


def cache_folder() -> Path:
    """Where what can be made again is kept: the set-up's folder, else the user's.

    Raises RuntimeError where the user has no home.
    """
    if state := provisioned().get("state_dir"):
        return Path(state) / "cache"
    named = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(named) if Path(named).is_absolute() else Path.home() / ".cache") / "sigil-eval"


def checkout() -> Path:
    """The checkout of this project that the running code lies in."""
    return Path(__file__).resolve().parents[2]


def setup_command(options: str) -> str:
    """The call of eval_setup.sh that a person can type here, for the same STATE_DIR."""
    known = provisioned()
    script = Path(known.get("checkout", checkout())) / "eval_setup.sh"
    name = shlex.quote(str(script)) if script.is_file() else "eval_setup.sh"
    state = known.get("state_dir", "")
    usual = state in ("", str(Path.home() / ".sigilderg"))
    return f"{'' if usual else f'STATE_DIR={shlex.quote(state)} '}bash {name} {options}"
