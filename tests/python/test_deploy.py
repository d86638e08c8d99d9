"""What starts a run elsewhere: Slurm's jobs, with Slurm's variables, and files that others read."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from work import write_work

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PARTS = 4  # of six samples, so that they are not of one size


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """The environment of a job that draws by reading what was drawn before, without a model."""
    samples, problems = write_work(tmp_path, 6)
    command = tmp_path / "sigil-eval"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m sigil_eval.cli "$@"\n')
    command.chmod(0o755)
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "SLURM_SUBMIT_DIR": str(ROOT),
        "SLURM_ARRAY_TASK_COUNT": str(PARTS),
        "NODE_STORAGE": str(tmp_path / "node"),
        "SIGIL_EVAL": str(command),
        "PROBLEM_OPTIONS": f"--problem-file {problems}",
        "DRAW_OPTIONS": "--engine replay",
        "BASE_MODEL": str(samples),
        "CHECKPOINT_PATH": str(samples),
        "NUM_SAMPLES": "6",
        "OUTPUT_DIR": str(tmp_path / "results"),
    }


def job(name: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """A job's script, as a node of Slurm's runs it."""
    return subprocess.run(
        ["bash", str(DEPLOY / "slurm" / name)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def completions(path: Path) -> list[str]:
    return [json.loads(line)["completion"] for line in path.read_text().split("\n") if line]


def test_the_parts_of_an_array_are_scored_as_the_whole(
    slurm: dict[str, str], tmp_path: Path
) -> None:
    for part in range(1, PARTS + 1):
        ended = job("draw.sbatch", {**slurm, "SLURM_ARRAY_TASK_ID": str(part)})
        assert ended.returncode == 0, ended.stderr
        shown = re.findall(r"generating \w+: (\d+)/(\d+)", ended.stderr)
        assert shown and shown[-1][0] == shown[-1][1], ended.stderr
    ended = job("score.sbatch", slurm)
    assert ended.returncode == 0, ended.stderr
    scores = json.loads((tmp_path / "results" / "no-policy" / "metrics.json").read_text())
    assert list(scores["models"]) == ["base", "finetuned"]
    drawn = tmp_path / "results" / "drawn" / "base.jsonl"
    assert completions(drawn) == completions(Path(slurm["BASE_MODEL"]))
    assert scores["models"]["base"]["samples"]["passed"] == 4


def test_outside_a_job_the_script_says_so(slurm: dict[str, str]) -> None:
    del slurm["SLURM_SUBMIT_DIR"]
    ended = job("draw.sbatch", slurm)
    assert ended.returncode != 0
    assert "see its first lines" in ended.stderr


def sky_task() -> dict[str, Any]:
    task: dict[str, Any] = yaml.safe_load((DEPLOY / "sky.yaml").read_text())
    return task


def test_the_task_of_skypilot_is_one_of_its_own_schema() -> None:
    """`sky.schema.json` is what skypilot 0.14.1 checks tasks by; docs/scaling.md says how it is
    made."""
    schema = json.loads((DEPLOY / "sky.schema.json").read_text())
    jsonschema.validate(sky_task(), schema["task"])
    jsonschema.validate(sky_task()["resources"], schema["resources"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**sky_task(), "nodes": 2}, schema["task"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"gpus": "H100:1"}, schema["resources"])


@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_ray_s_own_launcher_takes_the_cluster_file() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    cluster = yaml.safe_load((DEPLOY / "ray" / "cluster.yaml").read_text())
    validate_config(prepare_config(cluster))
    (head,) = cluster["head_start_ray_commands"]
    assert '--autoscaling-config="$HOME/ray_bootstrap_config.yaml"' in head, "no other node starts"


@pytest.mark.parametrize("arguments", [[], ["join"], ["lead"], ["stay", "a:1", "b"]])
def test_a_node_is_told_what_it_is(arguments: list[str]) -> None:
    ended = subprocess.run(
        ["bash", str(DEPLOY / "ray" / "node.sh"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "usage: bash deploy/ray/node.sh head | join HOST:PORT | stay HOST:PORT" in ended.stderr
