"""Drawing what a journal lacks, in this process or in one for each device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sigil_eval.generation.devices import Report, devices_of, draw_on_all
from sigil_eval.generation.hub import fetch_weights
from sigil_eval.generation.journal import SampleJournal, Settings
from sigil_eval.generation.plan import Job, Plan, SampleId, Settled, plan_for
from sigil_eval.generation.protocol import EngineInfo, ProgressCallback, Sample
from sigil_eval.generation.shards import Shard, take_over

if TYPE_CHECKING:
    from sigil_eval.generation.pool import ModelPool

Agree = Callable[[Settings, str], None]
"""Called with the settings that samples are drawn with, and the device."""


class Elsewhere(Protocol):
    """Draws samples on other machines."""

    @property
    def rented(self) -> int:
        """How many GPUs, and machines without one, are paid for now."""
        ...

    def draw(
        self,
        job: Job,
        missing: Sequence[SampleId],
        agree: Agree,
        finished: Callable[[Sample], None],
    ) -> None:
        """As `draw`; a sample may be finished more than once, with the same text."""
        ...


def check(plan: Settled, journal: SampleJournal) -> None:
    """Compare with the journal what can be compared before anything is loaded.

    Raises UsageError where its samples were drawn otherwise.
    """
    dtype = plan.job.options.dtype
    journal.check(plan.settings() if dtype == "auto" else {**plan.settings(), "dtype": dtype})
    journal.check_prompts(plan.prompt_hashes)


def complete(
    settled: Settled,
    journal: SampleJournal,
    output: Path,
    wanted: Sequence[SampleId],
    models: ModelPool | None,
    progress: ProgressCallback | None,
    elsewhere: Elsewhere | None = None,
) -> Settled:
    """Draw what the journal lacks, on one device or several, or `elsewhere`; by which plan."""
    missing = [sample for sample in wanted if sample not in journal.samples]
    if not missing:
        return settled
    plan = settled if isinstance(settled, Plan) else plan_for(settled.job)
    check(plan, journal)
    done, tokens = len(wanted) - len(missing), 0

    def report(more_samples: int, more_tokens: int) -> None:
        nonlocal done, tokens
        done += more_samples
        tokens += more_tokens
        if progress is not None:
            progress(done, len(wanted), tokens)

    options = plan.job.options
    if elsewhere is not None and options.kind.needs_model_files:
        elsewhere.draw(plan.job, missing, journal.agree, _into(journal, plan, report))
        return plan
    devices = devices_of(options.device)[: len(missing)] if options.kind.needs_model_files else []
    if len(devices) > 1:
        _draw_on(devices, plan, journal, output, missing, report)
    else:
        _draw(plan, journal, missing, models, report)
    return plan


def _draw_on(
    devices: Sequence[str],
    plan: Plan,
    journal: SampleJournal,
    output: Path,
    missing: list[SampleId],
    report: Report,
) -> None:
    """Draw the missing samples on several devices, and take over what each has drawn."""
    assert plan.prepared.model is not None
    for files in (plan.prepared.model.base, plan.prepared.model.adapter):
        if files is not None:
            fetch_weights(files)  # once, before each process asks for it
    parts = []
    for number, device in enumerate(devices, start=1):
        shard = Shard(number, len(devices))
        job = replace(plan.job, options=replace(plan.job.options, device=device))
        info = job.options.kind.describe(job.options)  # or what is wrong, before any process starts
        parts.append((job, shard.output(output), shard.of(missing)))
    journal.agree({**plan.settings(), **hardware_settings(info)}, ",".join(devices))
    draw_on_all(_draw_part, parts, report)
    for path in take_over(journal, output):
        path.unlink()


def _draw_part(job: Job, output: Path, wanted: list[SampleId], report: Report) -> None:
    """In a process of its own: draw some samples into a part's journal."""
    plan = plan_for(job)
    with SampleJournal(output) as journal:
        check(plan, journal)
        missing = [sample for sample in wanted if sample not in journal.samples]
        if missing:
            _draw(plan, journal, missing, None, report)


def _draw(
    plan: Plan,
    journal: SampleJournal,
    missing: list[SampleId],
    models: ModelPool | None,
    report: Report,
) -> None:
    """Draw the missing samples in this process."""
    draw(plan, missing, models, journal.agree, _into(journal, plan, report))


def _into(journal: SampleJournal, plan: Plan, report: Report) -> Callable[[Sample], None]:
    """Where finished samples go; one that is there already is not counted twice."""

    def finished(sample: Sample) -> None:
        if (sample.task_id, sample.sample_index) not in journal.samples:
            journal.add(sample, plan.prompt_hashes[sample.task_id])
            report(1, sample.tokens)

    return finished


def draw(
    plan: Plan,
    missing: Sequence[SampleId],
    models: ModelPool | None,
    agree: Agree,
    finished: Callable[[Sample], None],
) -> None:
    """Have every setting agreed with, load the model, draw the missing samples."""
    options = plan.job.options
    info = options.kind.describe(options)
    agree({**plan.settings(), **hardware_settings(info)}, info.device)
    with options.kind.start(plan.prepared, plan.job.params, options, info, models) as engine:
        engine.generate(plan.requests(missing), finished)


def hardware_settings(info: EngineInfo) -> Settings:
    """What of the hardware changes the last digits of a model's output."""
    return {"dtype": info.dtype, "attention": info.attention, "adapters": info.adapters}
