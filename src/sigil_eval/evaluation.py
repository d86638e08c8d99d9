"""A whole evaluation: prove the judge, generate, score in each mode, judge a part again, report.

Each phase keeps a journal in the output folder, so a run that was killed goes on where it was
when the same command is given again.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sigil_eval.cluster.draw import drawing_on
from sigil_eval.cluster.judge import judging_on
from sigil_eval.cluster.order import Cluster
from sigil_eval.console import answer, format_duration, mention, say, warn
from sigil_eval.documents.metadata import ClusterRecord, ModelRecord, Rescored, TrainingDataRecord
from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import write_atomic
from sigil_eval.generation import ModelSpec, Trust, describe_prompting, show_prompt
from sigil_eval.generation.checkpoints import Checkpoint
from sigil_eval.judging.crates import find_crates
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.judging.toolchain import find_toolchain
from sigil_eval.phases import (
    Drawing,
    check_complete,
    counts_of,
    file_hashes,
    judging_conditions,
    prove_aloud,
    say_what_is_left_out,
    sum_up,
)
from sigil_eval.problems import ProblemSet
from sigil_eval.provisioned import checkout
from sigil_eval.record.deviations import (
    Deviation,
    deviations_of_generation,
    deviations_of_machine,
    generation_of_models,
    refuse_deviations,
)
from sigil_eval.record.durations import durations_of, read_steps
from sigil_eval.record.metadata import Outcome, Request, Tools, collect_metadata
from sigil_eval.record.models import model_record, name_on_record
from sigil_eval.record.training_data import deviations_of_data
from sigil_eval.reporting.reports import write_reports
from sigil_eval.reporting.terminal import print_summary
from sigil_eval.reproduce import RescoredBefore, rescore
from sigil_eval.run_folder import BASE, TUNED, Mode, PhaseTimes, RunFolder, result_stem
from sigil_eval.scoring.score import ScoreSummary, score_files
from sigil_eval.settings import k_above

NEEDED_BYTES = 500 << 20


@dataclass(frozen=True)
class ModelChoice:
    """The base and its fine-tune, and the labels of those that take part."""

    base: str
    checkpoint: str
    base_revision: str | None
    checkpoint_revision: str | None
    trust: Trust
    labels: tuple[str, ...]

    steps: ClassVar[None] = None

    def spec(self, label: str) -> ModelSpec:
        """One of the two, as generation wants it; where both take part, they are prompted alike."""
        return ModelSpec(
            base=self.base,
            checkpoint=self.checkpoint if label == TUNED else None,
            base_revision=self.base_revision,
            checkpoint_revision=self.checkpoint_revision,
            trust=self.trust,
            prompt_as_base=len(self.labels) > 1,
        )


@dataclass(frozen=True)
class Sweep:
    """A base and the checkpoints of a training run, which are all prompted as their base is."""

    base: str
    base_revision: str | None
    checkpoints: tuple[Checkpoint, ...]
    checkpoint_revision: str | None
    trust: Trust

    @property
    def labels(self) -> tuple[str, ...]:
        """The base's, then the checkpoints' in the order of their steps."""
        return (BASE, *(checkpoint.label for checkpoint in self.checkpoints))

    @property
    def steps(self) -> dict[str, int | None]:
        """The training step of each checkpoint, by its label."""
        return {checkpoint.label: checkpoint.step for checkpoint in self.checkpoints}

    def spec(self, label: str) -> ModelSpec:
        """One of them, as generation wants it."""
        names = {checkpoint.label: checkpoint.name for checkpoint in self.checkpoints}
        return ModelSpec(
            base=self.base,
            checkpoint=names.get(label),
            base_revision=self.base_revision,
            checkpoint_revision=self.checkpoint_revision,
            trust=self.trust,
            prompt_as_base=True,
        )


@dataclass(frozen=True)
class EvaluationSettings:
    """Everything that a person may choose about an evaluation.

    `provision_state` is the folder in which the set-up keeps its records. A `strict` run refuses
    deviations whose ids are not among `accepted_deviations`, and proves the judge anew, as it does
    otherwise where it is to `prove_again`. `command` and `arguments` are what was
    typed, and all options by name, for the record. `training_data` is what a check of it found.
    Without a `cluster`, this machine does everything.
    """

    models: ModelChoice | Sweep
    drawing: Drawing
    problem_set: ProblemSet
    judge: JudgeSettings
    modes: tuple[Mode, ...]
    k_values: tuple[int, ...]
    folder: RunFolder
    provision_state: Path | None
    strict: bool
    prove_again: bool
    accepted_deviations: tuple[str, ...]
    demo: bool
    command: Sequence[str]
    arguments: Mapping[str, Any]
    training_data: TrainingDataRecord | None = None
    cluster: Cluster | None = None

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        samples = self.drawing.params.num_samples
        k = k_above(self.k_values, samples)
        if k is not None:
            raise UsageError(
                f"pass@{k} needs at least {k} samples per problem, and --num-samples is {samples}. "
                f"Raise it, or leave {k} out of --k-values"
            )
        if not self.models.labels:
            raise UsageError("--skip-base and --skip-finetuned together leave nothing to do")

    @property
    def stems(self) -> dict[str, str]:
        """For each model's label, what its results are filed under."""
        return {label: result_stem(label) for label in self.models.labels}


def run_evaluation(settings: EvaluationSettings) -> None:
    """Carry out a whole evaluation.

    Raises UsageError and PreflightError before any work when the request or the machine is not
    fit, and IncompleteError, after all is written, when infrastructure left samples without a
    verdict.
    """
    problem_set, known = settings.problem_set, check_evaluation(settings)
    folder, seed = settings.folder, settings.drawing.params.seed
    folder.path.mkdir(parents=True, exist_ok=True)
    _check_disk(folder.path)
    with folder.lock():
        times = folder.clock()
        _announce(settings, problem_set)
        with Judge(settings.judge) as judge:
            with times.phase("proof"):
                again = settings.strict or settings.prove_again
                proof = prove_aloud(judge, problem_set, again=again)
            models = _generate(settings, problem_set, times)
            deviations = [*known, *deviations_of_generation(generation_of_models(models), known)]
            _refuse(settings, deviations)
            summary, rescored, cluster = _score(settings, judge, times)
            rustc, conditions = judge.toolchain.rustc, judging_conditions(judge)
        with times.phase("reports"):
            sum_up(
                folder, settings.stems, problem_set, settings.modes, settings.k_values, conditions,
                seed=seed, steps=settings.models.steps,
            )  # fmt: skip
        hashes = _file_hashes(settings)
        outcome = Outcome(models, deviations, proof, counts_of(summary), rescored, hashes, cluster)
        _write_metadata(settings, problem_set, times, rustc, outcome)
        write_reports(folder.path, problem_set)
        print_summary(folder.path)
        _say_times(times)
    check_complete(summary)


def try_evaluation(settings: EvaluationSettings) -> None:
    """Check all that can be checked without writing anything: the request, the models' files, their
    tokenizers and prompts, the device, the deviations, the compiler. Raises as a run would."""
    problem_set, deviations = settings.problem_set, check_evaluation(settings)
    drawing = settings.drawing
    info = drawing.engine.kind.describe(drawing.engine)
    say(f"generating on {info.device} in {info.dtype}, attention {info.attention}")
    for label in settings.models.labels:
        spec = settings.models.spec(label)
        prompt = show_prompt(spec, problem_set.problems[0], drawing.prompt_mode, drawing.engine)
        say(f"{label}: {name_on_record(spec.name)}, prompts of {len(prompt)} characters and more")
    toolchain = find_toolchain()
    say(f"judging with {toolchain.version}")
    say_what_is_left_out(problem_set, find_crates(toolchain))
    accepted = [d.id for d in deviations if d.id in settings.accepted_deviations]
    say(f"deviations: {len(deviations)}, of which accepted: {', '.join(accepted) or 'none'}")
    answer(
        {
            "device": info.device,
            "dtype": info.dtype,
            "attention": info.attention,
            "rustc": toolchain.version,
            "deviations": [deviation.id for deviation in deviations],
            "accepted": accepted,
        }
    )


def check_evaluation(settings: EvaluationSettings) -> list[Deviation]:
    """Raise what a run refuses before it does anything; the known deviations."""
    _find_models(settings)
    known = _check_deviations(settings)
    _check_prompting(settings)
    return known


def _find_models(settings: EvaluationSettings) -> None:
    if not settings.drawing.engine.kind.needs_model_files:
        return
    from sigil_eval.generation.models import resolve_model

    for label in settings.models.labels:
        resolve_model(settings.models.spec(label))


def _check_deviations(settings: EvaluationSettings) -> list[Deviation]:
    """What is known to depart from the pins; a strict run is refused before it begins."""
    mode = settings.judge.sandbox_mode
    known = deviations_of_machine(settings.provision_state, mode, settings.problem_set)
    known += deviations_of_data(settings.training_data)
    if settings.strict:
        engine = settings.drawing.engine
        info = engine.kind.describe(engine)
        drawn_with = [(info.device, info.attention)]
        _refuse(settings, [*known, *deviations_of_generation(drawn_with, known)])
    return known


def _refuse(settings: EvaluationSettings, found: Sequence[Deviation]) -> None:
    if settings.strict:
        refuse_deviations(found, settings.accepted_deviations)


def _check_prompting(settings: EvaluationSettings) -> None:
    """Have models prompted alike, and say where that is not what a fine-tune brings."""
    drawing = settings.drawing
    notes = {
        describe_prompting(
            settings.models.spec(label), drawing.prompt_mode, drawing.engine
        ).note: None
        for label in settings.models.labels
        if label != BASE
    }
    for note in filter(None, notes):
        warn(note)


def _check_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise PreflightError(
            f"{folder}: {free >> 20} MiB are free, and a run needs {NEEDED_BYTES >> 20} MiB. "
            "Free some space, or name another folder with --output-dir"
        )


def _announce(settings: EvaluationSettings, problem_set: ProblemSet) -> None:
    models = len(settings.models.labels)
    mention(
        f"{problem_set.name}: {len(problem_set.problems)} problems × "
        f"{settings.drawing.params.num_samples} samples × {models} model{'s' * (models > 1)}, "
        f"{' and '.join(settings.modes)}, into {settings.folder.path}"
    )


def _generate(
    settings: EvaluationSettings, problem_set: ProblemSet, times: PhaseTimes
) -> dict[str, ModelRecord]:
    """Draw the samples of every model; what is known of each, for the record."""
    known = {}
    several = len(settings.models.labels) > 2
    pool = settings.drawing.engine.kind.model_pool(keep_base=several)
    jobs = [
        settings.drawing.job(settings.models.spec(label), problem_set)
        for label in settings.models.labels
    ]
    outputs = [settings.folder.samples(label) for label in settings.models.labels]
    with drawing_on(settings.cluster, jobs, outputs) as elsewhere:
        for label in settings.models.labels:
            spec, output = settings.models.spec(label), settings.folder.samples(label)
            with times.phase(f"generation {label}"):
                summary = settings.drawing.draw(
                    spec, problem_set, output, label=label, models=pool, elsewhere=elsewhere
                )
            known[label] = model_record(spec, summary)
    return known


def _score(
    settings: EvaluationSettings, judge: Judge, times: PhaseTimes
) -> tuple[ScoreSummary, Rescored, ClusterRecord | None]:
    """Score all samples, and some once more; what came of that, and the cluster it was done on."""
    problem_set, folder = settings.problem_set, settings.folder
    with judging_on(settings.cluster, judge, problem_set) as many:
        with times.phase("scoring"):
            samples = {stem: folder.samples(label) for label, stem in settings.stems.items()}
            summary = score_files(
                samples, problem_set, folder.path, many.judge, settings.modes, many.readers
            )
        with times.phase("re-scoring"):
            seed = settings.drawing.params.seed
            before = RescoredBefore(folder, problem_set, judge, seed)
            again = settings.strict or settings.prove_again
            rescored = None if again else before.find()
            if rescored is None:
                rescored = rescore(folder.path, problem_set, many.judge, seed=seed)
                before.keep(rescored)
    return summary, rescored, many.record


def _file_hashes(settings: EvaluationSettings) -> dict[str, str]:
    return file_hashes(settings.folder, settings.stems, settings.modes)


def _write_metadata(
    settings: EvaluationSettings,
    problem_set: ProblemSet,
    times: PhaseTimes,
    rustc: Path,
    outcome: Outcome,
) -> None:
    request = Request(
        command=settings.command,
        arguments=settings.arguments,
        seeds={"sampling": settings.drawing.params.seed},
        demo=settings.demo,
        accepted_deviations=settings.accepted_deviations,
        price_per_hour=settings.drawing.price_per_hour,
        device=settings.drawing.engine.device,
        training_data=settings.training_data,
    )
    tools = Tools(checkout(), rustc, settings.judge.sandbox_mode)
    steps = read_steps(settings.provision_state)
    durations = durations_of(times.seconds, times.invocations, steps)
    metadata = collect_metadata(request, tools, problem_set, durations, outcome)
    text = json.dumps(metadata, indent=2, ensure_ascii=False) + "\n"
    write_atomic(settings.folder.metadata, text)


def _say_times(times: PhaseTimes) -> None:
    spent = ", ".join(f"{name} {format_duration(s)}" for name, s in times.seconds.items())
    mention(f"time: {spent}")
