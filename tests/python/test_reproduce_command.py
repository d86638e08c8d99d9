"""The lines that repeat a run, and the command that is recorded for them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click
import pytest

from results_fixture import make_metadata
from sigil_eval.cli.chosen import command_line
from sigil_eval.reporting.reproduce_command import (
    DRIVER,
    SETUP_SWITCHES,
    SETUP_VARIABLES,
    reproduce_command,
)

REPOSITORY = Path(__file__).resolve().parents[2]
CLONED = [
    "git clone https://github.com/Superuser666-Sigil/SigilDERG-Lambda-Package.git",
    "cd SigilDERG-Lambda-Package",
    f"git checkout {'c' * 40}",
]
SET_UP = ["# the compiler, the sandbox, the packages, and the command sigil-eval"]
SET_UP += ["bash eval_setup.sh --demo"]


@pytest.mark.parametrize(
    ("recorded", "typed"),
    [
        (
            {"command": [*DRIVER, "--num-samples", "10", "--seed=7", "--strict"]},
            ["NUM_SAMPLES=10 SEED=7 bash eval_setup.sh"],
        ),
        (
            {
                "environment": {"PYTHON_VERSION": "3.12.1", "LANG": "C"},
                "command": [
                    *DRIVER, "--base-model", "a b", "--output-dir", "x", "--accepted-deviations",
                    "", "--no-strict", "--allow-no-sandbox",
                ],
            },
            [
                "PYTHON_VERSION=3.12.1 BASE_MODEL='a b' ACCEPTED_DEVIATIONS='' SKIP_ENV_CHECK=1 "
                "ALLOW_NO_SANDBOX=1 bash eval_setup.sh"
            ],
        ),
        (
            {"command": [*DRIVER, "--k-values", "1,5", "--demo", "--no-strict"]},
            ["K_VALUES=1,5 bash eval_setup.sh --demo"],
        ),
        (
            {
                "command": [*DRIVER, "--engine", "vllm", "--strict"],
                "models": {"base": {"name": "b", "engine": "vllm"}},
            },
            ["WITH_VLLM=1 ENGINE=vllm bash eval_setup.sh"],
        ),
        (
            {"command": [*DRIVER, "sweep", "run/", "last/checkpoint-9", "--headline", "plus"]},
            ["CHECKPOINTS='run/ last/checkpoint-9' HEADLINE=plus bash eval_setup.sh"],
        ),
        (
            {
                "command": [
                    *DRIVER, "loop", "crates.txt", "train.yml", "--val-share", "0.2",
                    "--writer-url", "http://server/v1", "--writer-model", "m", "--demo",
                    "--no-strict",
                ],
            },
            [
                "CRATES=crates.txt TRAIN_CONFIG=train.yml VAL_SHARE=0.2 "
                "WRITER_URL=http://server/v1 WRITER_MODEL=m bash eval_setup.sh --demo --loop"
            ],
        ),
        (
            {"command": [*DRIVER, "--temperature", "1.0"], "environment": {}},
            [*SET_UP, "python scripts/evaluate_humaneval.py --temperature 1.0"],
        ),
        (
            {
                "environment": {"BASE_MODEL": "a b", "LANG": "C"},
                "command": ["sigil-eval", "run", "--output-dir=out", "--engine", "replay"],
            },
            [*SET_UP, "BASE_MODEL='a b' sigil-eval run --engine replay"],
        ),
        (
            {
                "environment": {},
                "command": [
                    "sigil-eval", "score", "b.jsonl", "/of/mine/t.jsonl", "--name", "b", "--name",
                    "my model", "--policy-only",
                ],
                "arguments": {"samples": ["b.jsonl", "/of/mine/t.jsonl"]},
                "models": {"base": {"name": "b"}, "finetuned": {"name": "my model"}},
            },
            [
                *SET_UP,
                "# the folder of these results, wherever it is now",
                "RESULTS=/path/to/results",
                'sigil-eval score --policy-only "$RESULTS"/samples/base.jsonl --name b '
                "\"$RESULTS\"/samples/finetuned.jsonl --name 'my model'",
            ],
        ),
    ],
)  # fmt: skip
def test_a_run_is_repeated_on_a_machine_that_has_nothing(
    recorded: dict[str, Any], typed: list[str]
) -> None:
    assert reproduce_command(make_metadata(**recorded)).split("\n") == [*CLONED, *typed]


def test_what_a_clone_does_not_have_is_said() -> None:
    dirty = make_metadata(git={"commit": "c" * 40, "dirty": True})
    assert "# there were changes besides" in reproduce_command(dirty)
    assert "# which commit it was is not on record" in reproduce_command(make_metadata(git=None))


def test_all_that_the_setup_calls_the_driver_with_is_known() -> None:
    """Else its own run would be repeated by hand."""
    called = (REPOSITORY / "lib/evaluation.sh").read_text().split("driver_command() {")[1]
    options = set(re.findall(r"--[a-z][a-z-]+", called.split("\n}")[0]))
    assert options == SETUP_VARIABLES.keys() | SETUP_SWITCHES.keys()


def test_the_command_is_recorded_as_in_a_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    ctx = click.Context(click.Command("run"))
    typed = ["run", "--base-model", str(REPOSITORY / "demo/models/base"), "--config", "x.toml"]
    monkeypatch.setattr("sys.argv", ["/usr/bin/sigil-eval", *typed, "--config=y", "--demo"])
    assert command_line(ctx) == ["sigil-eval", "run", "--base-model", "demo/models/base", "--demo"]
    monkeypatch.setattr("sys.argv", [str(REPOSITORY / DRIVER[1]), "--demo"])
    assert command_line(ctx) == [*DRIVER, "--demo"]
