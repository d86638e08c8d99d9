#!/usr/bin/env python3
"""How much do the tests of problem sets notice? The share of changed reference answers they fail.

Every reference answer is changed in small ways (`mutants.py`); measured is the half of the changes
by which no input was chosen. Some changes leave the meaning as it was: those that were read and
found so stand in `equivalent.json`, each with its reason.

    python benchmarks/scoring/strength.py --survivors
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from mutants import Mutant, for_choice, mutants

from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.problems import ProblemSet, load_problem_set
from sigil_eval.problems.sets import PINNED_SETS

EQUIVALENT = Path(__file__).with_name("equivalent.json")
_WEAK = 0.9


@dataclass(frozen=True)
class Strength:
    """What a set's tests say of mutants that compile; `equivalent` survivors are known to be."""

    name: str
    noticed: Sequence[Mutant]
    equivalent: Sequence[Mutant]
    survivors: Sequence[Mutant]

    @property
    def share(self) -> float:
        """Of those that are not known to be equivalent, how many are noticed."""
        return len(self.noticed) / ((len(self.noticed) + len(self.survivors)) or 1)

    @property
    def weak(self) -> list[str]:
        """The problems whose share is under 90 %, each with how many it notices of how many."""
        kept, lost = (
            Counter(mutant.program.problem.task_id for mutant in some)
            for some in (self.noticed, self.survivors)
        )
        shares = {task: (kept[task], kept[task] + lost[task]) for task in lost}
        return [f"{task} ({k} of {n})" for task, (k, n) in shares.items() if k < _WEAK * n]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--problem-set", action="append", metavar="NAME", help="one of the sets; all by default"
    )
    parser.add_argument("--survivors", action="store_true", help="show what was not noticed")
    options = parser.parse_args()
    known = equivalents()
    print(f"{'':20} mutants  noticed  survivors  equivalent  noticed of the others")
    for name in options.problem_set or PINNED_SETS:
        for strength in measured(load_problem_set(name), known):
            show(strength, survivors=options.survivors)


def show(strength: Strength, *, survivors: bool) -> None:
    """A line of the table, and what is weak; with `survivors`, each that may mean something."""
    noticed, equivalent = len(strength.noticed), len(strength.equivalent)
    survived = equivalent + len(strength.survivors)
    print(
        f"{strength.name:20} {noticed + survived:7,}  {noticed:7,}  {survived:9,}  "
        f"{equivalent:10,}  {strength.share:21.1%}"
    )
    print(f"  problems under {_WEAK:.0%}: {', '.join(strength.weak) or 'none'}")
    for mutant in strength.survivors if survivors else []:
        print(f"  {mutant.program.problem.task_id}: {mutant.change}")


def equivalents() -> dict[tuple[str, str], str]:
    """Changes that leave the meaning as it was, by task and change, with the reasons."""
    rows = json.loads(EQUIVALENT.read_text(encoding="utf-8"))["equivalent"]
    return {(row["task_id"], row["change"]): row["reason"] for row in rows}


def measured(problem_set: ProblemSet, known: dict[tuple[str, str], str]) -> list[Strength]:
    """What a set's tests say of the mutants by which no input was chosen; and, where it has plus
    cases, what they say with those.

    Raises ValueError where tests notice one that is known to be equivalent.
    """
    every = held_out(problem_set)
    with Judge(JudgeSettings(limits=Limits(run_seconds=1))) as judge:
        verdicts = dict(judge.judge([mutant.program for mutant in every]))
    compiled = {one: verdicts[one.program] for one in every if verdicts[one.program].compile_ok}
    passed = [{one for one, verdict in compiled.items() if verdict.passed}]
    if problem_set.plus_sha256:
        passed.append({one for one, verdict in compiled.items() if verdict.with_plus.passed})
    name = problem_set.name.removesuffix("-plus")
    names = [name, f"{name}-plus"]
    return [
        _strength(name, list(compiled), some, known)
        for name, some in zip(names, passed, strict=False)
    ]


def _strength(
    name: str, every: Sequence[Mutant], passed: set[Mutant], known: dict[tuple[str, str], str]
) -> Strength:
    noticed = [mutant for mutant in every if mutant not in passed]
    for mutant in noticed:
        if _key(mutant) in known:
            raise ValueError(f"{EQUIVALENT}: not equivalent, but noticed: {_key(mutant)}")
    survivors = [mutant for mutant in every if mutant in passed]
    return Strength(
        name=name,
        noticed=noticed,
        equivalent=[mutant for mutant in survivors if _key(mutant) in known],
        survivors=[mutant for mutant in survivors if _key(mutant) not in known],
    )


def held_out(problem_set: ProblemSet) -> list[Mutant]:
    """The mutants by which no input was chosen, of problems that have one right result."""
    problems = (problem for problem in problem_set.problems if not problem.free_text)
    every = (mutant for problem in problems for mutant in mutants(problem))
    return [mutant for mutant in every if not for_choice(mutant)]


def _key(mutant: Mutant) -> tuple[str, str]:
    return mutant.program.problem.task_id, mutant.change


if __name__ == "__main__":
    main()
