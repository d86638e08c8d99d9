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
from sigil_eval.training.mixing import mix, together
from sigil_eval.training.model import find_models
from sigil_eval.training.rows import Source, rows_of
from sigil_eval.training.tokens import TOO_LONG, Form, Tokens, tokenize


@dataclass(frozen=True)
class Prepared:
    """Models, machine and data.

    `tokens` has the rows by source, `held_out` those that are not trained on; `data` are the rows
    of an epoch, a `datasets.Dataset`, and `held_out_data` what is held out, None where nothing is.
    `prompt_mode` is "chat" or "completion".
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
    held_out: Sequence[Tokens]
    data: Any
    held_out_data: Any


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
    model, hardware, parameters = model_and_machine(told, device)
    check = check_sources(sources, allow_contaminated=allow_contaminated)
    tokenizer = load_tokenizer(ResolvedModel(model.base, None))
    template = chat_template(tokenizer)
    mode = _mode(prompt_mode, template)
    form = Form(tokenizer, template if mode == "chat" else None)
    tokens, held_out = _read(told, sources, form)
    _refuse_too_many_too_long(told, [*tokens, *held_out], most_too_long)
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
        held_out=held_out,
        data=mix(tokens, told),
        held_out_data=together(held_out),
    )


def model_and_machine(told: Configuration, device: str) -> tuple[ResolvedModel, EngineInfo, int]:
    """The models, what they are computed on, and how many parameters the base has: what can be
    known, and refused, before there are data. Raises as `prepare`."""
    model = find_models(told)
    hardware = hardware_for(told, device)
    parameters = count_parameters(model.base)
    refuse_what_never_ends(told, hardware, parameters)
    _check_context(told, model)
    return model, hardware, parameters


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


def _read(
    told: Configuration, sources: Sequence[Source], form: Form
) -> tuple[list[Tokens], list[Tokens]]:
    """The rows of each source in tokens: those that are trained on, and those that are held out."""

    def read(source: Source, held_out: bool) -> Tokens:
        rows = (row for row in rows_of(source, told.dataset) if row.held_out == held_out)
        return tokenize(rows, form, told.dataset, told.max_seq_len)

    both = [(read(source, False), read(source, True)) for source in sources]
    for source, (tokens, held_out) in zip(sources, both, strict=True):
        _say_what_is_used(source, tokens, held_out)
    return [tokens for tokens, _ in both], [held_out for _, held_out in both]


def _say_what_is_used(source: Source, tokens: Tokens, held_out: Tokens) -> None:
    rows, kept = tokens.rows + held_out.rows, len(held_out.tasks)
    held = f", {kept} are held out" if kept else ""
    mention(f"{source.name}: {len(tokens.tasks)} of {rows} rows are trained on{held}")
    for reason, rows in sorted((tokens.left_out + held_out.left_out).items()):
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
