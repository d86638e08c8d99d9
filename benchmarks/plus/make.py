#!/usr/bin/env python3
"""Make the cases of humaneval-rust-plus: asserts on chosen inputs, on which oracles have voted.

For each problem, inputs are recorded from the original's tests, changed and made by chance, within
what the problem's words cover; kept are those on which all oracles and the reference answer agree;
chosen, those that notice what changes of the reference answer can be noticed, and some by chance.
The same files come of it in every run.

    python benchmarks/plus/make.py --oracles FOLDER
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))
sys.path.insert(1, str(Path(__file__).resolve().parents[1] / "scoring"))

import python_oracle
from choice import chosen
from inputs import Inputs
from kill_matrix import KillMatrix
from mutants import Mutant, for_choice, mutants
from oracles import PINS, Oracles, load_oracles
from render import helpers, statement
from rust_oracle import RustOracles
from targets import Target, load_targets
from votes import REFERENCE_DIFFERS, Case, vote

from sigil_eval.answers.program import Program
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import sha256_file, write_atomic, write_jsonl
from sigil_eval.judging.contract import reference_source
from sigil_eval.problems import (
    PINNED_SETS,
    Problem,
    ProblemSet,
    apply_errata,
    load_problem_set,
)

_BENCHMARKS = Path(__file__).resolve().parents[1]
# What the maker has from beside it.
_SHARED = ("kill_matrix.py", "kill_matrix.rs", "mutants.py", "mutations.py")
DATA = _BENCHMARKS.parent / "src/sigil_eval/problems/data"
SET = "humaneval-rust"
SEED = 1
# How many inputs are voted on for each function, and how many are tried to have so many.
WANTED = 160
_TRIES = 40 * WANTED


@dataclass(frozen=True)
class Made:
    """The row of a problem, and what became of its inputs."""

    row: dict[str, Any]
    counts: Counter[str]
    against_reference: list[str]


def make(
    targets: Sequence[Target], oracles: Oracles, rust: RustOracles, matrix: KillMatrix
) -> Made:
    """The cases of a problem, which `targets` are the functions of."""
    problem = targets[0].problem
    counts: Counter[str] = Counter()
    cases: list[Case] = []
    against: list[str] = []
    for target in targets:
        voted = vote(target, inputs_of(target, oracles), oracles, rust)
        cases += voted.cases
        counts += Counter({reason: len(found) for reason, found in voted.dropped.items()})
        against += [
            f"{target.task_id}: {target.function}{tuple(values)}: {words}"
            for values, words in voted.dropped.get(REFERENCE_DIFFERS, ())
        ]
    statements = [statement(case) for case in cases]
    used = "".join(dict.fromkeys(map(helpers, cases)))
    changed = [mutant for mutant in mutants(problem) if for_choice(mutant)]
    noticed = matrix.noticed(problem, statements, [*changed, *as_published(problem)], used)
    kept = chosen(noticed.values(), len(cases), random.Random(f"{SEED} choice {problem.task_id}"))
    counts += Counter(
        {
            "agreed": len(cases),
            "kept": len(kept),
            "mutants": len(noticed),
            "mutants noticed": sum(bool(found) for found in noticed.values()),
        }
    )
    row = {
        "task_id": problem.task_id,
        "cases": [{"assert": statements[at], "votes": cases[at].votes} for at in kept],
        **({"helpers": used} if used else {}),
    }
    return Made(row, counts, against)


def as_published(problem: Problem) -> list[Mutant]:
    """The reference answer before errata, if they mended it: cases must notice that, too."""
    published = problem_set().published_by_id[problem.task_id].canonical_solution
    before = reference_source(replace(problem, canonical_solution=published))
    is_mended = before != reference_source(problem)
    return [Mutant("published", "", Program(problem, before))] if is_mended else []


def make_all(
    targets: Mapping[str, Sequence[Target]], tasks: Iterable[str], oracles: Oracles, workers: int
) -> list[Made]:
    """Make the cases of these problems, and say of each what became of its inputs."""
    made: list[Made] = []
    with RustOracles() as rust, KillMatrix() as matrix, ThreadPoolExecutor(workers) as pool:
        one = partial(make, oracles=oracles, rust=rust, matrix=matrix)
        for done in pool.map(one, (targets[task] for task in tasks)):
            made.append(done)
            counts = ", ".join(f"{name} {count}" for name, count in sorted(done.counts.items()))
            print(f"{done.row['task_id']}: {counts}", flush=True)
            for line in done.against_reference:
                print(f"    {line}")
    return made


def inputs_of(target: Target, oracles: Oracles) -> list[list[Any]]:
    """Different inputs of a function that its contract admits, the seeds first."""
    task_id = target.task_id
    chance = random.Random(f"{SEED} inputs {task_id} {target.function}")
    found: dict[str, list[Any]] = {}

    def add(values: list[Any]) -> None:
        if (admitted := target.admitted(values)) is not None:
            found.setdefault(json.dumps(admitted), admitted)

    for values in [*target.seeds, *python_oracle.record(oracles.original[task_id])]:
        if len(found) < WANTED // 4:
            add(values)
    sources = [reference_source(target.problem), oracles.poly[task_id]]
    maker = Inputs(target.kinds, list(found.values()), sources, chance)
    for number in range(_TRIES):
        if len(found) == WANTED:
            break
        if target.make and number % 3 == 0:
            add(target.made(chance))
        elif found and number % 3 < 2:
            add(maker.changed(chance.choice([*found.values()])))
        else:
            add(maker.fresh())
    return list(found.values())


@cache
def problem_set() -> ProblemSet:
    """The set that the cases are for."""
    return load_problem_set(SET)


def problems() -> tuple[Problem, ...]:
    """The problems with errata, and without the cases that were made for them before."""
    return apply_errata(problem_set().published, problem_set().errata)


def made_from() -> dict[str, Any]:
    """The hash of everything that the cases follow from."""
    pin = PINNED_SETS[SET]
    here = Path(__file__).parent
    sources = [*here.iterdir(), *(_BENCHMARKS / "scoring" / name for name in _SHARED)]
    return {
        "seed": SEED,
        "problem_set": pin.sha256,
        "errata": pin.errata_sha256,
        "oracles": {one.name: one.sha256 for one in PINS},
        "maker": {
            str(path.relative_to(_BENCHMARKS)): sha256_file(path)
            for path in sorted(sources)
            if path.suffix in (".py", ".rs", ".toml")
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--oracles", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--output", type=Path, default=DATA, metavar="FOLDER")
    parser.add_argument("--task", action="append", help="make these problems alone, and no file")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    try:
        oracles = load_oracles(options.oracles)
        targets = load_targets(problems())
        made = make_all(targets, options.task or list(targets), oracles, options.workers)
    except (UsageError, PreflightError) as error:
        sys.exit(f"error: {error}")
    if options.task:
        print("\n".join(json.dumps(done.row, indent=1) for done in made))
        return
    counts = dict(sorted(sum((done.counts for done in made), Counter[str]()).items()))
    about = json.dumps({**made_from(), "counts": counts}, indent=2)
    write_jsonl(options.output / f"{SET}-plus.jsonl", (done.row for done in made))
    write_atomic(options.output / f"{SET}-plus.made.json", f"{about}\n")


if __name__ == "__main__":
    main()
