"""Generation from end to end: resolve, prompt, draw what is missing, write the samples file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sigil_eval.errors import UsageError
from sigil_eval.files import Row, dump_row, sha256_file, write_atomic
from sigil_eval.generation.journal import SampleJournal
from sigil_eval.generation.keys import sample_key
from sigil_eval.generation.protocol import (
    Engine,
    EngineInfo,
    GenerationSummary,
    ModelSpec,
    ProgressCallback,
    Request,
    Sample,
    SamplingParams,
)
from sigil_eval.generation.source import ResolvedModel, resolve_model
from sigil_eval.problems import Problem
from sigil_eval.prompts import build_prompt, prompt_sha256, prompt_template_sha256, resolve_mode

ENGINES = ("hf", "replay")
DEFAULT_BATCH_SIZE = 64


@dataclass(frozen=True)
class EngineOptions:
    """How samples are drawn, as asked for; none of it is meant to change what they say but
    `dtype` and `early_stop`, which are compared on resume."""

    engine: str = "hf"
    batch_size: int = DEFAULT_BATCH_SIZE
    device: str = "auto"
    dtype: str = "auto"
    early_stop: bool = True

    def __post_init__(self) -> None:
        """Refuse what does not exist."""
        if self.engine not in ENGINES:
            raise UsageError(f"unknown engine '{self.engine}'; choose one of {', '.join(ENGINES)}")
        if self.batch_size < 1:
            raise UsageError("--batch-size must be at least 1")


@dataclass(frozen=True)
class _Plan:
    """A model found, and the prompt of each problem by task id."""

    name: str
    identity: str
    revision: str
    base_revision: str
    adapter_revision: str | None
    mode: str
    template_sha256: str
    prompts: dict[str, str]
    model: ResolvedModel | None = None
    tokenizer: Any = field(default=None, repr=False)

    def settings(self, params: SamplingParams, options: EngineOptions) -> Row:
        """What decides a sample's text and is known before anything is loaded."""
        return {
            "engine": options.engine,
            "model revision": self.base_revision,
            "adapter revision": self.adapter_revision,
            "prompt mode": self.mode,
            "prompt template": self.template_sha256,
            "seed": params.seed,
            "temperature": params.temperature,
            "top_p": params.top_p,
            "top_k": params.top_k,
            "max_new_tokens": params.max_new_tokens,
            "early_stop": options.early_stop,
        }


def generate_samples(
    model: ModelSpec,
    problems: Sequence[Problem],
    params: SamplingParams,
    output: Path,
    *,
    label: str,
    prompt_mode: str = "auto",
    batch_size: int = DEFAULT_BATCH_SIZE,
    device: str = "auto",
    dtype: str = "auto",
    engine: str = "hf",
    early_stop: bool = True,
    progress: ProgressCallback | None = None,
) -> GenerationSummary:
    """Draw `params.num_samples` samples for each problem and write them to `output`.

    Samples that an earlier, interrupted call has finished are taken from the journal beside
    `output`; when all are there, no weights are loaded. The file is the same byte for byte
    however often the work was interrupted and whatever the batch size. Rows stand in the order
    of `problems`, then of sample_index. `label` names the model in the summary.

    With engine "replay", `model.base` is a samples file, and nothing is loaded at all.

    Raises UsageError for a request that cannot be met or that contradicts the journal,
    PreflightError for a model that cannot be had or loaded.
    """
    options = EngineOptions(engine, batch_size, device, dtype, early_stop)
    began = time.monotonic()
    plan = _plan(model, problems, prompt_mode, options)
    wanted = [(problem.task_id, i) for problem in problems for i in range(params.num_samples)]
    with SampleJournal(output) as journal:
        settings = plan.settings(params, options)
        journal.check(settings if dtype == "auto" else {**settings, "dtype": dtype})
        journal.check_prompts({task: prompt_sha256(text) for task, text in plan.prompts.items()})
        missing = [pair for pair in wanted if pair not in journal.samples]
        if missing:
            _draw(plan, problems, params, options, journal, missing, len(wanted), progress)
        rows = [_row(journal.samples[pair], plan) for pair in wanted]
        _write_samples(output, rows)
        header = journal.header or {}
        fresh = [journal.samples[pair]["tokens"] for pair in missing]
    return GenerationSummary(
        label=label,
        samples=len(rows),
        new_samples=len(missing),
        resumed_samples=len(rows) - len(missing),
        tokens=sum(fresh),
        seconds=time.monotonic() - began,
        truncated=sum(row["finish_reason"] == "length" for row in rows),
        model_revision=plan.base_revision,
        adapter_revision=plan.adapter_revision,
        prompt_mode=plan.mode,
        prompt_template_sha256=plan.template_sha256,
        device=header.get("device", ""),
        dtype=header.get("settings", {}).get("dtype", ""),
        attention=header.get("settings", {}).get("attention", ""),
    )


def show_prompt(model: ModelSpec, problem: Problem, prompt_mode: str = "auto") -> str:
    """The exact text that a model is given for a problem. Loads its tokenizer, not its weights."""
    return _plan(model, [problem], prompt_mode, EngineOptions()).prompts[problem.task_id]


def _plan(
    model: ModelSpec, problems: Sequence[Problem], prompt_mode: str, options: EngineOptions
) -> _Plan:
    if options.engine == "replay":
        return _replay_plan(model, problems)
    from sigil_eval.generation.loading import chat_template, load_tokenizer

    resolved = resolve_model(model)
    tokenizer = load_tokenizer(resolved)
    template = chat_template(tokenizer)
    mode = resolve_mode(prompt_mode, template)
    return _Plan(
        name=model.name,
        identity=resolved.identity,
        revision=resolved.revision,
        base_revision=resolved.base.revision,
        adapter_revision=resolved.adapter.revision if resolved.adapter else None,
        mode=mode,
        template_sha256=prompt_template_sha256(mode, template),
        prompts={p.task_id: build_prompt(p, template, mode) for p in problems},
        model=resolved,
        tokenizer=tokenizer,
    )


def _replay_plan(model: ModelSpec, problems: Sequence[Problem]) -> _Plan:
    path = Path(model.name)
    if not path.is_file():
        raise UsageError(f"{path}: no such file; the replay engine needs a samples file")
    revision = f"sha256:{sha256_file(path)}"
    return _Plan(
        name=model.name,
        identity=revision,
        revision=revision,
        base_revision=revision,
        adapter_revision=None,
        mode="completion",
        template_sha256=prompt_template_sha256("completion"),
        prompts={p.task_id: p.prompt for p in problems},
    )


def _draw(
    plan: _Plan,
    problems: Sequence[Problem],
    params: SamplingParams,
    options: EngineOptions,
    journal: SampleJournal,
    missing: Sequence[tuple[str, int]],
    total: int,
    progress: ProgressCallback | None,
) -> None:
    """Draw the missing samples into the journal."""
    engine = _start_engine(plan, params, options, journal)
    hashes = {task_id: prompt_sha256(text) for task_id, text in plan.prompts.items()}
    done, tokens = total - len(missing), 0

    def finished(sample: Sample) -> None:
        nonlocal done, tokens
        journal.add(sample, hashes[sample.task_id])
        done += 1
        tokens += sample.tokens
        if progress is not None:
            progress(done, total, tokens)

    code_before = {p.task_id: "" if plan.mode == "chat" else p.prompt for p in problems}
    requests = [
        Request(
            task_id=task_id,
            sample_index=index,
            prompt=plan.prompts[task_id],
            code_before=code_before[task_id],
            key=sample_key(params.seed, plan.identity, task_id, index),
        )
        for task_id, index in missing
    ]
    engine.generate(requests, finished)


def _start_engine(
    plan: _Plan, params: SamplingParams, options: EngineOptions, journal: SampleJournal
) -> Engine:
    """Agree with the journal on every setting, then load the model."""
    settings = plan.settings(params, options)
    if plan.model is None:
        from sigil_eval.generation.replay import ReplayEngine

        replay = ReplayEngine(Path(plan.name))
        journal.agree({**settings, **_hardware(replay.info)}, {"device": replay.info.device})
        return replay
    from sigil_eval.generation.hf import HFEngine
    from sigil_eval.generation.loading import choose_hardware

    info = choose_hardware(options.device, options.dtype)
    journal.agree({**settings, **_hardware(info)}, {"device": info.device})
    return HFEngine(
        plan.model,
        plan.tokenizer,
        params,
        info,
        batch_size=options.batch_size,
        early_stop=options.early_stop,
        special_tokens=plan.mode == "completion",
    )


def _hardware(info: EngineInfo) -> Row:
    """What of the hardware changes the last digits of a model's output."""
    return {"dtype": info.dtype, "attention": info.attention}


def _row(journaled: Row, plan: _Plan) -> Row:
    """A row of the samples file."""
    return {**journaled, "model": plan.name, "revision": plan.revision}


def _write_samples(output: Path, rows: Sequence[Row]) -> None:
    """Write the samples file, unless it says the same already."""
    text = "".join(dump_row(row) + "\n" for row in rows)
    if not output.exists() or output.read_bytes() != text.encode("utf-8"):
        write_atomic(output, text)
