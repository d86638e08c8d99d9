"""sigil-eval verify."""

from __future__ import annotations

from typing import Any

import click

from sigil_eval.cli import chosen, options
from sigil_eval.cli.command import Command
from sigil_eval.console import answer, say


@click.command(
    cls=Command,
    examples=["sigil-eval verify", "sigil-eval verify --problem-file problems.jsonl"],
)
@options.problem_options()
@options.judge_options()
def verify(**given: Any) -> int:
    """Prove the judge on reference answers and on wrong ones.

    Every reference answer must pass in each form in which models answer, and answers that are
    wrong by construction must fail, all in the sandbox.
    """
    from sigil_eval.judging.judge import Judge
    from sigil_eval.phases import prove_aloud

    chosen.confirm_sandbox(given)
    problem_set = chosen.load_judged_problems(given)
    with Judge(chosen.judge_settings(given)) as judge:
        answer(prove_aloud(judge, problem_set, again=True, tell=say))
    return 0
