"""sigil-eval env."""

from __future__ import annotations

import click

from sigil_eval.cli.command import Command
from sigil_eval.errors import PreflightError


@click.command(cls=Command, examples=["sigil-eval env", "sigil-eval env --json"])
def env() -> int:
    """Say what is found here and what is missing.

    Compiler, crates, Firejail, its user, state folder and GPU, and where each comes from. A
    variable counts first (SIGIL_RUSTC, SIGIL_CRATES_DIR, SIGIL_SANDBOX_USER), then what
    eval_setup.sh has provisioned, then, for the compiler, PATH and rustup. Exit code 3 when
    something is missing without which nothing can be scored.
    """
    from sigil_eval.surroundings import find_surroundings, print_surroundings

    found = find_surroundings()
    print_surroundings(found)
    return PreflightError.exit_code if any(item.needed and item.missing for item in found) else 0
