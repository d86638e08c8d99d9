"""metrics.json made anew from the results."""

from __future__ import annotations

from pathlib import Path
from typing import NotRequired, TypedDict, cast

from sigil_eval.documents import Metrics
from sigil_eval.documents.constraints import AtLeastOne
from sigil_eval.documents.metrics import METRICS_VERSION, PinnedProblems
from sigil_eval.documents.shape import read_document
from sigil_eval.documents.sweep import Sweep
from sigil_eval.errors import UsageError
from sigil_eval.problems import ProblemSet, load_problem_set, pinned_names
from sigil_eval.reporting.metrics import build_metrics, write_metrics
from sigil_eval.reporting.tally import count_correct_but_rejected
from sigil_eval.run_folder import MODES, Mode, RunFolder


class _Named(TypedDict):
    """Which problem set metrics of any version are about."""

    name: str
    sha256: str
    errata_sha256: str | None


class _Remade(TypedDict):
    """What metrics of any version must say to be made anew."""

    problem_set: _Named
    models: dict[str, object]
    k_values: list[AtLeastOne]
    seed: int
    judge: NotRequired[dict[str, object] | None]
    sweep: NotRequired[Sweep]


def refresh_metrics(output_dir: Path, problem_set: ProblemSet | None = None) -> None:
    """Make each metrics.json anew from the results, where they and their problem set are here.

    `problem_set` is by default the pinned one that the file names.
    """
    for mode in MODES:
        path = RunFolder(output_dir).metrics(mode)
        if path.is_file():
            written = cast(Metrics, read_document(path, _Remade))
            problems = problem_set or pinned_set(written["problem_set"])
            if problems is None:
                continue
            metrics = rebuilt_metrics(output_dir, mode, written, problems)
            if metrics is not None:
                write_metrics(path, metrics)


def rebuilt_metrics(
    folder: Path, mode: Mode, written: Metrics, problem_set: ProblemSet
) -> Metrics | None:
    """What the metrics of a mode come to by its results, for the k and seed that `written` has.

    None when results are missing, or when `problem_set` is not the one they were judged by.
    """
    named = written["problem_set"]
    here = problem_set.sha256, problem_set.errata_sha256, problem_set.plus_sha256
    # Metrics of version 3 know of no plus cases, and their results do not either.
    if here != (named["sha256"], named["errata_sha256"], named.get("plus_sha256", here[2])):
        return None

    def results(mode: Mode) -> dict[str, Path]:
        files = RunFolder(folder)
        return {label: files.results_of(mode, label) for label in written["models"]}

    if not all(path.is_file() for path in results(mode).values()):
        return None
    free = {label: path for label, path in results(MODES[0]).items() if path.is_file()}
    return build_metrics(
        mode,
        results(mode),
        # Metrics of earlier versions had the headline that the problem set has by itself.
        problem_set.headed_by(written["headline"] if _is_of_today(written) else None),
        written["k_values"],
        correct_but_rejected={
            label: count_correct_but_rejected(path) for label, path in free.items()
        },
        seed=written["seed"],
        judge=written.get("judge"),
        steps=_steps(written),
    )


def _steps(written: Metrics) -> dict[str, int | None] | None:
    """The training steps of a sweep's checkpoints; None of what is no sweep."""
    if "sweep" not in written:
        return None
    return {point["label"]: point["step"] for point in written["sweep"]["points"]}


def _is_of_today(written: Metrics) -> bool:
    return written.get("schema_version") == METRICS_VERSION


def pinned_set(named: PinnedProblems) -> ProblemSet | None:
    """The pinned set that metrics name, when this installation has the same one."""
    if named["name"] not in pinned_names():
        return None
    try:
        found = load_problem_set(named["name"])
    except UsageError:
        return None
    return found if found.sha256 == named["sha256"] else None
