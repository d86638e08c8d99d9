"""All that is known of a training before a weight is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sigil_eval.console import mention, warn
from sigil_eval.documents.dataset_check import DatasetCheck
from sigil_eval.errors import UsageError
from sigil_eval.generation.loading import chat_template, load_tokenizer
from sigil_eval.generation.models import ResolvedModel
from sigil_eval.generation.prompting import tokenizer_sha256
from sigil_eval.generation.protocol import EngineInfo
from sigil_eval.prompts import ChatTemplate, prompt_template_sha256, resolve_prompt_mode
from sigil_eval.training.clean import check_sources
from sigil_eval.training.configuration import Configuration
from sigil_eval.training.hardware import (
    count_parameters,
    gpu_name,
    hardware_for,
    refuse_what_never_ends,
)
from sigil_eval.training.mixing import mix
from sigil_eval.training.model import find_models
from sigil_eval.training.rows import Source, rows_of
from sigil_eval.training.tokens import TOO_LONG, Form, Tokens, tokenize


@dataclass(frozen=True)
class Prepared:
    """Models, machine and data.

    `tokens` has the rows by source, `data` those of an epoch, a `datasets.Dataset`. `prompt_mode`
    is "chat" or "completion".
    """

    model: ResolvedModel
    parameters: int
    hardware: EngineInfo
    gpu: str | None
    tokenizer: Any
    tokenizer_sha256: str
    prompt_mode: str
    template_sha256: str
    sources: Sequence[Source]
    check: DatasetCheck | None
    tokens: Sequence[Tokens]
    data: Any


def prepare(
    told: Configuration,
    sources: Sequence[Source],
    *,
    device: str,
    prompt_mode: str,
    most_too_long: float,
    allow_contaminated: bool,
) -> Prepared:
    """Find the models, choose the hardware, read the data.

    Raises UsageError for what does not go together, where the benchmark is in the data and that is
    not allowed, and where a larger share of the rows than `most_too_long` is longer than
    max_seq_len; PreflightError for what this machine lacks.
    """
    model = find_models(told)
    hardware = hardware_for(told, device)
    parameters = count_parameters(model.base)
    refuse_what_never_ends(told, hardware, parameters)
    _check_context(told, model)
    check = check_sources(sources, allow_contaminated=allow_contaminated)
    tokenizer = load_tokenizer(ResolvedModel(model.base, None))
    template = chat_template(tokenizer)
    mode = _mode(prompt_mode, template)
    tokens = _read(told, sources, Form(tokenizer, template if mode == "chat" else None))
    _refuse_too_many_too_long(told, tokens, most_too_long)
    return Prepared(
        model=model,
        parameters=parameters,
        hardware=hardware,
        gpu=gpu_name(hardware),
        tokenizer=tokenizer,
        tokenizer_sha256=tokenizer_sha256(tokenizer),
        prompt_mode=mode,
        template_sha256=prompt_template_sha256(mode, template),
        sources=sources,
        check=check,
        tokens=tokens,
        data=mix(tokens, told),
    )


def _check_context(told: Configuration, model: ResolvedModel) -> None:
    context = model.base.config().get("max_position_embeddings")
    if isinstance(context, int) and told.max_seq_len > context:
        raise UsageError(
            f"max_seq_len is {told.max_seq_len}, and {told.model_name} reads at most {context} "
            "tokens; set it lower"
        )


def _mode(asked: str, template: ChatTemplate | None) -> str:
    mode, usual = resolve_prompt_mode(asked, template), resolve_prompt_mode("auto", template)
    if mode != usual:
        warn(
            f"rows are put in prompt mode {mode}; an evaluation asks in {usual}, unless it is told "
            f"--prompt-mode {mode}"
        )
    return mode


def _read(told: Configuration, sources: Sequence[Source], form: Form) -> list[Tokens]:
    """The rows of each source in tokens."""
    read = []
    for source in sources:
        found = tokenize(rows_of(source, told.dataset), form, told.dataset, told.max_seq_len)
        _say_what_is_used(source, found)
        read.append(found)
    return read


def _say_what_is_used(source: Source, tokens: Tokens) -> None:
    mention(f"{source.name}: {len(tokens.tasks)} of {tokens.rows} rows are trained on")
    for reason, rows in sorted(tokens.left_out.items()):
        mention(f"    left out: {rows}, {reason}")


def _refuse_too_many_too_long(told: Configuration, tokens: Sequence[Tokens], most: float) -> None:
    too_long = sum(one.left_out[TOO_LONG] for one in tokens)
    rows = sum(one.rows for one in tokens)
    if too_long > most * rows:
        enough = min(1.0, int(100 * too_long / rows + 1) / 100)
        raise UsageError(
            f"{too_long} of {rows} rows ({too_long / rows:.1%}) are longer than max_seq_len, "
            f"{told.max_seq_len} tokens, and would be left out; {most:.1%} may be. Set max_seq_len "
            f"higher, or allow it: --most-too-long {enough}"
        )
