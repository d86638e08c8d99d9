"""From a problem to samples: prompts, model loading, seeded sampling, and a resumable journal.

`generate` is the way in. `plan` finds the model and makes the prompts; `drawing` draws what the
`journal` lacks, on one device or several (`devices`, `shards`), with one of the `engines`.
What a plan has settled is kept (`settled`), so that a run that lacks nothing loads no tokenizer.
Which model is meant: `models`, with `model_files` and `hub`; how it is prompted: `prompting`.
What draws in this process: `loading`, then `continuous` with its `slots` and `attention`, or
`static`; both keep `drafts`, draw by `sampling` and end by `stopping`. `proof` compares what the
engine `hf` computes with what the model is.
What draws with vLLM: `vllm_engine` here and `vllm_worker` in vLLM's environment, from the weights
that `merged` makes; `vllm_proof` compares what it draws with what `hf` draws.

Importing this package imports none of it but what is asked of it: what draws in another environment
(`vllm_worker`) finds there only what it needs itself. torch and transformers are imported only when
a model is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sigil_eval.generation.engines import EngineOptions
    from sigil_eval.generation.generate import describe_prompting, generate_samples, show_prompt
    from sigil_eval.generation.protocol import (
        GenerationSummary,
        ModelSpec,
        ProgressCallback,
        SamplingParams,
        Trust,
    )
    from sigil_eval.generation.shards import Shard

__all__ = [
    "EngineOptions",
    "GenerationSummary",
    "ModelSpec",
    "ProgressCallback",
    "SamplingParams",
    "Shard",
    "Trust",
    "describe_prompting",
    "generate_samples",
    "show_prompt",
]


def __getattr__(name: str) -> object:
    """What is in `__all__`, from the module that has it."""
    if name in ("describe_prompting", "generate_samples", "show_prompt"):
        module = "generate"
    elif name == "EngineOptions":
        module = "engines"
    elif name == "Shard":
        module = "shards"
    elif name in __all__:
        module = "protocol"
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)
