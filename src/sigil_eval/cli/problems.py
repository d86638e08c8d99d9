"""sigil-eval problems."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from sigil_eval.cli import chosen, options
from sigil_eval.cli.command import Command
from sigil_eval.console import answer, json_is_wanted, say, write_out

if TYPE_CHECKING:
    from sigil_eval.problems import Problem, ProblemSet


@click.command(cls=Command, examples=["sigil-eval problems", "sigil-eval problems HumanEval/0"])
@options.problem_options()
@click.argument("task", required=False, metavar="[TASK]")
def problems(task: str | None, **given: Any) -> int:
    """List the problems of a set, or show one.

    With its errata. TASK is an id such as HumanEval/0.
    """
    problem_set = chosen.load_problems(given)
    if task is None:
        _list(problem_set)
        answer([asdict(problem) for problem in problem_set.problems])
    else:
        _show(problem_set, problem_set.problem(task))
    return 0


def _list(problem_set: ProblemSet) -> None:
    say(f"{problem_set.name}: {len(problem_set.problems)} problems, from {problem_set.source}")
    say(f"sha256 {problem_set.sha256}, errata {problem_set.errata_sha256 or 'none'}")
    if problem_set.plus_sha256:
        say(f"plus cases {problem_set.plus_sha256}")
    for problem in problem_set.problems:
        needs = f"  needs {', '.join(problem.crates)}" if problem.crates else ""
        say(f"{problem.task_id:22} {problem.entry_point}{needs}")


def _show(problem_set: ProblemSet, shown: Problem) -> None:
    from sigil_eval.problems import concerns

    errata = [found for found in problem_set.errata if concerns(found, shown.task_id)]
    answer({**asdict(shown), "errata": errata})
    if not json_is_wanted():
        write_out(f"{shown.prompt}\n{shown.canonical_solution}\n{shown.test}\n")
        if shown.plus:
            write_out(f"// Asked only of what passes those:\n{shown.plus}")
    for erratum in errata:
        say(f"erratum: {erratum['why']}")
        if says := erratum.get("prompt_says"):
            say(f"  the prompt says: {says}")
        for evidence in erratum.get("shown_by", ()):
            votes = ", ".join(f"{voter} {said}" for voter, said in evidence["votes"].items())
            say(f"  {evidence['call']} is {evidence['right']}; {votes}")
    if shown.flag:
        say(f"flagged: {shown.flag}")
