"""A model that was found and can be asked: what it is by content, and how its prompts are put."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sigil_eval.documents.training import TRAINING_FILE
from sigil_eval.errors import UsageError
from sigil_eval.files import read_json
from sigil_eval.generation.loading import chat_template
from sigil_eval.generation.model_files import ModelFiles
from sigil_eval.generation.models import ResolvedModel, resolve_model
from sigil_eval.generation.prompting import choose_tokenizer
from sigil_eval.generation.protocol import NO_PROMPTING, ModelSpec, Prompting, Revisions
from sigil_eval.prompts import ChatTemplate, prompt_template_sha256, resolve_prompt_mode


@dataclass(frozen=True)
class Prepared:
    """A model as it was asked for (`name`), and what an engine needs to draw from it.

    `prompt_mode` is "chat" or "completion". `model` and `tokenizer` are None where a file or a
    server has them.
    """

    name: str
    prompt_mode: str
    revisions: Revisions
    template: ChatTemplate | None = None
    model: ResolvedModel | None = None
    tokenizer: Any = field(default=None, repr=False)
    prompting: Prompting = NO_PROMPTING


def prepare_model(spec: ModelSpec, prompt_mode: str) -> Prepared:
    """Find a model's files, and settle how it is prompted; no weights are loaded.

    Raises UsageError and PreflightError as `resolve_model` and `choose_tokenizer` do; UsageError,
    too, for an adapter that was trained to be asked in another way than mode `auto` would.
    """
    model = resolve_model(spec)
    tokenizer, prompting = choose_tokenizer(spec, model, prompt_mode)
    template = chat_template(tokenizer)
    mode = resolve_prompt_mode(prompt_mode, template)
    if prompt_mode == "auto" and model.adapter is not None:
        _check_form(model.adapter, mode, template)
    return Prepared(
        name=spec.name,
        prompt_mode=mode,
        revisions=model.revisions,
        template=template,
        model=model,
        tokenizer=tokenizer,
        prompting=prompting,
    )


def _check_form(adapter: ModelFiles, mode: str, template: ChatTemplate | None) -> None:
    """Hold the way of asking to the one that the adapter's training recorded, if it did."""
    record = adapter.folder / TRAINING_FILE
    trained = read_json(record).get("prompt") if record.exists() else None
    if not isinstance(trained, dict) or "template_sha256" not in trained:
        return
    if trained["template_sha256"] != prompt_template_sha256(mode, template):
        how = trained.get("mode")
        what = "with another chat template" if how == mode else f"in prompt mode {how}"
        raise UsageError(
            f"{adapter.name} was trained {what} ({TRAINING_FILE}), and would be asked as its base "
            f"is, in {mode}. Say which is meant: --prompt-mode completion or --prompt-mode chat"
        )
