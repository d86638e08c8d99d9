"""With which tokenizer, and so with which chat template, a model is prompted.

Alone it is its own. Where two models are compared, the comparison is of their weights: both are
prompted with the base's, and what the other one brings is put on record. Where the base's cannot
stand in for it, because it numbers tokens otherwise, the comparison is refused.
"""

from __future__ import annotations

import json
from typing import Any

from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_text
from sigil_eval.generation.loading import chat_template, load_tokenizer
from sigil_eval.generation.model_files import ModelFiles
from sigil_eval.generation.models import ResolvedModel, resolve_files
from sigil_eval.generation.protocol import ModelSpec, Prompting
from sigil_eval.prompts import prompt_template_sha256


def choose_tokenizer(spec: ModelSpec, model: ResolvedModel, mode: str) -> tuple[Any, Prompting]:
    """The tokenizer to prompt a model with in prompt mode `mode`, and its record.

    Raises UsageError where a model is to be prompted as its base and cannot be.
    """
    own = load_tokenizer(model)
    base = prompted_as(spec, model)
    brings = model.adapter or model.base
    if base is None or not brings.has_tokenizer or brings == base:
        return own, Prompting(tokenizer_sha256(own))
    shared = load_tokenizer(ResolvedModel(base, None))
    numbers = own.get_vocab()
    if any(numbers.get(token) != number for token, number in shared.get_vocab().items()):
        raise UsageError(
            f"{brings.name} and {base.name} bring tokenizers that number tokens otherwise, so they "
            f"cannot be prompted alike. Is {base.name} its base? To evaluate one alone, with what "
            "it brings: --skip-base or --skip-finetuned"
        )
    used, brought = (_template_sha256(mode, tokenizer) for tokenizer in (shared, own))
    hashes = tokenizer_sha256(shared), tokenizer_sha256(own)
    differ = ["chat template"] if used != brought else []
    differ += ["tokenizer"] if hashes[0] != hashes[1] else []
    note = None
    if differ:
        what = " and ".join(differ)
        note = f"prompted as {base.name}: {brings.name} brings another {what}, which is not used"
    return shared, Prompting(*hashes, brought, note)


def prompted_as(spec: ModelSpec, model: ResolvedModel) -> ModelFiles | None:
    """The base whose tokenizer is to be taken instead of the model's own."""
    if not spec.prompt_as_base or spec.checkpoint is None:
        return None
    if model.adapter is not None or spec.base is None:
        return model.base
    return resolve_files(spec.base, spec.base_revision, spec.trust)  # a whole model made from it


def _template_sha256(mode: str, tokenizer: Any) -> str:
    return prompt_template_sha256(
        "auto" if mode != "completion" else mode, chat_template(tokenizer)
    )


def tokenizer_sha256(tokenizer: Any) -> str:
    """Of what decides a text's tokens; padding and truncation, which nothing here uses, do not."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    content = json.loads(backend.to_str()) if backend is not None else tokenizer.get_vocab()
    rest = {name: value for name, value in content.items() if name not in ("padding", "truncation")}
    special = [tokenizer.bos_token, tokenizer.eos_token]
    return sha256_text(json.dumps([rest, special], sort_keys=True))
