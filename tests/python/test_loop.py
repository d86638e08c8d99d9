"""The loop, from crates to a report: with real cargo, real steps and a real judge; the registry is
a stub."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from results_fixture import validate
from sigil_eval.cli import main
from sigil_eval.files import read_json, read_jsonl
from test_dataset_make import Registry, registry  # noqa: F401 - a fixture
from training_cases import BASE

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = [
    "loop", "crates.txt", "train.yml", "--val-share", "0.5", "--device", "cpu", "--seed", "1",
    "--num-samples", "1", "--k-values", "1", "--max-new-tokens", "32", "--no-policy-only",
    "--no-strict", "--provision-state", ".",
]  # fmt: skip
SAMPLING = ["--num-samples", "1", "--max-new-tokens", "32", "--seed", "1", "--device", "cpu"]


def write_inputs(folder: Path, **changes: object) -> Path:
    """A list of crates, and a configuration of two steps that reads what is made of them."""
    (folder / "crates.txt").write_text("tiny@1.0.0\nother@1.0.0\n", encoding="utf-8")
    told = {
        "model_name": str(BASE),
        "dataset": {"names": ["local:data/train.jsonl"], "min_length": 1},
        "max_seq_len": 512,
        "bnb_4bit": None,
        "lora": {"r": 4, "alpha": 4},
        "train": {
            "micro_batch_size": 1, "gradient_accumulation": 1, "num_steps": 2, "save_every": 1,
            "logging_steps": 1, "warmup_steps": 1, "lr": 5e-3, "optimizer": "adamw_torch",
        },
        "misc": {"output_dir": "out"},
        **changes,
    }  # fmt: skip
    (folder / "train.yml").write_text(yaml.safe_dump(told), encoding="utf-8")
    return folder


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """A command in a process of its own, in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "sigil_eval.cli", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def said_by(process: subprocess.Popen[str]) -> str:
    """What it prints; it must succeed."""
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    return said


def completions(samples: Path) -> list[str]:
    """What a model wrote."""
    return [row["completion"] for _, row in read_jsonl(samples)]


@pytest.fixture
def made(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: F811
    """A folder with the inputs, where the crates have been read already: a process of its own has
    no stub for a registry."""
    folder = tmp_path / "loop"
    folder.mkdir()
    monkeypatch.chdir(write_inputs(folder))
    words = ["--output-dir", "data", "--val-share", "0.5", "--seed", "1"]
    assert main(["dataset", "make", "crates.txt", *words]) == 0
    return folder


@pytest.mark.slow
def test_a_loop_that_was_killed_ends_as_its_commands_do(made: Path, tmp_path: Path) -> None:
    by_hand = shutil.copytree(made, tmp_path / "by hand")
    said_by(start(by_hand, "train", "train.yml", "--device", "cpu"))

    running = start(made, *COMMAND)
    while running.poll() is None and not (made / "out/checkpoint-1/training.json").exists():
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert not (made / "loop_results/samples").exists()
    said = said_by(start(made, *COMMAND))
    assert f"going on from {Path('out/checkpoint-1')}, 1 of 2 steps" in said
    places = [said.index(f"{number} of 4: ") for number in range(1, 5)]
    assert places == sorted(places)
    assert "Training data: clean" in said

    for step in (1, 2):
        weights = Path(f"out/checkpoint-{step}/adapter_model.safetensors")
        assert (made / weights).read_bytes() == (by_hand / weights).read_bytes()
    words = ["generate", "--checkpoint", "out/checkpoint-2", "--output", "alone.jsonl"]
    said_by(start(by_hand, *words, *SAMPLING))
    drawn = made / "loop_results/samples/checkpoint-2.jsonl"
    assert completions(drawn) == completions(by_hand / "alone.jsonl")

    metadata = read_json(made / "loop_results/eval_metadata.json")
    validate(metadata, "eval_metadata")
    assert list(metadata["models"]) == ["base", "checkpoint-1", "checkpoint-2"]
    phases = ["making data", "checking data", "training", "proof", "generation base"]
    assert list(metadata["durations"]["phases"])[:5] == phases
    assert metadata["durations"]["invocations"] == 1
    known = metadata["training_data"]
    assert (known["files"], known["tasks"]) == (["train.jsonl"], [])
    validate(read_json(made / "data/dataset_check.json"), "dataset_check")
    assert (made / "loop_results/report.html").is_file()


def test_what_can_be_checked_is_checked_beforehand(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(made.rglob("*"))
    assert main([*COMMAND, "--check"]) == 0
    said = capsys.readouterr().out
    assert "2 crates, into data\n2 steps of training, into out\n" in said
    assert "judging with rustc" in said
    assert sorted(made.rglob("*")) == before


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"dataset": {"names": ["local:data/rows.jsonl"]}},
            "data/rows.jsonl: no such file",
        ),
        (
            {"dataset": {"names": ["local:a/train.jsonl", "parquet:b/train.parquet"]}},
            "train.yml: dataset.names must have the rows that are made once, as "
            "local:FOLDER/train.jsonl or parquet:FOLDER/train.parquet, and has 2 such",
        ),
        ({"model_name": "no/such/base"}, "no/such"),
        ({"max_seq_len": 10**6}, "max_seq_len is 1000000"),
        ({"learning_rat": 1}, "learning_rat is no key of a training configuration"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(
    changes: dict[str, object],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(write_inputs(tmp_path, **changes))
    assert main(COMMAND) in (2, 3)
    assert reason in " ".join(capsys.readouterr().err.split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["crates.txt", "train.yml"]


def test_samples_too_few_for_k_and_a_list_that_is_none_are_refused_beforehand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(write_inputs(tmp_path))
    assert main([*COMMAND, "--k-values", "10"]) == 2
    assert "pass@10 needs at least 10 samples" in capsys.readouterr().err
    (tmp_path / "crates.txt").write_text("tiny\n", encoding="utf-8")
    assert main(COMMAND) == 2
    assert "crates.txt:1: 'tiny' is no crate at a version" in capsys.readouterr().err
    assert not (tmp_path / "loop_results").exists()
