"""Prove that vLLM draws here what the engine of this process draws, with the same noise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sigil_eval.errors import PreflightError
from sigil_eval.generation.continuous import HFEngine
from sigil_eval.generation.keys import sample_key
from sigil_eval.generation.loading import load_tokenizer
from sigil_eval.generation.merged import weights_folder
from sigil_eval.generation.models import ResolvedModel
from sigil_eval.generation.pool import load_model
from sigil_eval.generation.protocol import EngineInfo, Request, Sample, SamplingParams
from sigil_eval.generation.vllm_engine import VLLMEngine
from sigil_eval.problems import load_problem_set

_PROBLEMS, _SAMPLES = 10, 2
# A temperature at which another noise would give other answers to nearly every request.
_PARAMS = SamplingParams(temperature=1.0, max_new_tokens=48)
# Of the answers, how many must be the same in half precision, where each engine rounds in its own
# order, and a draw between two nearly equal tokens can fall differently. In float32 all must be.
_SHARE = 0.75


def prove_vllm(python: Path, model: ResolvedModel, info: EngineInfo) -> str:
    """Draw answers with both, compare them, and say what came of it.

    Raises PreflightError where vLLM does not run here or draws otherwise.
    """
    tokenizer = load_tokenizer(model)
    requests = [
        Request(problem.task_id, index, problem.prompt, problem.prompt, key)
        for problem in load_problem_set("humaneval-rust").problems[:_PROBLEMS]
        for index in range(_SAMPLES)
        for key in [sample_key(1, "proof", problem.task_id, index)]
    ]
    ours: list[Sample] = []
    size = len(requests)
    loaded = load_model(model, info)
    HFEngine(loaded, tokenizer, _PARAMS, info, batch_size=size).generate(requests, ours.append)
    theirs: list[Sample] = []
    with weights_folder(model, info) as folder:
        engine = VLLMEngine(
            python, folder, tokenizer, _PARAMS, replace(info, attention="vllm"), batch_size=size
        )
        engine.generate(requests, theirs.append)
    same = len(set(ours) & set(theirs))
    said = f"{same} of {size} answers are those of hf, on {info.device} in {info.dtype}"
    if same < size * (1.0 if info.dtype == "float32" else _SHARE):
        raise PreflightError(f"vLLM draws otherwise than it should: {said}")
    return said
