"""What is put on record of a model and of the way its samples were drawn."""

from __future__ import annotations

from pathlib import Path

from sigil_eval.documents.metadata import ModelRecord
from sigil_eval.generation.protocol import GenerationSummary, ModelSpec
from sigil_eval.provisioned import checkout


def model_record(spec: ModelSpec, summary: GenerationSummary) -> ModelRecord:
    """The record of a model whose samples are all there."""
    return {
        "name": name_on_record(spec.base or ""),
        "revision": summary.model_revision,
        "adapter": None if spec.checkpoint is None else name_on_record(spec.checkpoint),
        "adapter_revision": summary.adapter_revision,
        "dtype": summary.dtype,
        "attention": summary.attention,
        "device": summary.device,
        "engine": summary.engine,
        "sampler": summary.sampler,
        "quantization": summary.quantization,
        "batch_invariant": summary.batch_invariant,
        "samples": summary.samples,
        "truncated": summary.truncated,
        "prompt_mode": summary.prompt_mode,
        "prompt_template_sha256": summary.prompt_template_sha256,
        "tokenizer_sha256": summary.prompting.tokenizer_sha256,
        "own_prompt_template_sha256": summary.prompting.own_template_sha256,
        "own_tokenizer_sha256": summary.prompting.own_tokenizer_sha256,
        "prompting": summary.prompting.note,
    }


def name_on_record(model: str) -> str:
    """A folder of the checkout by its path there, anything else as it is."""
    root = checkout()
    return str(Path(model).relative_to(root)) if Path(model).is_relative_to(root) else model
