#!/usr/bin/env python3
"""What `sigil-eval dataset check` finds of reference answers that were planted, and how often it
takes a real function for one.

Thresholds were chosen on every other problem and on some crates (`--chosen-on`); measured are
the other problems, and functions of other crates. Needs cargo on PATH, and rustfmt beside rustc.

    python benchmarks/dataset/planted.py
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

import corpora
from plants import PLANTS, Row

from sigil_eval.dataset.known import known_problems, known_sets
from sigil_eval.dataset.rows import Examined, examine
from sigil_eval.problems import Problem


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--chosen-on", action="store_true", help="what thresholds were chosen on")
    parser.add_argument("--missed", action="store_true", help="name what was not found")
    options = parser.parse_args()
    known_problems()
    halves = {
        one.name: [problem for problem in one.problems if problem.has_reference][
            not options.chosen_on :: 2
        ]
        for one in known_sets()
    }
    print(f"| planted | {' | '.join(f'{name}, {len(half)}' for name, half in halves.items())} |")
    print(f"| :-- |{' --: |' * len(halves)}")
    for name, plant in PLANTS.items():
        missed = {
            problem_set: [problem for problem in half if not is_found(problem, plant(problem))]
            for problem_set, half in halves.items()
        }
        found = [str(len(halves[one]) - len(missed[one])) for one in halves]
        print(f"| {name} | {' | '.join(found)} |", flush=True)
        for problems in missed.values() if options.missed else ():
            print("  missed:", *(problem.task_id for problem in problems))
    count_false_alarms(corpora.CHOSEN_ON if options.chosen_on else corpora.MEASURED_ON)


def is_found(problem: Problem, row: Row) -> bool:
    """Whether a row is said to hold this problem."""
    return problem.task_id in {task for _, task, _ in looked_into([row]).tasks}


def count_false_alarms(crates: str) -> None:
    rows = corpora.rows_of(crates)
    began = time.process_time()
    found = looked_into(rows)
    rate = len(rows) / (time.process_time() - began)
    alarms = {number for number, _, _ in found.tasks}
    print(f"\n{len(alarms)} false alarms on {len(rows)} functions of {len(crates.split())} crates")
    size = sum(len(row["gen"]) + len(row["prompt"]) for row in rows) / len(rows)
    print(f"{rate:.0f} rows a second and core, all checks, of {size:.0f} characters on average")
    for number, task, signals in found.tasks:
        print(f"  {task} {signals}: {rows[number]['gen'][:200]!r}")
    whole = {number for number, row in enumerate(rows) if "$" not in row["gen"]}  # of no macro
    broken = whole & {number for number, name, _ in found.faults if name == "not Rust"}
    print(f"{len(broken)} of {len(whole)} that are whole are said not to parse")


def looked_into(rows: list[Row]) -> Examined:
    """What the check says of rows, as lines of JSON."""
    return examine([(number, json.dumps(row).encode()) for number, row in enumerate(rows)])


if __name__ == "__main__":
    main()
