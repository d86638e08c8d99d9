#!/usr/bin/env python3
"""What an evaluation shows of a training on the benchmark's own answers.

16 problems with their reference answers are the training data of the demo's base: short ones, which
a model of 0.8 million parameters can learn, but not the shortest, which it knows. `sigil-eval`
checks them, trains, and evaluates, all on a CPU, with the same scores each time.

    python benchmarks/dataset/remembered.py out/remembered
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from sigil_eval.files import write_jsonl
from sigil_eval.problems import load_problem_set

ROOT = Path(__file__).resolve().parents[2]
BASE = ROOT / "demo/models/base"
PLANTED, STEPS = slice(16, 32), 100  # by the length of their answers
NOT_CLEAN = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="a new one: data, checkpoint and report go there")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True)
    plant(folder / "train.jsonl")
    (folder / "train.yml").write_text(yaml.safe_dump(configuration(folder)), encoding="utf-8")
    sigil_eval("dataset", "check", folder / "train.jsonl", ends_with=NOT_CLEAN)
    sigil_eval("train", folder / "train.yml", "--device", "cpu", "--allow-contaminated")
    sigil_eval(
        "run", "--base-model", BASE, "--checkpoint-path", folder / f"out/checkpoint-{STEPS}",
        "--device", "cpu", "--num-samples", "5", "--k-values", "1", "--demo",
        "--output-dir", folder / "results",
    )  # fmt: skip


def plant(data: Path) -> None:
    """Rows with problems of the benchmark and their answers."""
    problems = load_problem_set("humaneval-rust").problems
    planted = sorted(problems, key=lambda problem: len(problem.canonical_solution))[PLANTED]
    write_jsonl(data, ({"prompt": p.prompt, "gen": p.canonical_solution} for p in planted))


def configuration(folder: Path) -> dict[str, object]:
    """A training that sees each row a few dozen times."""
    return {
        "model_name": str(BASE),
        "dataset": {
            "names": [f"local:{folder / 'train.jsonl'}"], "min_length": 1, "shuffle_seed": 1,
        },
        "max_seq_len": 1024,
        "bnb_4bit": None,
        "lora": {"r": 16, "alpha": 32, "dropout": 0.0},
        "train": {
            "micro_batch_size": 4, "gradient_accumulation": 1, "num_steps": STEPS,
            "save_every": STEPS, "logging_steps": 10, "warmup_steps": 5, "lr": 5e-3,
            "optimizer": "adamw_torch", "grad_checkpointing": False,
        },
        "misc": {"output_dir": str(folder / "out")},
    }  # fmt: skip


def sigil_eval(*words: object, ends_with: int = 0) -> None:
    """A command, of this checkout."""
    command = [sys.executable, "-m", "sigil_eval.cli", *map(str, words)]
    print("$ sigil-eval", *words, flush=True)
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT / "src")})
    if ended.returncode != ends_with:
        sys.exit(f"exit code {ended.returncode}, expected {ends_with}")


if __name__ == "__main__":
    main()
