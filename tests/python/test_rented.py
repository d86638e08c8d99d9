"""What a run is paid for: its GPUs, or machines without one, in progress, record and report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from results_fixture import make_metadata, make_problem_set
from sigil_eval.console import ProgressLine
from sigil_eval.generation.progress import GenerationProgress
from sigil_eval.record.durations import cost, durations_of
from sigil_eval.record.metadata import Outcome, Request, Tools, collect_metadata
from sigil_eval.record.rented import Rented, rented_here
from sigil_eval.reporting.sections.environment import duration_table


@pytest.mark.parametrize(
    ("device", "visible", "rented"),
    [
        ("auto", None, Rented(8, 0)),
        ("cuda", "2,5", Rented(2, 0)),
        ("auto", "", Rented(0, 1)),
        ("cuda:0,cuda:3,cuda:4", None, Rented(3, 0)),
        ("cpu", None, Rented(0, 1)),
    ],
)
def test_a_run_is_paid_for_by_its_gpus(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    device: str,
    visible: str | None,
    rented: Rented,
) -> None:
    fake = tmp_path / "nvidia-smi"
    row = "NVIDIA H100 80GB HBM3, 81559 MiB, 570.124.06, 9.0"
    fake.write_text(f"#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8; do echo '{row}'; done\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert rented_here(device) == rented
    found = cost(3600, 3.0, rented)
    assert found is not None and found["estimate"] == 3.0 * rented.units


def test_a_cluster_is_paid_for_by_the_nodes_that_work() -> None:
    node = {"name": "a", "state": "working", "reason": None, "workers": 26, "gpus": 8}
    nodes: list[Any] = [
        node,
        node,
        {**node, "gpus": 0},
        {**node, "state": "lost"},
        {**node, "state": "left out"},
    ]
    request = Request([], {}, {}, price_per_hour=3.0)
    tools = Tools(Path("/nowhere"), Path("/nowhere/rustc"), "firejail")
    outcome = Outcome({}, cluster={"ray": "2.60.0", "nodes": nodes})
    hour = durations_of({"scoring": 3600.0}, 1)
    found = collect_metadata(request, tools, make_problem_set(3), hour, outcome)["cost"]
    assert found is not None
    assert (found["gpus"], found["machines"], found["estimate"]) == (16, 1, 51.0)


@pytest.mark.parametrize(
    ("gpus", "machines", "told"),
    [
        (8, 0, "$58.20 at 8 GPUs × $2.99 an hour"),
        (0, 3, "$58.20 at 3 machines × $2.99 an hour"),
        (8, 1, "$58.20 at 8 GPUs and 1 machine × $2.99 an hour"),
        (0, 1, "$58.20 at $2.99 an hour"),
    ],
)
def test_what_was_paid_for_is_told(gpus: int, machines: int, told: str) -> None:
    metadata = make_metadata()
    metadata["cost"] |= {"gpus": gpus, "machines": machines, "estimate": 58.2}
    assert f"Estimated cost: {told}." in duration_table(metadata).note


def test_progress_pays_for_all_gpus_while_they_are_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now, rented = 0.0, 8
    line = ProgressLine("generating", 100, clock=lambda: now)
    with line:
        progress = GenerationProgress(line, 3.0, lambda: rented, clock=lambda: now)
        now = 60.0
        progress(1, 100, 50)
        now, rented = 120.0, 4  # a node is lost
        progress(21, 100, 3050)
    shown = capsys.readouterr().err
    assert "$0.40 so far at 8 × $3.00 an hour" in shown
    assert "$0.60 so far at 4 × $3.00 an hour" in shown
