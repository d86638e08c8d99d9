"""Generation from end to end: resolve, prompt, draw what is missing, write the samples file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sigil_eval.files import Row, dump_row, write_atomic
from sigil_eval.generation.devices import Report, devices_of, draw_on_all
from sigil_eval.generation.engines import EngineOptions
from sigil_eval.generation.journal import SampleJournal
from sigil_eval.generation.keys import sample_key
from sigil_eval.generation.prepared import Prepared
from sigil_eval.generation.protocol import (
    EngineInfo,
    GenerationSummary,
    ModelSpec,
    ProgressCallback,
    Request,
    Sample,
    SamplingParams,
)
from sigil_eval.generation.shards import Shard, take_over
from sigil_eval.generation.source import fetch_weights
from sigil_eval.problems import Problem
from sigil_eval.prompts import build_prompt, prompt_sha256, prompt_template_sha256

if TYPE_CHECKING:
    from sigil_eval.generation.loading import ModelPool

Pairs = list[tuple[str, int]]


@dataclass(frozen=True)
class _Job:
    """A request in full: what is to be drawn, from what, and how."""

    model: ModelSpec
    problems: tuple[Problem, ...]
    params: SamplingParams
    prompt_mode: str
    options: EngineOptions


@dataclass(frozen=True)
class _Plan:
    """A model found, and the prompt of each problem by task id."""

    job: _Job
    prepared: Prepared
    template_sha256: str
    prompts: dict[str, str]

    def settings(self) -> Row:
        """What decides a sample's text and is known before anything is loaded."""
        params = asdict(self.job.params)
        del params["num_samples"]
        return {
            "engine": self.job.options.engine,
            "model revision": self.prepared.revisions.base,
            "adapter revision": self.prepared.revisions.adapter,
            "prompt mode": self.prepared.mode,
            "prompt template": self.template_sha256,
            "tokenizer": self.prepared.prompting.get("tokenizer_sha256"),
            **params,
            "early_stop": self.job.options.early_stop,
            "quantization": self.job.options.quantization,
        }


def generate_samples(
    model: ModelSpec,
    problems: Sequence[Problem],
    params: SamplingParams,
    output: Path,
    *,
    label: str,
    prompt_mode: str = "auto",
    options: EngineOptions | None = None,
    shard: Shard | None = None,
    models: ModelPool | None = None,
    progress: ProgressCallback | None = None,
) -> GenerationSummary:
    """Draw `params.num_samples` samples for each problem and write them to `output`.

    Samples that an earlier, interrupted call has finished are taken from the journal beside
    `output`, and those of shards from theirs; when all are there, no weights are loaded. The file
    is the same byte for byte however often the work was interrupted, however it was divided, and
    whatever the batch size. Rows stand in the order of `problems`, then of sample_index. `label`
    names the model in the summary. `models` lends models that are already loaded.

    With `shard`, only that part is drawn, into `shard.output(output)`. Several devices draw a
    part each, in processes of their own. With engine "replay", `model.base` is a samples file;
    with engine "openai", a model's name is the server's name for it.

    Raises UsageError for a request that cannot be met or that contradicts the journal,
    PreflightError for a model that cannot be had or loaded.
    """
    job = _Job(model, tuple(problems), params, prompt_mode, options or EngineOptions())
    began = time.monotonic()
    plan = _plan(job)
    wanted = [(problem.task_id, i) for problem in problems for i in range(params.num_samples)]
    if shard is not None:
        wanted, output = shard.of(wanted), shard.output(output)
    with SampleJournal(output) as journal:
        take_over(journal, output)
        _check(plan, journal)
        earlier = set(journal.samples)
        _complete(plan, journal, output, wanted, models, progress)
        rows = [_row(journal.samples[pair], plan) for pair in wanted]
        _write_samples(output, rows)
        header = journal.header or {}
        fresh = [journal.samples[pair]["tokens"] for pair in wanted if pair not in earlier]
    settings = header.get("settings", {})
    return GenerationSummary(
        label=label,
        samples=len(rows),
        new_samples=len(fresh),
        resumed_samples=len(rows) - len(fresh),
        tokens=sum(fresh),
        seconds=time.monotonic() - began,
        truncated=sum(row["finish_reason"] == "length" for row in rows),
        model_revision=plan.prepared.revisions.base,
        adapter_revision=plan.prepared.revisions.adapter,
        prompt_mode=plan.prepared.mode,
        prompt_template_sha256=plan.template_sha256,
        device=header.get("device", ""),
        dtype=settings.get("dtype", ""),
        attention=settings.get("attention", ""),
        engine=job.options.engine,
        quantization=job.options.quantization,
        prompting=plan.prepared.prompting,
    )


def describe_prompting(
    model: ModelSpec, prompt_mode: str = "auto", options: EngineOptions | None = None
) -> Row:
    """With which tokenizer a model will be prompted, as `generation.prompting` puts it; empty where
    a file or a server has the prompts. Raises UsageError where that cannot be settled."""
    return (options or EngineOptions()).kind.prepare(model, prompt_mode).prompting


def show_prompt(
    model: ModelSpec,
    problem: Problem,
    prompt_mode: str = "auto",
    options: EngineOptions | None = None,
) -> str:
    """The exact text that a model is given for a problem. Loads its tokenizer, not its weights."""
    job = _Job(model, (problem,), SamplingParams(), prompt_mode, options or EngineOptions())
    return _plan(job).prompts[problem.task_id]


def _plan(job: _Job) -> _Plan:
    prepared = job.options.kind.prepare(job.model, job.prompt_mode)
    mode, template = prepared.mode, prepared.template
    return _Plan(
        job=job,
        prepared=prepared,
        template_sha256=prompt_template_sha256(mode, template),
        prompts={p.task_id: build_prompt(p, template, mode) for p in job.problems},
    )


def _check(plan: _Plan, journal: SampleJournal) -> None:
    """Compare with the journal what can be compared before anything is loaded."""
    dtype = plan.job.options.dtype
    journal.check(plan.settings() if dtype == "auto" else {**plan.settings(), "dtype": dtype})
    journal.check_prompts({task: prompt_sha256(text) for task, text in plan.prompts.items()})


def _complete(
    plan: _Plan,
    journal: SampleJournal,
    output: Path,
    wanted: Pairs,
    models: ModelPool | None,
    progress: ProgressCallback | None,
) -> None:
    """Draw what the journal lacks, on one device or several."""
    missing = [pair for pair in wanted if pair not in journal.samples]
    if not missing:
        return
    done, tokens = len(wanted) - len(missing), 0

    def report(more_samples: int, more_tokens: int) -> None:
        nonlocal done, tokens
        done += more_samples
        tokens += more_tokens
        if progress is not None:
            progress(done, len(wanted), tokens)

    options = plan.job.options
    devices = devices_of(options.device)[: len(missing)] if options.kind.loads_weights else []
    if len(devices) > 1:
        _draw_on(devices, plan, journal, output, missing, report)
    else:
        _draw(plan, journal, missing, models, report)


def _draw_on(
    devices: Sequence[str],
    plan: _Plan,
    journal: SampleJournal,
    output: Path,
    missing: Pairs,
    report: Report,
) -> None:
    """Draw the missing samples on several devices, and take over what each has drawn."""
    assert plan.prepared.model is not None
    for source in (plan.prepared.model.base, plan.prepared.model.adapter):
        if source is not None:
            fetch_weights(source)  # once, before each process asks for it
    parts = []
    for number, device in enumerate(devices, start=1):
        shard = Shard(number, len(devices))
        job = replace(plan.job, options=replace(plan.job.options, device=device))
        job.options.kind.describe(
            job.options
        )  # what is wrong is said before any process is started
        parts.append((job, shard.output(output), shard.of(missing)))
    draw_on_all(_draw_part, parts, report)
    for path in take_over(journal, output):
        path.unlink()


def _draw_part(job: _Job, output: Path, pairs: Pairs, report: Report) -> None:
    """In a process of its own: draw some samples into a part's journal."""
    plan = _plan(job)
    with SampleJournal(output) as journal:
        _check(plan, journal)
        missing = [pair for pair in pairs if pair not in journal.samples]
        if missing:
            _draw(plan, journal, missing, None, report)


def _draw(
    plan: _Plan,
    journal: SampleJournal,
    missing: Pairs,
    models: ModelPool | None,
    report: Report,
) -> None:
    """Agree with the journal on every setting, load the model, draw the missing samples."""
    job = plan.job
    kind = job.options.kind
    info = kind.describe(job.options)
    journal.agree({**plan.settings(), **_hardware(info)}, {"device": info.device})
    hashes = {task_id: prompt_sha256(text) for task_id, text in plan.prompts.items()}

    def finished(sample: Sample) -> None:
        journal.add(sample, hashes[sample.task_id])
        report(1, sample.tokens)

    chat = plan.prepared.mode == "chat"
    code_before = {p.task_id: "" if chat else p.prompt for p in job.problems}
    requests = [
        Request(
            task_id=task_id,
            sample_index=index,
            prompt=plan.prompts[task_id],
            code_before=code_before[task_id],
            key=sample_key(job.params.seed, plan.prepared.revisions.identity, task_id, index),
        )
        for task_id, index in missing
    ]
    with kind.start(plan.prepared, job.params, job.options, info, models) as engine:
        engine.generate(requests, finished)


def _hardware(info: EngineInfo) -> Row:
    """What of the hardware changes the last digits of a model's output."""
    return {"dtype": info.dtype, "attention": info.attention, "adapters": info.adapters}


def _row(journaled: Row, plan: _Plan) -> Row:
    """A row of the samples file."""
    return {**journaled, "model": plan.prepared.name, "revision": plan.prepared.revisions.evaluated}


def _write_samples(output: Path, rows: Sequence[Row]) -> None:
    """Write the samples file, unless it says the same already."""
    text = "".join(dump_row(row) + "\n" for row in rows)
    if not output.exists() or output.read_bytes() != text.encode("utf-8"):
        write_atomic(output, text)
