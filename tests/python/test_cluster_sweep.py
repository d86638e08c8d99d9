"""`sigil-eval sweep --ray`: what real nodes on this machine draw and judge of a base and its
checkpoints is what one machine does."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from few_problems import write_problems
from results_fixture import validate
from sigil_eval.cli import main
from sigil_eval.problems import load_problem_set
from test_sweep_run import DEMO, make_checkpoints

if TYPE_CHECKING:
    from nodes import Nodes


@pytest.fixture
def nodes() -> Iterator[Nodes]:
    """Three, of one CPU each."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    from nodes import Nodes  # before Ray is imported: it sets what Ray then reads

    with Nodes() as cluster:
        for _ in range(3):
            cluster.add()
        yield cluster


def files(output: Path) -> dict[str, bytes]:
    """All that a sweep has found, by name; not what tells when, how long and where."""
    timed = ("eval_metadata.json", "combined_summary.md", "comparison_report.md", "report.html")
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file() and not path.name.startswith(".") and path.name not in timed
    }


def told(report: Path) -> list[str]:
    """What a report says of the models; not when, how long, on what, and how to do it again."""
    text = report.read_text(encoding="utf-8").partition("\n## Why the verdicts")[0]
    return [line for line in text.split("\n") if not line.startswith("| device |")]


@pytest.mark.slow
def test_a_sweep_on_a_cluster_is_that_of_one_machine(nodes: Nodes, tmp_path: Path) -> None:
    run = make_checkpoints(tmp_path / "run")
    shutil.rmtree(run / "checkpoint-500")
    problems = [p for p in load_problem_set("humaneval-rust").problems if not p.crates]
    words = [
        "sweep", str(run), *write_problems(tmp_path / "problems.jsonl", problems[::16]),
        "--base-model", str(DEMO / "base"), "--device", "cpu", "--num-samples", "2",
        "--k-values", "1", "--provision-state", str(tmp_path), "--price-per-hour", "3",
    ]  # fmt: skip
    one, three = tmp_path / "one" / "swept", tmp_path / "three" / "swept"
    assert main([*words, "--output-dir", str(one)]) == 0
    assert main([*words, "--output-dir", str(three), "--ray", nodes.address]) == 0

    found = files(one)
    assert {"samples/base.jsonl", "policy/checkpoint-12000_results.jsonl"} < found.keys()
    assert {"no-policy/metrics.json", "policy/metrics.json"} < found.keys()
    assert files(three) == found
    for report in ("no-policy/comparison_report.md", "policy/comparison_report.md"):
        assert told(three / report) == told(one / report)
    metadata: dict[str, Any] = json.loads((three / "eval_metadata.json").read_text())
    validate(metadata, "eval_metadata")
    assert [node["state"] for node in metadata["cluster"]["nodes"]] == ["working"] * 3
    assert metadata["cost"]["machines"] == 3
    assert "cpu × 3 on a cluster" in json.dumps(metadata["models"], ensure_ascii=False)
