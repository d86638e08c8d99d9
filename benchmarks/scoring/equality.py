#!/usr/bin/env python3
"""Are programs judged alike whether they are compiled together or alone?

Judges a mixed corpus both ways and compares whole verdicts, messages included. Besides the usual
programs it has some whose macros, nested items and messages neighbours could change.

    python benchmarks/scoring/equality.py --programs 2000
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from corpus import mixed_programs
from spellings import spelled_programs

from sigil_eval.answers.program import Program
from sigil_eval.judging.batching import kind_of
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.verdict import Verdict
from sigil_eval.problems import load_problem_set


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", type=int, default=2000, metavar="N")
    options = parser.parse_args()
    problems = load_problem_set("humaneval-rust")
    programs = [*mixed_programs(problems, options.programs), *spelled_programs(problems)]
    kinds = Counter(kind_of(program) for program in programs)
    print(", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    together = judge_all(programs, JudgeSettings(limits=Limits(run_seconds=2)))
    alone = judge_all(programs, JudgeSettings(limits=Limits(run_seconds=2), batch_size=1))
    outcomes = Counter(verdict.error_type or "passed" for verdict in alone.values())
    print(", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))
    different = [program for program in programs if together[program] != alone[program]]
    for program in different:
        print(f"{program.problem.task_id}\n  {together[program]}\n  {alone[program]}")
    print(f"{len(programs) - len(different)} of {len(programs)} verdicts are the same")
    return 1 if different else 0


def judge_all(programs: list[Program], settings: JudgeSettings) -> dict[Program, Verdict]:
    """All verdicts, and how long they took."""
    began = time.monotonic()
    with Judge(settings) as judge:
        verdicts = dict(judge.judge(programs))
    way = "alone" if settings.batch_size == 1 else "together"
    print(f"{way}: {time.monotonic() - began:.0f} s")
    return verdicts


if __name__ == "__main__":
    sys.exit(main())
