"""From a problem to samples: prompts, model loading, seeded sampling, and a resumable journal.

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
