"""sigil-eval sandbox-check."""

from __future__ import annotations

from typing import Any

import click

from sigil_eval.cli import chosen, options
from sigil_eval.cli.command import Command
from sigil_eval.console import answer, say


@click.command(
    "sandbox-check",
    cls=Command,
    examples=["sigil-eval sandbox-check", "sigil-eval sandbox-check --json"],
)
@options.judge_options()
def sandbox_check(**given: Any) -> int:
    """Test that the sandbox contains what runs in it.

    A probe must succeed outside the sandbox, and fail inside.
    """
    from sigil_eval.judging.judge import Judge

    chosen.confirm_sandbox(given)
    with Judge(chosen.judge_settings(given)) as judge:
        for line in judge.self_test or ["no sandbox: nothing contains what is run"]:
            say(line)
        answer({"sandbox": judge.sandbox.description, "self_test": judge.self_test})
    return 0
