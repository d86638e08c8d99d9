"""sigil-eval reproduce: an honest run holds, and what was changed is found."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from results_fixture import make_metadata, validate
from sigil_eval.cli import main
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import Row, read_jsonl, sha256_file, write_jsonl
from sigil_eval.generation.keys import SAMPLER_VERSION
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import ProblemSet
from sigil_eval.record.machine import gpus
from sigil_eval.record.software import cuda_version, judge_code_sha256, packages, packages_of
from sigil_eval.reporting.metrics import build_metrics, write_metrics
from sigil_eval.reporting.reports import write_reports
from sigil_eval.reporting.tally import count_correct_but_rejected
from sigil_eval.reproduce import agreement_sentence, faults, reproduce, rescore
from sigil_eval.scoring.score import score_files

ANSWERS = {
    "HumanEval/53": ("    x + y\n}\n", "    x - y\n}\n", "    unsafe { x + y }\n}\n"),
    "HumanEval/23": ("    strings.len() as i32\n}\n", "    nonsense\n}\n", "I cannot help."),
}


@pytest.fixture(scope="module")
def scored(judge: Judge, humaneval: ProblemSet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of two models with three answers to two problems."""
    folder = tmp_path_factory.mktemp("run")
    names = {"base": "base_model", "finetuned": "finetuned_model"}
    for label in names:
        write_jsonl(
            folder / "samples" / f"{label}.jsonl",
            (
                {"task_id": task, "completion": answer}
                for task, answers in ANSWERS.items()
                for answer in answers
            ),
        )
    samples = {names[label]: folder / "samples" / f"{label}.jsonl" for label in names}
    score_files(samples, humaneval, folder, judge)
    conditions = judge.fingerprint() | {
        "clippy_required": False,
        "code_sha256": judge_code_sha256(),
    }

    def results(mode: str) -> dict[str, Path]:
        return {label: folder / mode / f"{name}_results.jsonl" for label, name in names.items()}

    rejected = {label: count_correct_but_rejected(p) for label, p in results("no-policy").items()}
    for mode in ("no-policy", "policy"):
        metrics = build_metrics(
            mode, results(mode), humaneval, [1, 3],
            correct_but_rejected=rejected, judge=conditions,
        )  # fmt: skip
        write_metrics(folder / mode / "metrics.json", metrics)
    files = [*samples.values(), *results("no-policy").values(), *results("policy").values()]
    metadata = make_metadata(
        files={str(path.relative_to(folder)): sha256_file(path) for path in files},
        packages=packages(),
        models={"base": {"name": "org/model", "revision": "1" * 40}},
    )
    (folder / "eval_metadata.json").write_text(json.dumps(metadata))
    return folder


@pytest.fixture
def run(scored: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may spoil."""
    for path in scored.rglob("*.json*"):
        target = tmp_path / path.relative_to(scored)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    return tmp_path


def change(path: Path, number: int, **changes: Any) -> None:
    rows: list[Row] = [row for _, row in read_jsonl(path)]
    rows[number] |= changes
    write_jsonl(path, rows)


def test_honest_verdicts_are_given_again(run: Path, judge: Judge, humaneval: ProblemSet) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    found = rescore(run, humaneval, judge, seed=1, count=100)
    assert (found["samples"], found["agree"], found["disagreements"]) == (12, 12, [])
    assert found["low"] == pytest.approx(0.025 ** (1 / 12), abs=1e-6)
    assert "12 of 12 results drawn at random" in agreement_sentence(found)
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    validate(make_metadata(rescored=found), "eval_metadata")


def test_chance_picks_the_results_by_the_seed(
    run: Path, judge: Judge, humaneval: ProblemSet
) -> None:
    flipped = {"passed": False, "outcome": "failed", "error_type": "assertion_failure"}
    change(run / "no-policy/base_model_results.jsonl", 0, **flipped)
    counts = [
        rescore(run, humaneval, judge, seed=seed, count=6)["agree"] for seed in (0, 0, 1, 2, 3, 4)
    ]
    assert counts[0] == counts[1]
    assert set(counts) == {5, 6}


@pytest.mark.parametrize("mode", ["no-policy", "policy"])
def test_a_verdict_that_was_changed_is_found(
    run: Path, judge: Judge, humaneval: ProblemSet, mode: str
) -> None:
    change(run / mode / "finetuned_model_results.jsonl", 1, passed=True, outcome="passed")
    found = rescore(run, humaneval, judge, seed=1)
    assert (found["samples"], found["agree"]) == (12, 11)
    (complaint,) = found["disagreements"]
    assert f"{mode}/finetuned_model_results.jsonl, HumanEval/53, sample 1" in complaint
    assert "outcome, passed" in complaint


def test_samples_without_a_verdict_are_not_judged_again(
    run: Path, judge: Judge, humaneval: ProblemSet
) -> None:
    missing = {"outcome": "infrastructure", "passed": False, "error_type": "infra_sandbox"}
    for mode in ("no-policy", "policy"):
        change(run / mode / "base_model_results.jsonl", 0, **missing)
    missing_in_policy_alone = run / "policy/finetuned_model_results.jsonl"
    change(missing_in_policy_alone, 2, **missing)
    found = rescore(run, humaneval, judge, seed=1)
    assert (found["samples"], found["agree"], found["undecided"]) == (10, 10, 1)


def test_a_finished_run_is_reproduced_and_its_reports_say_so(run: Path) -> None:
    assert main(["reproduce", str(run), "--samples", "5", "--seed", "3"]) == 0
    found = json.loads((run / "reproduction.json").read_text())
    validate(found, "reproduction")
    assert {check["state"] for check in found["files"]} == {"same"}
    assert len(found["files"]) == 6 + 2
    states = {check["what"]: check["state"] for check in found["pins"]}
    for what in ("rustc", "crates", "problem set, sha256", "errata, sha256", "packages",
                 "code of the judge, sha256"):  # fmt: skip
        assert states[what] == "same", what
    # The metadata is that of a machine with an H100, and its model is not here.
    assert states["GPU"] == "differs" or gpus()
    assert states["model, base: org/model"] == "unknown"
    write_reports(run)
    summary = (run / "combined_summary.md").read_text()
    assert "| Judged again to reproduce it | holds | 5 of 5 verdicts agree |" in summary


@pytest.mark.parametrize(
    ("held", "state", "here"),
    [
        ({}, "unknown", "neither a folder here nor in the hub's cache"),
        ({"1" * 40: b"weights"}, "same", "1" * 40),
        ({"1" * 40: b"w"}, "differs", "damaged: model.safetensors"),
        ({"2" * 40: b"weights"}, "unknown", "neither a folder here nor in the hub's cache"),
    ],
)
def test_a_model_of_the_hub_is_checked_in_its_cache(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: dict[str, bytes], state: str,
    here: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    for commit, weights in held.items():
        snapshot = tmp_path / "cache" / "models--org--model" / "snapshots" / commit
        content = snapshot.parents[1] / "blobs" / hashlib.sha256(b"weights").hexdigest()
        for folder in (snapshot, content.parent):
            folder.mkdir(parents=True)
        content.write_bytes(weights)
        (snapshot / "model.safetensors").symlink_to(content)
        (snapshot / "config.json").write_text("{}")
    main(["reproduce", str(run), "--samples", "1"])
    pins = json.loads((run / "reproduction.json").read_text())["pins"]
    found = next(check for check in pins if check["what"] == "model, base: org/model")
    assert (found["state"], found["here"]) == (state, here)


@pytest.mark.parametrize(
    ("recorded", "state"),
    [({}, "unknown"), ({"sampler": None}, "unknown"), ({"sampler": 1}, "differs"),
     ({"sampler": SAMPLER_VERSION}, "same")],
)  # fmt: skip
def test_the_sampler_that_drew_the_answers_is_compared_with_ours(
    run: Path, recorded: dict[str, Any], state: str
) -> None:
    path = run / "eval_metadata.json"
    metadata = json.loads(path.read_text())
    metadata["models"]["base"] |= recorded
    path.write_text(json.dumps(metadata))
    assert main(["reproduce", str(run), "--samples", "0"]) == 0
    pins = json.loads((run / "reproduction.json").read_text())["pins"]
    assert [c["state"] for c in pins if c["what"] == "sampler, base"] == [state]


def test_the_packages_of_vllm_are_compared_with_those_here(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run / "eval_metadata.json"
    metadata = json.loads(path.read_text())
    monkeypatch.setenv("SIGIL_VLLM_PYTHON", sys.executable)
    metadata["vllm_packages"] = packages_of(Path(sys.executable))
    path.write_text(json.dumps(metadata))
    states = []
    for python in (sys.executable, "/nowhere/python"):
        monkeypatch.setenv("SIGIL_VLLM_PYTHON", python)
        assert main(["reproduce", str(run), "--samples", "0"]) == 0
        pins = json.loads((run / "reproduction.json").read_text())["pins"]
        states += [c["state"] for c in pins if c["what"] == "packages of vLLM"]
    assert states == ["same", "differs"]


@pytest.mark.parametrize(
    ("driver", "state", "here"),
    [("580.1", "same", "the same samples"), ("550.9", "differs", "maybe others: GPU")],
)
def test_batch_invariant_samples_can_be_drawn_again_on_the_same_gpu(
    run: Path, driver: str, state: str, here: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = run / "eval_metadata.json"
    metadata = json.loads(path.read_text())
    gpu = {"name": "H100", "memory": "80 GB", "driver": "580.1", "capability": "9.0"}
    metadata |= {"gpus": [gpu], "packages": packages(), "cuda": cuda_version()}
    metadata["models"]["base"] |= {"sampler": SAMPLER_VERSION, "batch_invariant": True}
    path.write_text(json.dumps(metadata))
    monkeypatch.setattr("sigil_eval.record.machine.gpus", lambda: [gpu | {"driver": driver}])
    assert main(["reproduce", str(run), "--samples", "0"]) == 0
    pins = json.loads((run / "reproduction.json").read_text())["pins"]
    assert [(c["state"], c["here"]) for c in pins if c["what"] == "drawn again, base"] == [
        (state, here)
    ]
    assert not [c for c in pins if c["what"] == "drawn again, finetuned"]


def test_a_run_with_older_metadata_can_be_checked(run: Path) -> None:
    metadata = json.loads((run / "eval_metadata.json").read_text()) | {"schema_version": 2}
    del metadata["accepted_deviations"]
    (run / "eval_metadata.json").write_text(json.dumps(metadata))
    assert main(["reproduce", str(run), "--samples", "0"]) == 0
    assert main(["compare", str(run)]) == 0


def test_a_changed_file_fails_and_spoils_the_reports(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(run / "no-policy/base_model_results.jsonl", 1, passed=True, outcome="passed")
    assert main(["reproduce", str(run), "--samples", "0"]) == 3
    shown = capsys.readouterr()
    assert "differs: no-policy/base_model_results.jsonl" in shown.out
    assert "no-policy/metrics.json" in shown.err
    assert "Nothing was judged again." in shown.out
    for path in write_reports(run):
        assert "files changed" in path.read_text().lower(), path


def test_a_missing_file_and_a_changed_metric_are_faults(run: Path) -> None:
    (run / "samples/base.jsonl").unlink()
    metrics = json.loads((run / "policy/metrics.json").read_text())
    metrics["models"]["base"]["samples"]["passed"] += 1
    (run / "policy/metrics.json").write_text(json.dumps(metrics))
    lines = "\n".join(faults(reproduce(run, samples=0)))
    assert "samples/base.jsonl" in lines
    assert "missing" in lines
    assert "policy/metrics.json" in lines
    assert "no-policy" not in lines


def test_programs_that_ran_without_a_sandbox_are_not_run_again(run: Path) -> None:
    for path in run.glob("*/metrics.json"):
        metrics = json.loads(path.read_text())
        metrics["judge"]["sandbox"] = "none"
        path.write_text(json.dumps(metrics))
    with pytest.raises(PreflightError, match="ran without a sandbox"):
        reproduce(run, samples=5)


def test_a_run_that_recorded_nothing_cannot_be_checked(run: Path) -> None:
    (run / "eval_metadata.json").unlink()
    with pytest.raises(UsageError, match=r"there is no eval_metadata\.json"):
        reproduce(run, samples=0)
