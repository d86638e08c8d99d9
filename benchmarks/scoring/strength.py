#!/usr/bin/env python3
"""How much do a problem set's tests notice? The share of mutated reference answers that they fail.

Every operator, number and truth value of every reference answer is changed, one at a time. Some
changes leave the meaning as it was, so no set reaches 100 %.

    python benchmarks/scoring/strength.py --survivors
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from mutations import mutations

from sigil_eval.answers.program import Program
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.problems import load_problem_set


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problem-set", default="humaneval-rust", metavar="NAME")
    parser.add_argument("--survivors", action="store_true", help="show what was not noticed")
    options = parser.parse_args()
    changes: dict[Program, str] = {}
    for problem in load_problem_set(options.problem_set).problems:
        source = reference_source(problem).encode()
        for mutation in mutations(source):
            mutant = Program(problem, mutation.apply(source).decode())
            changes.setdefault(mutant, changed_line(source, mutation.start, mutant.code))
    with Judge(JudgeSettings(limits=Limits(run_seconds=1))) as judge:
        verdicts = dict(judge.judge(list(changes)))
    compiled = [program for program in changes if verdicts[program].compile_ok]
    survivors = [program for program in compiled if verdicts[program].passed]
    noticed = len(compiled) - len(survivors)
    for program in survivors if options.survivors else []:
        print(f"{program.problem.task_id}: {changes[program]}")
    weakest = Counter(program.problem.task_id for program in survivors).most_common(5)
    print(f"{noticed} of {len(compiled)} changes are noticed ({noticed / len(compiled):.0%})")
    print("least noticed: " + ", ".join(f"{task} ({count})" for task, count in weakest))


def changed_line(before: bytes, offset: int, after: str) -> str:
    """The line at `offset`, as it was and as it is."""
    number = before[:offset].count(b"\n")
    old, new = before.decode().splitlines()[number], after.splitlines()[number]
    return f"{old.strip()}  ->  {new.strip()}"


if __name__ == "__main__":
    main()
