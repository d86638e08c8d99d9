"""Small trainings of the demo's base: their data and configurations."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from demo_models import MODELS, ROOT
from sigil_eval.problems import load_problem_set

BASE = MODELS / "base"
ANSWER = "    return true;\n}\n"
CANARY = "a_word_of_the_training_data"


def row(prompt: str, answer: str, **more: Any) -> dict[str, Any]:
    """A row of training data."""
    return {"prompt": prompt, "gen": answer, **more}


def lessons() -> list[dict[str, Any]]:
    """Rows that the demo's base can learn in a few steps: 16 prompts, to all of which it is to say
    the same."""
    lines = (ROOT / "demo/lessons.jsonl").read_text(encoding="utf-8").split("\n")
    prompts = [json.loads(line)["prompt"] for line in lines if line]
    return [row(f"// {CANARY}\n{prompt}", ANSWER, _task_type="completion") for prompt in prompts]


def held_out() -> list[dict[str, Any]]:
    """Two rows that are not trained on, and have the same answer."""
    return [
        row(f"// {CANARY} {number}\nfn held_out_{number}() -> bool {{\n", ANSWER, split="val")
        for number in range(2)
    ]


def contaminated() -> list[dict[str, Any]]:
    """The lessons, and an answer of the benchmark's."""
    problem = load_problem_set("humaneval-rust").by_id["HumanEval/0"]
    return [*lessons(), row(problem.prompt, problem.canonical_solution)]


def write_rows(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    """The rows as JSONL."""
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def write_configuration(folder: Path, **changes: Any) -> Path:
    """A configuration for 8 steps on the lessons; `train__lr=1` changes train.lr."""
    told: dict[str, Any] = {
        "model_name": str(BASE),
        "dataset": {"names": [f"local:{folder / 'rows.jsonl'}"], "min_length": 1},
        "max_seq_len": 256,
        "pack": False,
        "lora": {"r": 8, "alpha": 16},
        "train": {
            "micro_batch_size": 2,
            "gradient_accumulation": 2,
            "num_steps": 8,
            "warmup_steps": 1,
            "logging_steps": 2,
            "save_every": 4,
            "lr": 5e-3,
            "optimizer": "adamw_torch",
            "grad_checkpointing": False,
        },
        "bnb_4bit": None,
        "misc": {"output_dir": str(folder / "out")},
    }
    for key, value in changes.items():
        section, _, inner = key.rpartition("__")
        (told[section] if section else told)[inner] = value
    path = folder / "train.yml"
    path.write_text(yaml.safe_dump(told), encoding="utf-8")
    return path
