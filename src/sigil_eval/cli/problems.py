"""sigil-eval problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sigil_eval.cli import chosen, options
from sigil_eval.cli.command import Command
from sigil_eval.console import say
from sigil_eval.errors import UsageError, quoted

if TYPE_CHECKING:
    from sigil_eval.problems import ProblemSet


@click.command(cls=Command)
@options.problem_options()
@click.argument("task", required=False, metavar="[TASK]")
def problems(task: str | None, **given: Any) -> int:
    """List the problems of a set, or show one.

    With its errata. TASK is an id such as HumanEval/0.
    """
    problem_set = chosen.load_problems(given)
    if task is None:
        _list(problem_set)
    else:
        _show(problem_set, task)
    return 0


def _list(problem_set: ProblemSet) -> None:
    say(f"{problem_set.name}: {len(problem_set.problems)} problems, from {problem_set.source}")
    say(f"sha256 {problem_set.sha256}, errata {problem_set.errata_sha256 or 'none'}")
    for problem in problem_set.problems:
        needs = f"  needs {', '.join(problem.crates)}" if problem.crates else ""
        say(f"{problem.task_id:22} {problem.entry_point}{needs}")


def _show(problem_set: ProblemSet, task: str) -> None:
    from sigil_eval.problems import concerns

    shown = problem_set.by_id.get(task)
    if shown is None:
        raise UsageError(f"no problem {quoted(task)} in {problem_set.name}")
    say(f"{shown.prompt}\n{shown.canonical_solution}\n{shown.test}")
    for erratum in problem_set.errata:
        if concerns(erratum, shown.task_id):
            say(f"erratum: {erratum['why']}")
            if says := erratum.get("prompt_says"):
                say(f"  the prompt says: {says}")
            for evidence in erratum.get("shown_by", ()):
                votes = ", ".join(f"{voter} {said}" for voter, said in evidence["votes"].items())
                say(f"  {evidence['call']} is {evidence['right']}; {votes}")
    if shown.flag:
        say(f"flagged: {shown.flag}")
