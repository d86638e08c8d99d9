"""sigil-eval sandbox-check."""

from __future__ import annotations

from typing import Any

import click

from sigil_eval.cli import chosen, options
from sigil_eval.cli.command import Command
from sigil_eval.console import say


@click.command("sandbox-check", cls=Command)
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
    return 0
