"""A model that was found and can be asked: what it is by content, and how its prompts are put."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sigil_eval.generation.loading import chat_template
from sigil_eval.generation.models import ResolvedModel, resolve_model
from sigil_eval.generation.prompting import choose_tokenizer
from sigil_eval.generation.protocol import NO_PROMPTING, ModelSpec, Prompting, Revisions
from sigil_eval.prompts import ChatTemplate, resolve_prompt_mode


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

    Raises UsageError and PreflightError as `resolve_model` and `choose_tokenizer` do.
    """
    model = resolve_model(spec)
    tokenizer, prompting = choose_tokenizer(spec, model, prompt_mode)
    template = chat_template(tokenizer)
    return Prepared(
        name=spec.name,
        prompt_mode=resolve_prompt_mode(prompt_mode, template),
        revisions=model.revisions,
        template=template,
        model=model,
        tokenizer=tokenizer,
        prompting=prompting,
    )
