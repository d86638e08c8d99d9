"""Generation from end to end: find the model, prompt, draw what is missing, write the samples."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sigil_eval.documents.rows import SampleRow
from sigil_eval.files import dump_row, write_atomic
from sigil_eval.generation.drawing import Elsewhere, check, complete
from sigil_eval.generation.engines import EngineOptions
from sigil_eval.generation.journal import SampleJournal
from sigil_eval.generation.plan import Job, SampleId, Settled, plan_for
from sigil_eval.generation.protocol import (
    GenerationSummary,
    ModelSpec,
    ProgressCallback,
    Prompting,
    SamplingParams,
)
from sigil_eval.generation.settled import settle
from sigil_eval.generation.shards import Shard, take_over
from sigil_eval.problems import Problem

if TYPE_CHECKING:
    from sigil_eval.generation.pool import ModelPool


def generate_samples(
    model: ModelSpec,
    problems: Sequence[Problem],
    params: SamplingParams,
    output: Path,
    *,
    prompt_mode: str = "auto",
    options: EngineOptions | None = None,
    shard: Shard | None = None,
    models: ModelPool | None = None,
    progress: ProgressCallback | None = None,
    elsewhere: Elsewhere | None = None,
) -> GenerationSummary:
    """Draw `params.num_samples` samples for each problem and write them to `output`.

    Samples that an earlier, interrupted call has finished are taken from the journal beside
    `output`, and those of shards from theirs; when all are there, no weights are loaded. The file
    is the same byte for byte however often the work was interrupted, however it was divided, and
    whatever the batch size. Rows stand in the order of `problems`, then of sample_index.
    `models` lends what is loaded; `elsewhere`, where given, draws what has a model.
    With `shard`, only that part is drawn, into `shard.output(output)`. Several devices draw a
    part each, in processes of their own. What `model` names is the engine's affair: a samples
    file for "replay", a name of the server's for "openai".

    Raises UsageError for a request that cannot be met or that contradicts the journal,
    PreflightError for a model that cannot be had or loaded.
    """
    job = Job(model, tuple(problems), params, prompt_mode, options or EngineOptions())
    began, plan = time.monotonic(), settle(job)
    wanted = [(problem.task_id, i) for problem in problems for i in range(params.num_samples)]
    if shard is not None:
        wanted, output = shard.of(wanted), shard.output(output)
    with SampleJournal(output) as journal:
        take_over(journal, output)
        check(plan, journal)
        earlier = set(journal.samples)
        plan = complete(plan, journal, output, wanted, models, progress, elsewhere)
        rows = [_row(journal.samples[sample], plan) for sample in wanted]
        _write_samples(output, rows)
    return _summary(plan, journal, wanted, earlier, time.monotonic() - began)


def _summary(
    plan: Settled,
    journal: SampleJournal,
    wanted: Sequence[SampleId],
    earlier: set[SampleId],
    seconds: float,
) -> GenerationSummary:
    """What was done; `earlier` are the samples that were there before."""
    header = journal.header
    settings = header["settings"] if header else {}
    fresh = [journal.samples[sample]["tokens"] for sample in wanted if sample not in earlier]
    return GenerationSummary(
        samples=len(wanted),
        new_samples=len(fresh),
        resumed_samples=len(wanted) - len(fresh),
        tokens=sum(fresh),
        seconds=seconds,
        truncated=sum(journal.samples[sample]["finish_reason"] == "length" for sample in wanted),
        model_revision=plan.revisions.base,
        adapter_revision=plan.revisions.adapter,
        prompt_mode=plan.prompt_mode,
        prompt_template_sha256=plan.template_sha256,
        device=header["device"] if header else "",
        dtype=str(settings.get("dtype", "")),
        attention=str(settings.get("attention", "")),
        engine=plan.job.options.engine,
        quantization=plan.job.options.quantization,
        batch_invariant=plan.job.options.batch_invariant,
        prompting=plan.prompting,
        sampler=plan.sampler,
    )


def describe_prompting(
    model: ModelSpec, prompt_mode: str = "auto", options: EngineOptions | None = None
) -> Prompting:
    """With which tokenizer a model will be prompted. Raises UsageError where that cannot be
    settled."""
    job = Job(model, (), SamplingParams(), prompt_mode, options or EngineOptions())
    return settle(job).prompting


def show_prompt(
    model: ModelSpec,
    problem: Problem,
    prompt_mode: str = "auto",
    options: EngineOptions | None = None,
) -> str:
    """The exact text that a model is given for a problem. Loads its tokenizer, not its weights."""
    job = Job(model, (problem,), SamplingParams(), prompt_mode, options or EngineOptions())
    return plan_for(job).prompts[problem.task_id]


def _row(journaled: SampleRow, plan: Settled) -> SampleRow:
    """A row of the samples file."""
    return {**journaled, "model": plan.name, "revision": plan.revisions.evaluated}


def _write_samples(output: Path, rows: Sequence[SampleRow]) -> None:
    """Write the samples file, unless it says the same already."""
    text = "".join(dump_row(row) + "\n" for row in rows)
    if not output.exists() or output.read_bytes() != text.encode("utf-8"):
        write_atomic(output, text)
