#!/usr/bin/env python3
"""Memory and time of `sigil-eval score` as a file of samples grows, over one set of programs.

python benchmarks/scoring/scale.py --samples 1000,10000,100000
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from corpus import mixed_programs

from sigil_eval.files import write_jsonl
from sigil_eval.problems import load_problem_set

# The memory of the harness alone; that of rustc and of the programs has limits of its own.
SCORE = """
import resource, sys
from sigil_eval.cli import main
status = main(["score", sys.argv[1], "--timeout", "2", "--k", "1", "--allow-partial"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, file=sys.stderr)
sys.exit(status)
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--samples", default="1000,10000,100000", metavar="N,N,…")
    parser.add_argument("--programs", type=int, default=400, metavar="N")
    options = parser.parse_args()
    problems = load_problem_set("humaneval-rust")
    programs = list(mixed_programs(problems, options.programs))
    for count in map(int, options.samples.split(",")):
        rows = (
            {"task_id": program.problem.task_id, "completion": program.code}
            for program in itertools.islice(itertools.cycle(programs), count)
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "samples.jsonl"
            write_jsonl(path, rows)
            seconds, megabytes = measure(path)
        print(f"{count:7} samples  {seconds:7.1f} s  {megabytes:5} MB at most")


def measure(path: Path) -> tuple[float, int]:
    """Seconds and peak resident megabytes of scoring a file."""
    began = time.monotonic()
    finished = subprocess.run(
        [sys.executable, "-c", SCORE, str(path)],
        env={**os.environ, "PYTHONPATH": sys.path[0]},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=True,
    )
    return time.monotonic() - began, int(finished.stderr.split()[-1])


if __name__ == "__main__":
    main()
