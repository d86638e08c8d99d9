"""All reports of a run, written from what it has left."""

from __future__ import annotations

from pathlib import Path

from sigil_eval.console import visible
from sigil_eval.files import write_atomic
from sigil_eval.problems import ProblemSet
from sigil_eval.reporting.html import html_report
from sigil_eval.reporting.markdown import combined_summary, comparison_report
from sigil_eval.reporting.rebuild import pinned_set
from sigil_eval.reporting.run import load_run
from sigil_eval.reporting.sweep_page import sweep_page
from sigil_eval.run_folder import RunFolder


def write_reports(output_dir: Path, problem_set: ProblemSet | None = None) -> list[Path]:
    """Write all reports of a run from its results, metrics.json and eval_metadata.json.

    Works with one model or one mode missing, and without metadata (the reports then say so).
    `problem_set` gives the prompts; by default it is the pinned set that the metrics name.
    Needs neither GPU nor rustc. Returns the files written. Raises UsageError when the folder
    holds no run.
    """
    run = load_run(output_dir)
    if problem_set is None:
        problem_set = pinned_set(run.problem_set)
    files = RunFolder(output_dir)
    reports = {files.comparison(mode): comparison_report(run, mode) for mode in run.metrics}
    reports[files.summary] = combined_summary(run)
    sweep = "sweep" in run.first_metrics
    reports[files.html] = sweep_page(run) if sweep else html_report(run, problem_set)
    for path, content in reports.items():
        write_atomic(path, visible(content))
    return list(reports)
