"""A whole run, with samples from a file instead of a model: what it refuses and what it records."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from few_problems import write_problems
from results_fixture import validate
from sigil_eval.cli import main
from sigil_eval.files import write_jsonl
from sigil_eval.problems import ProblemSet
from sigil_eval.record.deviations import deviations_of_generation

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def request_(tmp_path: Path, humaneval: ProblemSet) -> list[str]:
    """The arguments of a run that scores one reference answer to each of a few problems."""
    few = [problem for problem in humaneval.problems if not problem.crates][::40]
    write_jsonl(
        tmp_path / "answers.jsonl",
        ({"task_id": one.task_id, "completion": one.canonical_solution} for one in few),
    )
    return [
        "run", "--engine", "replay", "--base-model", str(tmp_path / "answers.jsonl"),
        *write_problems(tmp_path / "problems.jsonl", few),
        "--skip-finetuned", "--num-samples", "1", "--k-values", "1",
        "--output-dir", str(tmp_path / "out"), "--provision-state", str(tmp_path),
    ]  # fmt: skip


def metadata_of(folder: Path) -> dict[str, Any]:
    metadata: dict[str, Any] = json.loads((folder / "eval_metadata.json").read_text())
    validate(metadata, "eval_metadata")
    return metadata


def test_a_strict_run_goes_on_with_what_is_accepted_and_says_so(
    tmp_path: Path, request_: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deviations.tsv").write_text("sigilderg.trainer\tstarts\tdoes not\tnone\n")
    accepted = ["--accepted-deviations", "sigilderg.trainer, device"]
    assert main([*request_, "--strict", *accepted]) == 0
    metadata = metadata_of(tmp_path / "out")
    assert [(row["id"], row["accepted"]) for row in metadata["deviations"]] == [
        ("sigilderg.trainer", True),
        ("device", True),
    ]
    assert metadata["accepted_deviations"] == ["sigilderg.trainer", "device"]
    assert metadata["durations"]["invocations"] == 1
    assert "accepted: sigilderg.trainer, device" in capsys.readouterr().out
    assert main([*request_, "--strict", "--accepted-deviations", "sigilderg.trainer"]) == 3
    # Lenient, nothing is refused, and the list still tells which were expected.
    assert main([*request_, "--no-strict", "--accepted-deviations", "device"]) == 0
    again = metadata_of(tmp_path / "out")
    assert [row["accepted"] for row in again["deviations"]] == [False, True]
    assert again["durations"]["invocations"] == 2


def test_a_run_takes_problems_of_ones_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = {
        "task_id": "Mine/0",
        "prompt": "/// One more.\nfn next(x: i32) -> i32 {\n",
        "canonical_solution": "    x + 1\n}\n",
        "test": "#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() {\n"
        "        assert_eq!(super::next(1), 2);\n    }\n}\n",
        "entry_point": "next",
    }
    write_jsonl(tmp_path / "problems.jsonl", [own])
    answers = [{"task_id": "Mine/0", "completion": own["canonical_solution"]}]
    write_jsonl(tmp_path / "answers.jsonl", answers)
    problems = ["--problem-file", str(tmp_path / "problems.jsonl")]
    made = main(
        [
            "run", "--engine", "replay", "--base-model", str(tmp_path / "answers.jsonl"),
            "--skip-finetuned", "--num-samples", "1", "--k-values", "1", *problems, "--json",
            "--output-dir", str(tmp_path / "out"), "--provision-state", str(tmp_path),
        ]
    )  # fmt: skip
    assert made == 0
    found = json.loads(capsys.readouterr().out)
    assert found["metrics"]["policy"]["models"]["base"]["pass_at_k"]["1"]["mean"] == 1
    assert "Mine/0" in (tmp_path / "out" / "report.html").read_text()
    assert main(["reproduce", str(tmp_path / "out"), *problems]) == 0
    assert main(["reproduce", str(tmp_path / "out")]) == 2
    assert "--problem-file" in capsys.readouterr().err


def test_a_run_can_be_checked_beforehand(
    tmp_path: Path, request_: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Everything that a run refuses is refused, and nothing is written."""
    models = REPOSITORY / "demo" / "models"
    check = [
        "run", "--check", "--base-model", str(models / "base"), "--device", "cpu",
        "--checkpoint-path", str(models / "adapter"), "--num-samples", "1", "--k-values", "1",
        "--output-dir", str(tmp_path / "out"), "--provision-state", str(tmp_path),
    ]  # fmt: skip
    assert main(check) == 0
    said = capsys.readouterr().out
    assert "generating on cpu in float32, attention sdpa" in said
    assert "base: demo/models/base, prompts of " in said
    assert "finetuned: demo/models/adapter, prompts of " in said
    assert "judging with rustc " in said
    assert main([*check, "--strict"]) == 3
    assert "device: expected cuda, found cpu" in capsys.readouterr().err
    assert main([*check, "--strict", "--accepted-deviations", "device"]) == 0
    assert main([*check, "--checkpoint-path", str(tmp_path / "none")]) == 2
    assert main([*check, "--k-values", "2"]) == 2
    assert not (tmp_path / "out").exists()


def test_attention_by_torch_on_a_gpu_is_a_deviation_once() -> None:
    flash, plain = ("cuda", "flash_attention_2"), ("cuda:0,cuda:1", "sdpa")
    assert deviations_of_generation([flash, ("cuda", "vllm")], []) == []
    found = deviations_of_generation([flash, plain], [])
    assert [deviation.id for deviation in found] == ["pytorch.flash-attn"]
    assert deviations_of_generation([plain], found) == []
    on_cpu = deviations_of_generation([("cpu", "sdpa")], [])
    assert [deviation.id for deviation in on_cpu] == ["device"]


def test_invocations_that_were_killed_count(tmp_path: Path, request_: list[str]) -> None:
    state = tmp_path / "out/.run-state.json"
    started = subprocess.Popen(
        [sys.executable, "-m", "sigil_eval.cli", *request_],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
        stdout=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not state.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        started.send_signal(signal.SIGKILL)
        started.wait()
    assert json.loads(state.read_text())["phases"] == {}
    assert main(request_) == 0
    durations = metadata_of(tmp_path / "out")["durations"]
    assert durations["invocations"] == 2
    assert durations["phases"]["proof"] > 0
    before = sum(durations["phases"].values())
    assert main(["report", str(tmp_path / "out")]) == 0
    assert sum(metadata_of(tmp_path / "out")["durations"]["phases"].values()) == before


@pytest.mark.parametrize("broken", ["", "[1]", '{"phases": 3}', '{"proof": 1.5}', "\x00"])
def test_a_broken_state_is_begun_anew(tmp_path: Path, broken: str) -> None:
    from sigil_eval.run_folder import PhaseTimes

    (tmp_path / "state").write_text(broken)
    times = PhaseTimes(tmp_path / "state")
    assert (times.invocations, times.seconds) == (1, {})
    assert PhaseTimes(tmp_path / "state").invocations == 2
