"""From results rows to metrics.json and the reports that people read."""

from __future__ import annotations

from pathlib import Path

from sigil_eval.errors import UsageError
from sigil_eval.files import write_atomic
from sigil_eval.problems import PINNED_SETS, ProblemSet, load_problem_set
from sigil_eval.reporting.html import html_report
from sigil_eval.reporting.markdown import combined_summary, comparison_report
from sigil_eval.reporting.metrics import build_metrics, check_k_values, write_metrics
from sigil_eval.reporting.run_files import Run, load_run
from sigil_eval.reporting.terminal import print_summary

__all__ = [
    "build_metrics",
    "check_k_values",
    "print_summary",
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
        problem_set = _pinned_set(run)
    reports = {
        output_dir / mode / "comparison_report.md": comparison_report(run, mode)
        for mode in run.metrics
    }
    reports[output_dir / "combined_summary.md"] = combined_summary(run)
    reports[output_dir / "report.html"] = html_report(run, problem_set)
    for path, content in reports.items():
        write_atomic(path, content.encode("utf-8", "backslashreplace"))
    return list(reports)


def _pinned_set(run: Run) -> ProblemSet | None:
    """The pinned set of the run's problems, when this installation has the same one."""
    named = next(iter(run.metrics.values()))["problem_set"]
    if named["name"] not in PINNED_SETS:
        return None
    try:
        found = load_problem_set(named["name"])
    except UsageError:
        return None
    return found if found.sha256 == named["sha256"] else None
