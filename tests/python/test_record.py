"""eval_metadata.json: its schema, what it records, and that secrets stay out."""

from __future__ import annotations

import json
import platform
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from results_fixture import make_metadata, make_problem_set, validate
from sigil_eval.files import sha256_file
from sigil_eval.record.deviations import Deviation, read_deviations
from sigil_eval.record.durations import durations_of, read_steps
from sigil_eval.record.machine import gpus, machine
from sigil_eval.record.metadata import Outcome, Request, Tools, collect_metadata
from sigil_eval.record.software import git_state, judge_code_sha256, rustc_version
from sigil_eval.redaction import RECORDED_VARIABLES, REMOVED
from sigil_eval.reporting.sections.environment import environment_table

SECRET = "hf_" + "A1b2C3d4" * 4


REQUEST = Request(
    command=["python", "scripts/evaluate_humaneval.py", "--num-samples", "2"],
    arguments={"num_samples": 2, "k_values": [1, 2], "output_dir": Path("out")},
    seeds={"generation": 1234},
)
TOOLS = Tools(checkout=Path("/nowhere"), rustc=Path("/nowhere/rustc"), sandbox="firejail")
OUTCOME = Outcome(
    models={
        "base": {"name": "demo/base", "tokens": 17, "prompt_template_sha256": "d" * 64},
        "finetuned": {"name": "demo/base", "prompt_template_sha256": "e" * 64},
    }
)
PHASES = {"generate base": 2.5, "score": 1.0}


def collect(
    request: Request = REQUEST,
    outcome: Outcome = OUTCOME,
    checkout: Path = TOOLS.checkout,
    state: Path | None = None,
) -> dict[str, Any]:
    collected = collect_metadata(
        request,
        replace(TOOLS, checkout=checkout),
        make_problem_set(3),
        durations_of(PHASES, 1, read_steps(state)),
        outcome,
    )
    metadata: dict[str, Any] = json.loads(json.dumps(collected))
    validate(metadata, "eval_metadata")
    return metadata


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(
        ["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True
    )


def test_the_judge_s_code_is_known_by_its_content(tmp_path: Path) -> None:
    scoring = tmp_path / "scoring"
    (scoring / "rust").mkdir(parents=True)
    (scoring / "judge.py").write_text("a")
    hashes = [judge_code_sha256(tmp_path)]
    (scoring / "judge.pyc").write_text("no source")
    assert judge_code_sha256(tmp_path) == hashes[0]
    (scoring / "rust/runtime.rs").write_text("b")
    hashes.append(judge_code_sha256(tmp_path))
    (scoring / "rust/runtime.rs").rename(scoring / "runtime.rs")
    hashes.append(judge_code_sha256(tmp_path))
    assert len(set(hashes)) == 3


def test_metadata_follows_its_schema_and_says_what_is_here() -> None:
    metadata = collect()
    assert metadata["python"]["version"] == platform.python_version()
    assert "pytest" in metadata["packages"]
    assert metadata["machine"]["usable_cores"] >= 1
    assert metadata["arguments"]["output_dir"] == "out"
    assert metadata["models"]["base"]["tokens"] == 17
    assert metadata["durations"]["total_seconds"] == 3.5
    assert metadata["git"] is None
    assert metadata["cost"] is None
    assert metadata["prompt_template_sha256"] == "d" * 64


def test_the_packages_of_vllm_are_recorded_where_it_drew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIGIL_VLLM_PYTHON", sys.executable)
    assert collect()["vllm_packages"] is None
    drawn = Outcome(models={"base": {"name": "b", "engine": "vllm"}})
    found = collect(outcome=drawn)["vllm_packages"]
    assert found["pytest"] == version("pytest")
    monkeypatch.setenv("SIGIL_VLLM_PYTHON", "/nowhere/python")
    assert collect(outcome=drawn)["vllm_packages"] is None
    recorded = {"vllm_packages": {"numpy": "2.2.6", "torch": "2.10.0", "vllm": "0.19.1"}}
    shown = environment_table(make_metadata(**recorded)).rows
    assert ["In vLLM's environment", "vllm 0.19.1, torch 2.10.0"] in shown


def test_the_fixture_of_the_report_tests_follows_the_schema() -> None:
    validate(make_metadata(), "eval_metadata")


def test_no_secret_gets_in_by_any_door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "BASE_MODEL"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("OUTPUT_DIR", "https://user:pa55word@example.org/x")
    (tmp_path / "deviations.tsv").write_text(f"hub\twanted\tgot {SECRET}\tnone\n")
    request = replace(
        REQUEST,
        command=["python", "x.py", "--hf-token", "plainsecret1", f"--api-key={SECRET}", SECRET],
        arguments={"hf_token": "plainsecret2", "nested": {"password": "plainsecret3"}},
    )
    outcome = Outcome(
        models={"base": {"name": f"https://me:{SECRET}@hub/x"}},
        proof=make_metadata()["proof"] | {"sandbox": [SECRET]},
        deviations=read_deviations(tmp_path),
    )
    metadata = collect(request, outcome)
    text = json.dumps(metadata)
    for secret in (SECRET, "plainsecret", "pa55word"):
        assert secret not in text
    assert metadata["command"][:3] == ["python", "x.py", "--hf-token"]
    assert metadata["environment"]["BASE_MODEL"] == REMOVED
    assert metadata["environment"]["OUTPUT_DIR"] == "https://[removed]@example.org/x"


def test_numbers_of_tokens_are_no_secrets() -> None:
    command = ["x", "--max-new-tokens", "512", "--seed", "1"]
    metadata = collect(replace(REQUEST, command=command, arguments={"max_new_tokens": 512}))
    assert metadata["arguments"]["max_new_tokens"] == 512
    assert metadata["command"] == ["x", "--max-new-tokens", "512", "--seed", "1"]


def test_only_listed_variables_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEED", "7")
    monkeypatch.setenv("SOMETHING_PRIVATE", "x")
    environment = collect()["environment"]
    assert environment["SEED"] == "7"
    assert set(environment) <= set(RECORDED_VARIABLES)


def test_the_operating_system_is_named_as_its_file_says() -> None:
    named = re.search(
        r'^PRETTY_NAME="?([^"\n]+)', Path("/etc/os-release").read_text(), re.MULTILINE
    )
    assert named is not None and machine()["os"] == named[1]


def test_the_host_is_not_named() -> None:
    metadata = collect()
    del metadata["packages"]
    assert platform.node() not in json.dumps(metadata)


def test_provisioning_state_is_read(tmp_path: Path) -> None:
    (tmp_path / "deviations.tsv").write_text("python\t3.12.11\t3.12.1\tdetails differ\nshort\tx\n")
    (tmp_path / "steps.tsv").write_text(
        "rust\tapplied\t48.5\t2026-11-20T08:00:00Z\nfirejail\tskipped\t0\t2026-11-20T08:00:01Z\n"
    )
    found = [
        *read_deviations(tmp_path),
        Deviation("python", "3.12.11", "3.12.2", "other"),
        Deviation("gpu", "H100", "none", "slow"),
    ]
    metadata = collect(
        replace(REQUEST, price_per_hour=3.0), replace(OUTCOME, deviations=found), state=tmp_path
    )
    assert [item["id"] for item in metadata["deviations"]] == ["python", "short", "gpu"]
    assert metadata["deviations"][0]["actual"] == "3.12.2"
    assert metadata["deviations"][1] == {
        "id": "short",
        "expected": "x",
        "actual": "",
        "consequence": "",
        "accepted": False,
    }
    assert metadata["durations"]["provisioning"][0] == {
        "step": "rust",
        "state": "applied",
        "seconds": 48.5,
        "finished_at": "2026-11-20T08:00:00Z",
    }
    assert metadata["durations"]["total_seconds"] == 52.0
    assert metadata["cost"] == {
        "currency": "USD",
        "price_per_hour": 3.0,
        "hours": round(52 / 3600, 4),
        "gpus": 0,
        "machines": 1,
        "estimate": 0.04,
    }


def test_accepted_deviations_are_on_record_as_accepted(tmp_path: Path) -> None:
    (tmp_path / "deviations.tsv").write_text("a.trainer\tstarts\tdoes not\tnone\nb\tx\ty\tz\n")
    metadata = collect(
        replace(REQUEST, accepted_deviations=("a.trainer", "never.seen")),
        replace(OUTCOME, deviations=read_deviations(tmp_path)),
    )
    assert [(row["id"], row["accepted"]) for row in metadata["deviations"]] == [
        ("a.trainer", True),
        ("b", False),
    ]
    assert metadata["accepted_deviations"] == ["a.trainer", "never.seen"]


def test_only_a_line_feed_ends_a_row(tmp_path: Path) -> None:
    """A message may hold whatever a program has said."""
    said = "one\x0btwo\x0cthree\x1cfour\x85five\u2028six\rseven"
    row = f"rust\trustc 1.95.0\t{said}\tother programs\n"
    (tmp_path / "deviations.tsv").write_bytes(f"{row}python\tx\ty\tz\n".encode())
    found = read_deviations(tmp_path)
    assert [(deviation.id, deviation.actual) for deviation in found] == [
        ("rust", said),
        ("python", "y"),
    ]


@pytest.mark.parametrize("code", [0, 14])
def test_a_gpu_with_a_warning_is_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    fake = tmp_path / "nvidia-smi"
    fake.write_text(
        "#!/bin/sh\n"
        "echo 'NVIDIA H100 80GB HBM3, 81559 MiB, 570.124.06, 9.0'\n"
        "echo 'WARNING: infoROM is corrupted at gpu 0000:07:00.0, see the manual, page 1, line 2'\n"
        f"exit {code}\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert [gpu["name"] for gpu in gpus()] == ["NVIDIA H100 80GB HBM3"]
    fake.write_text("#!/bin/sh\necho 'Unable to talk to the driver, a, b, c'\nexit 9\n")
    assert gpus() == []


def test_git_state_tells_commit_and_dirt(tmp_path: Path) -> None:
    assert git_state(tmp_path) is None
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "one")
    state = git_state(tmp_path)
    assert state is not None and len(state["commit"]) == 40 and state["dirty"] is False
    (tmp_path / "a").write_text("2")
    dirty = git_state(tmp_path)
    assert dirty == {"commit": state["commit"], "dirty": True}
    validate(collect(checkout=tmp_path), "eval_metadata")


def test_a_folder_inside_a_checkout_is_not_taken_for_one(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "commit", "-qm", "one", "--allow-empty")
    (tmp_path / "unpacked").mkdir()
    assert git_state(tmp_path / "unpacked") is None


def test_lock_file_is_hashed(tmp_path: Path) -> None:
    assert collect(checkout=tmp_path)["lock"] is None
    lock = tmp_path / "requirements" / "eval.lock"
    lock.parent.mkdir()
    lock.write_text("a==1\n")
    recorded = collect(checkout=tmp_path)["lock"]
    assert recorded == {"path": "eval.lock", "sha256": sha256_file(lock)}


def test_missing_and_failing_tools_are_no_error(tmp_path: Path) -> None:
    assert rustc_version(tmp_path / "rustc") is None
    fake = tmp_path / "rustc"
    fake.write_text("#!/bin/sh\necho 'rustc 1.95.0 (x)'\necho 'host: here'\n")
    fake.chmod(0o755)
    assert rustc_version(fake) == {"version": "rustc 1.95.0 (x)", "host": "here"}
    fake.write_text("#!/bin/sh\nexit 3\n")
    assert rustc_version(fake) is None


def test_a_step_counts_once_with_the_time_it_was_applied(tmp_path: Path) -> None:
    (tmp_path / "steps.tsv").write_text(
        "venv\tfailed\t9\tt0\nvenv\tapplied\t30\tt1\nvenv\tskipped\t0\tt2\nrust\tskipped\t0\tt2\n"
    )
    steps = [(step["step"], step["seconds"]) for step in read_steps(tmp_path)]
    assert steps == [("venv", 30.0), ("rust", 0.0)]
