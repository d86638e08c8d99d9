"""From results rows to metrics.json and the reports that people read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sigil_eval.errors import UsageError
from sigil_eval.files import write_atomic
from sigil_eval.problems import PINNED_SETS, ProblemSet, load_problem_set
from sigil_eval.reporting.html import html_report
from sigil_eval.reporting.markdown import combined_summary, comparison_report
from sigil_eval.reporting.metrics import build_metrics, check_k_values, write_metrics
from sigil_eval.reporting.run_files import load_run, read_json
from sigil_eval.reporting.terminal import print_summary
from sigil_eval.run_folder import MODES, Mode, RunFolder, result_stem

__all__ = [
    "build_metrics",
    "check_k_values",
    "print_summary",
    "rebuilt_metrics",
    "refresh_metrics",
    "write_metrics",
    "write_reports",
]


def write_reports(output_dir: Path, problem_set: ProblemSet | None = None) -> list[Path]:
    """Write all reports of a run from its results, metrics.json and eval_metadata.json.

    Works with one model or one mode missing, and without metadata (the reports then say so).
    `problem_set` gives the prompts; by default it is the pinned set that the metrics name.
    Needs neither GPU nor rustc. Returns the files written. Raises UsageError when the folder
    holds no run.
    """
    run = load_run(output_dir)
    if problem_set is None:
        problem_set = _pinned_set(next(iter(run.metrics.values()))["problem_set"])
    files = RunFolder(output_dir)
    reports = {files.comparison(mode): comparison_report(run, mode) for mode in run.metrics}
    reports[files.summary] = combined_summary(run)
    reports[files.html] = html_report(run, problem_set)
    for path, content in reports.items():
        write_atomic(path, content.encode("utf-8", "backslashreplace"))
    return list(reports)


def refresh_metrics(output_dir: Path, problem_set: ProblemSet | None = None) -> None:
    """Make each metrics.json anew from the results, where they and their problem set are here.

    `problem_set` is by default the pinned one that the file names.
    """
    for mode in MODES:
        path = RunFolder(output_dir).metrics(mode)
        if path.is_file():
            written = read_json(path)
            problems = problem_set or _pinned_set(written["problem_set"])
            if problems is None:
                continue
            metrics = rebuilt_metrics(output_dir, mode, written, problems)
            if metrics is not None:
                write_metrics(path, metrics)


def rebuilt_metrics(
    folder: Path, mode: Mode, written: Mapping[str, Any], problem_set: ProblemSet
) -> dict[str, Any] | None:
    """What the metrics of a mode come to by its results, for the k and seed that `written` has.

    None when results are missing, or when `problem_set` is not the one they were judged by.
    """
    named = written["problem_set"]
    if (problem_set.sha256, problem_set.errata_sha256) != (named["sha256"], named["errata_sha256"]):
        return None

    def results(mode: Mode) -> dict[str, Path]:
        files = RunFolder(folder)
        return {label: files.results(mode, result_stem(label)) for label in written["models"]}

    if not all(path.is_file() for path in results(mode).values()):
        return None
    free = results(MODES[0])
    return build_metrics(
        mode,
        results(mode),
        problem_set,
        written["k_values"],
        unrestricted=free if all(path.is_file() for path in free.values()) else None,
        seed=written["seed"],
        judge=written.get("judge"),
    )


def _pinned_set(named: Mapping[str, Any]) -> ProblemSet | None:
    """The pinned set that metrics name, when this installation has the same one."""
    if named["name"] not in PINNED_SETS:
        return None
    try:
        found = load_problem_set(named["name"])
    except UsageError:
        return None
    return found if found.sha256 == named["sha256"] else None
