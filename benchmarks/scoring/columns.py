#!/usr/bin/env python3
"""What the column of plus cases costs: processor time with them and without, in turn.

Two corpora: the 164 reference answers, of which all are run with their plus cases, and mixed
programs, of which some pass. Each is judged in a first run, where nothing was kept of earlier ones,
and again in later ones. Processor time hardly depends on what else the machine does.

    python benchmarks/scoring/columns.py --programs 600
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from compare import measure_ours, processor_seconds, without_timeouts
from corpus import mixed_programs

from sigil_eval.answers.program import Program
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.judge import JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.problems import load_problem_set


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", type=int, default=600, metavar="N")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="later runs of each")
    options = parser.parse_args()

    settings = JudgeSettings(limits=Limits(run_seconds=2))
    humaneval = load_problem_set("humaneval-rust")
    mixed = without_timeouts(list(mixed_programs(humaneval, options.programs)), settings)
    references = [Program(p, reference_source(p)) for p in humaneval.problems]
    for name, programs in (("reference answers", references), ("mixed programs", mixed)):
        plain = [Program(replace(p.problem, plus=""), p.code) for p in programs]
        compare(name, plain, programs, settings, options.repeats)


def compare(
    name: str,
    plain: Sequence[Program],
    plus: Sequence[Program],
    settings: JudgeSettings,
    repeats: int,
) -> None:
    """Print what judging programs uses without plus cases and with them."""
    first: dict[str, float] = {}
    later: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as without, tempfile.TemporaryDirectory() as with_them:
        sides = {"without": (plain, Path(without)), "with": (plus, Path(with_them))}
        for key, side in sides.items():
            first[key] = measure(*side, settings)
        rounds = [
            {key: measure(*side, settings) for key, side in sides.items()} for _ in range(repeats)
        ]
        for key in sides:
            later[key] = statistics.median(one[key] for one in rounds)
    for title, found in (("first run", first), ("later runs", later)):
        before, after = found["without"], found["with"]
        each = 1000 / len(plain)
        print(
            f"{len(plain)} {name}, {title}: {before:.1f} s of processor without plus cases, "
            f"{after:.1f} s with them; {before * each:.1f} and {after * each:.1f} ms each "
            f"({100 * (after / before - 1):+.0f} %)"
        )


def measure(programs: Sequence[Program], cache: Path, settings: JudgeSettings) -> float:
    """Seconds of processor time that judging programs uses, with what `cache` keeps."""
    with mock.patch("sigil_eval.kept.cache_folder", lambda: cache):
        began = sum(processor_seconds())
        measure_ours(programs, settings)
        return sum(processor_seconds()) - began


if __name__ == "__main__":
    main()
