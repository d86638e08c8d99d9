"""`sigil-eval sweep` from end to end, with the demo's base and checkpoints between it and its
adapter: what it draws is what single runs draw, and what it refuses."""

from __future__ import annotations

import json
import shutil
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from few_problems import write_problems
from results_fixture import validate
from sigil_eval import sweep
from sigil_eval.cli import main
from sigil_eval.generation import Trust
from sigil_eval.problems import load_problem_set
from sigil_eval.sweep import SweepSettings

DEMO = Path(__file__).resolve().parents[2] / "demo" / "models"
STEPS = (500, 1000, 12000)


def make_checkpoints(folder: Path) -> Path:
    """Adapters with a growing share of what the demo's adapter adds to its base."""
    from safetensors.torch import load_file, save_file

    weights = load_file(DEMO / "adapter" / "adapter_model.safetensors")
    for place, step in enumerate(STEPS, 1):
        share = place / len(STEPS)
        made = {k: (v * share if "lora_B" in k else v).contiguous() for k, v in weights.items()}
        target = folder / f"checkpoint-{step}"
        target.mkdir(parents=True)
        save_file(made, target / "adapter_model.safetensors", metadata={"format": "pt"})
        shutil.copy(DEMO / "adapter" / "adapter_config.json", target)
        config = json.loads((target / "adapter_config.json").read_text())
        config["base_model_name_or_path"] = str(DEMO / "base")
        (target / "adapter_config.json").write_text(json.dumps(config))
    return folder


def options(output: Path) -> list[str]:
    """What all of these commands are given: among others a part of the problems."""
    problems = [p for p in load_problem_set("humaneval-rust").problems if not p.crates]
    return [
        *write_problems(output.parent / "problems.jsonl", problems[::5]),
        "--base-model", str(DEMO / "base"), "--device", "cpu", "--num-samples", "1",
        "--k-values", "1", "--no-policy-only", "--output-dir", str(output),
        "--provision-state", str(output.parent), "--no-strict",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_sweep_gives_what_single_runs_give(tmp_path: Path) -> None:
    run = make_checkpoints(tmp_path / "run")
    half = run / "checkpoint-13000"
    shutil.copytree(run / "checkpoint-500", half)
    (half / "adapter_config.json").unlink()  # as while it is written
    out = tmp_path / "swept"
    assert main(["sweep", str(run), *options(out)]) == 0
    metrics: dict[str, Any] = json.loads((out / "no-policy/metrics.json").read_text())
    validate(metrics, "metrics")
    assert list(metrics["models"]) == ["base", *(f"checkpoint-{step}" for step in STEPS)]
    assert metrics["sweep"]["best"] == "checkpoint-12000"
    metadata = json.loads((out / "eval_metadata.json").read_text())
    validate(metadata, "eval_metadata")
    assert list(metadata["models"]) == list(metrics["models"])
    for step in (500, 12000):
        alone = tmp_path / f"alone-{step}"
        checkpoint = str(run / f"checkpoint-{step}")
        words = ["run", "--skip-base", "--checkpoint-path", checkpoint, *options(alone)]
        assert main(words) == 0
        for swept, single in (
            ("samples/checkpoint-{}.jsonl", "samples/finetuned.jsonl"),
            ("no-policy/checkpoint-{}_results.jsonl", "no-policy/finetuned_model_results.jsonl"),
        ):
            assert (out / swept.format(step)).read_bytes() == (alone / single).read_bytes()
    # Once more: nothing is drawn or judged again, and the files stay as they are.
    before = {path: path.read_bytes() for path in out.rglob("*_results.jsonl")}
    assert main(["sweep", str(run), *options(out)]) == 0
    assert {path: path.read_bytes() for path in out.rglob("*_results.jsonl")} == before
    assert json.loads((out / "eval_metadata.json").read_text())["scoring"]["judged"] == 0


def test_an_adapter_of_another_base_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_checkpoints(tmp_path / "run")
    shutil.copytree(DEMO / "base", tmp_path / "other")
    (tmp_path / "other" / "generation_config.json").write_text("{}")
    config = run / "checkpoint-1000" / "adapter_config.json"
    told = json.loads(config.read_text()) | {"base_model_name_or_path": str(tmp_path / "other")}
    config.write_text(json.dumps(told))
    assert main(["sweep", str(run), *options(tmp_path / "out")]) == 2
    assert "checkpoint-1000 was trained on " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_folder_without_checkpoints_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run").mkdir()
    assert main(["sweep", str(tmp_path / "run"), *options(tmp_path / "out")]) == 2
    assert "holds no folder checkpoint-N" in capsys.readouterr().err
    (tmp_path / "run" / "checkpoint-5").mkdir()
    assert main(["sweep", str(tmp_path / "run"), *options(tmp_path / "out")]) == 2
    assert "no checkpoint is whole" in capsys.readouterr().err


def test_checkpoints_are_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "POLL_SECONDS", 0.02)
    made = make_checkpoints(tmp_path / "made")
    run = tmp_path / "run"
    run.mkdir()

    def train() -> None:
        for step in STEPS:
            target = run / f"checkpoint-{step}"
            target.mkdir()
            for name in ("adapter_model.safetensors", "adapter_config.json"):
                time.sleep(0.1)
                shutil.copy(made / f"checkpoint-{step}" / name, target)

    wanted = SweepSettings(
        [str(run)], str(DEMO / "base"), None, None, Trust(), lambda _: None, watch_seconds=2.0
    )  # type: ignore[arg-type, return-value]
    training = threading.Thread(target=train)
    training.start()
    rounds = [[c.step for c in found.checkpoints] for found in sweep._rounds(wanted)]
    training.join()
    assert rounds == [[500], [500, 1000], [500, 1000, 12000]]
