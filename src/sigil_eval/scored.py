"""Files of samples scored: one, or several against each other, with the reports of a run."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sigil_eval.cluster.judge import judging_on
from sigil_eval.cluster.order import Cluster
from sigil_eval.console import mention, visible
from sigil_eval.documents.metadata import ModelRecord, TrainingDataRecord
from sigil_eval.errors import UsageError
from sigil_eval.files import write_atomic, write_chunks_atomic
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.phases import (
    check_complete,
    counts_of,
    file_hashes,
    judging_conditions,
    prove_aloud,
    sum_up,
)
from sigil_eval.problems import ProblemSet
from sigil_eval.provisioned import checkout
from sigil_eval.record.deviations import Deviation, deviations_of_machine
from sigil_eval.record.durations import durations_of
from sigil_eval.record.metadata import Outcome, Request, Tools, collect_metadata
from sigil_eval.record.training_data import deviations_of_data
from sigil_eval.reporting.metrics import check_k_values
from sigil_eval.reporting.reports import write_reports
from sigil_eval.reporting.side_by_side import compare_runs, print_comparison
from sigil_eval.reporting.terminal import print_summary
from sigil_eval.run_folder import BASE, MODEL_LABELS, TUNED, Mode, RunFolder, result_stem
from sigil_eval.samples import STANDARD_INPUT, SampleFile, read_samples
from sigil_eval.scoring.score import ScoreSummary, score_files
from sigil_eval.settings import K_VALUES

_SUFFIXES = re.compile(r"(\.jsonl|\.json)?(\.gz)?\Z")
_LONGEST_LABEL = 60
_LISTED_MISSING = 5


@dataclass(frozen=True)
class ScoreSettings:
    """What a person may choose of scoring files of samples.

    `names` are those of the models, by default the files'; `output` is by default beside the first
    file. Without `k_values`, the usual ones that the samples reach. `command` and `arguments` are
    what was typed, and all options by name, for the record. `training_data` is what a check of
    it found. Without a `cluster`, this machine judges alone.
    """

    sources: Sequence[Path]
    names: Sequence[str]
    problem_set: ProblemSet
    judge: JudgeSettings
    modes: Sequence[Mode]
    k_values: Sequence[int] | None
    allow_partial: bool
    prove_again: bool
    output: Path | None
    command: Sequence[str]
    arguments: Mapping[str, Any]
    training_data: TrainingDataRecord | None = None
    cluster: Cluster | None = None


@dataclass(frozen=True)
class _Model:
    """A model's samples: its label in the results, its name, what was read and where that is."""

    label: str
    name: str
    read: SampleFile
    path: Path

    def record(self) -> ModelRecord:
        return {
            "name": self.name,
            "samples": sum(self.read.counts.values()),
            "read_from": f"{Path(self.read.name).name}, {' and '.join(self.read.formats)}",
        }


def score_samples(settings: ScoreSettings) -> None:
    """Read the files, prove the judge, score, and write results, metrics and reports.

    Of two files, the first is the base's and the second the fine-tune's, unless their names say
    otherwise. Raises UsageError for files, names and k that will not do before anything else is
    done, and IncompleteError, after all is written, when samples are left without a verdict.
    """
    names = _names_of(settings)
    labels = _labels_of(names)
    output = settings.output or _beside(settings.sources, names)
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output}: is no folder; name another with --output-dir")
    with tempfile.TemporaryDirectory(prefix="sigil-eval-samples-") as temporary:
        models = []
        for label, name, source in zip(labels, names, settings.sources, strict=True):
            path = Path(temporary) / f"{label}.jsonl"
            read = read_samples(source, settings.problem_set, path)
            models.append(_Model(label, name, read, path))
        _check_coverage(models, settings)
        k_values = _k_values(models, settings)
        for model in models:
            for line in model.read.lines():
                mention(line)
        models.sort(key=lambda model: model.label != BASE)
        summary = _score(settings, RunFolder(output), models, k_values)
    check_complete(summary)


def _score(
    settings: ScoreSettings, folder: RunFolder, models: Sequence[_Model], k_values: Sequence[int]
) -> ScoreSummary:
    problem_set, modes, path = settings.problem_set, settings.modes, folder.path
    path.mkdir(parents=True, exist_ok=True)
    stems = {model.label: result_stem(model.label) for model in models}
    with folder.lock():
        times = folder.clock()
        for model in models:
            write_chunks_atomic(folder.samples(model.label), _chunks(model.path))
        with Judge(settings.judge) as judge:
            with times.phase("proof"):
                proof = prove_aloud(judge, problem_set, again=settings.prove_again)
            with times.phase("scoring"), judging_on(settings.cluster, judge, problem_set) as many:
                samples = {stem: folder.samples(label) for label, stem in stems.items()}
                summary = score_files(samples, problem_set, path, many.judge, modes, many.readers)
            rustc, conditions = judge.toolchain.rustc, judging_conditions(judge)
        with times.phase("reports"):
            sum_up(folder, stems, problem_set, modes, k_values, conditions)
        outcome = Outcome(
            models={model.label: model.record() for model in models},
            deviations=_deviations(settings),
            proof=proof,
            scoring=counts_of(summary),
            files=file_hashes(folder, stems, modes),
            cluster=many.record,
        )
        metadata = collect_metadata(
            Request(
                settings.command, settings.arguments, seeds={}, training_data=settings.training_data
            ),
            Tools(checkout(), rustc, settings.judge.sandbox_mode),
            problem_set,
            durations_of(times.seconds, times.invocations),
            outcome,
        )
        write_atomic(folder.metadata, json.dumps(metadata, indent=2, ensure_ascii=False) + "\n")
        _report(folder, problem_set, len(models))
    return summary


def _deviations(settings: ScoreSettings) -> list[Deviation]:
    """What departs from the pins on this machine, and in the training data."""
    machine = deviations_of_machine(None, settings.judge.sandbox_mode, settings.problem_set)
    return [*machine, *deviations_of_data(settings.training_data)]


def _report(folder: RunFolder, problem_set: ProblemSet, models: int) -> None:
    """Write the reports, and show what they come to."""
    write_reports(folder.path, problem_set)
    if models > len(MODEL_LABELS):
        compared = compare_runs([folder.path])
        write_atomic(folder.side_by_side, visible(compared.markdown()))
        print_comparison(compared)
    print_summary(folder.path)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            yield chunk


def _names_of(settings: ScoreSettings) -> list[str]:
    """A name for each file. Raises UsageError where they are not one each."""
    sources, given = settings.sources, settings.names
    if list(sources).count(STANDARD_INPUT) > 1:
        raise UsageError("standard input (`-`) can be read once")
    if given and len(given) != len(sources):
        raise UsageError(f"--name was given {len(given)} times for {len(sources)} files")
    names = list(given) or [_stem(source) for source in sources]
    if not given and len(set(map(_slug, names))) < len(names):
        names = [f"{source.absolute().parent.name}-{_stem(source)}" for source in sources]
    if len(set(map(_slug, names))) < len(names):
        raise UsageError(
            f"two models have one name ({', '.join(names)}); give each its own, with a --name for "
            "each file"
        )
    return names


def _stem(source: Path) -> str:
    if source == STANDARD_INPUT:
        return "stdin"
    return _SUFFIXES.sub("", source.name or source.absolute().name) or source.name


def _slug(name: str) -> str:
    """A name as a file's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:_LONGEST_LABEL] or "samples"


def _labels_of(names: Sequence[str]) -> list[str]:
    """What the results are filed under: of two models, base and finetuned, else their names."""
    slugs = [_slug(name) for name in names]
    if len(names) != 2:
        return slugs
    turned = slugs[0] == TUNED or slugs[1] == BASE
    return list(reversed(MODEL_LABELS) if turned else MODEL_LABELS)


def _beside(sources: Sequence[Path], names: Sequence[str]) -> Path:
    """Where the results go unless somebody says."""
    first = next((source for source in sources if source != STANDARD_INPUT), Path("stdin"))
    stems = [_stem(source) for source in sources]
    stems = stems if len(set(stems)) == len(stems) else [_slug(name) for name in names]
    return first.absolute().parent / f"{'_'.join(stems)[:200]}_scored"


def _check_coverage(models: Sequence[_Model], settings: ScoreSettings) -> None:
    """Raises UsageError for samples of a part of the problems, unless that is what was meant."""
    problems = settings.problem_set.problems
    for model in models:
        missing = [p.task_id for p in problems if p.task_id not in model.read.counts]
        if missing and not settings.allow_partial:
            more = len(missing) - _LISTED_MISSING
            told = ", ".join(missing[:_LISTED_MISSING]) + (f" and {more} more" if more > 0 else "")
            raise UsageError(
                f"{model.read.name}: has samples of {len(model.read.counts)} of {len(problems)} "
                f"problems of {settings.problem_set.name}; missing: {told}. The score of a part "
                "is not that of the benchmark: add --allow-partial to have it all the same, and "
                "said wherever it stands"
            )


def _k_values(models: Sequence[_Model], settings: ScoreSettings) -> Sequence[int]:
    """The k that were asked for, or those that each problem of each file has samples enough for.

    Raises UsageError for a k above that.
    """
    if settings.k_values is None:
        fewest = min(min(model.read.counts.values()) for model in models)
        return [k for k in K_VALUES.default if k <= fewest]
    for model in models:
        check_k_values(model.read.counts, settings.k_values, model.read.name)
    return settings.k_values
