"""Nodes of unlike kinds: a run is done by those of one, and says which it has left out."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import chain, repeat, takewhile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from sleeper import Sleeper

from sigil_eval.cluster.crew import Crew
from sigil_eval.cluster.draw import _settled_kind
from sigil_eval.cluster.order import Done, Order
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation import EngineOptions, ModelSpec, SamplingParams, generate_samples
from sigil_eval.generation.plan import Job, Plan, plan_for
from sigil_eval.problems import ProblemSet

if TYPE_CHECKING:
    from nodes import Nodes

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def nodes() -> Iterator[Nodes]:
    """One of each of two kinds."""
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed")
    from nodes import Nodes  # before Ray is imported: it sets what Ray then reads

    found = [str(ROOT / "benchmarks" / "scaling"), os.environ.get("PYTHONPATH", "")]
    with Nodes() as cluster:
        for kind in ("bfloat16", "float32"):
            cluster.add({"SLEEPER_KIND": kind, "PYTHONPATH": ":".join(filter(None, found))})
        yield cluster


def work(address: str, kind: str | None) -> dict[str, str]:
    """Have something done, until a node is left out; why each was, by its name."""
    with Crew(Order(address, Sleeper, pickle.dumps(0.1), kind=kind)) as crew:

        def left_out() -> dict[str, str]:
            return {n.name: n.reason for n in crew.nodes.values() if n.state == "left out"}

        more = takewhile(lambda _: not left_out(), repeat(bytes(8), 600))
        tasks = chain([bytes(8)], more)
        assert [m for m in crew.work(tasks) if isinstance(m, Done)]
        return left_out()


@pytest.mark.parametrize(("kind", "other"), [("bfloat16", "float32"), ("float32", "bfloat16")])
def test_nodes_of_another_kind_than_the_run_s_get_no_work(
    nodes: Nodes, kind: str, other: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (reason,) = work(nodes.address, kind).values()
    assert reason == f"it works with {other}, the run with {kind}; options settle that for all"
    assert capsys.readouterr().err.count(" is left out: ") == 1


def test_the_first_node_settles_the_kind_where_nothing_else_does(nodes: Nodes) -> None:
    assert len(work(nodes.address, None)) == 1


def test_a_cluster_without_a_node_of_the_kind_ends_the_command(nodes: Nodes) -> None:
    with pytest.raises(PreflightError, match="the run with float16; options settle that for all"):
        work(nodes.address, "float16")


def test_samples_that_are_there_settle_the_kind(tmp_path: Path, humaneval: ProblemSet) -> None:
    model, output = ModelSpec(base=str(ROOT / "demo" / "models" / "base")), tmp_path / "out.jsonl"
    params = SamplingParams(num_samples=1, max_new_tokens=2)

    def plan(**how: str) -> Plan:
        return plan_for(
            Job(model, tuple(humaneval.problems[:1]), params, "auto", EngineOptions(**how))
        )

    if not torch.cuda.is_available():
        assert _settled_kind([plan()], [output]) is None
    assert _settled_kind([plan(device="cpu")], [output]) == "dtype float32 and attention sdpa"
    options = EngineOptions(device="cpu", dtype="bfloat16")
    generate_samples(model, humaneval.problems[:1], params, output, options=options)
    assert _settled_kind([plan()], [output]) == "dtype bfloat16 and attention sdpa"
    with pytest.raises(UsageError, match="dtype was bfloat16, is now float32"):
        _settled_kind([plan(dtype="float32")], [output])
