"""From a problem to samples: prompts, model loading, seeded sampling, and a resumable journal.

`generate` is the way in. `plan` finds the model and makes the prompts; `drawing` draws what the
`journal` lacks, on one device or several (`devices`, `shards`), with one of the `engines`.
Which model is meant: `models`, with `model_files` and `hub`; how it is prompted: `prompting`.
What draws in this process: `loading`, then `continuous` with its `slots` and `attention`, or
`static`; both keep `drafts`, draw by `sampling` and end by `stopping`. `proof` compares what the
default engine computes with what the model is.

Importing this package is cheap: torch and transformers are imported only when a model is used.
"""

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
