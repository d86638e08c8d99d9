"""The Markdown reports: one per policy mode, and a summary of both."""

from __future__ import annotations

import re
from typing import Any

from sigil_eval.reporting import tables
from sigil_eval.reporting.certificate import certificate_table
from sigil_eval.reporting.reproduce_command import reproduce_command
from sigil_eval.reporting.run_files import (
    MODE_TITLES,
    Run,
    deviations_title,
    notices,
    report_title,
    status,
    verdict_sentence,
)
from sigil_eval.run_folder import Mode

# What starts markup in the middle of a line: a tag, a link, emphasis, code, a table's cell.
_MARKUP = re.compile(r"[\\`*|~]|<(?=[A-Za-z/!?])|\[(?=[^\]]*\]\()|(?<!\w)_|_(?!\w)|^[>#]")


def comparison_report(run: Run, mode: Mode) -> str:
    """comparison_report.md of one mode."""
    metrics = run.metrics[mode]
    return _join(
        _heading(run, f": {MODE_TITLES[mode]}"),
        *_head(run),
        cell(verdict_sentence(metrics)),
        "## Scores",
        render(tables.subject_table(run, metrics)),
        render(tables.score_table(metrics)),
        render(tables.statistics_table(metrics)),
        cell(tables.headline_sentence(metrics)),
        render(tables.published_table(metrics)),
        "## Answers",
        render(tables.rate_table(metrics)),
        *_left_out(metrics),
        *_section("What went wrong", tables.count_table(metrics, "error_types")),
        *_section(
            "rustc error codes", tables.count_table(metrics, "error_codes", tables.LISTED_CODES)
        ),
        *_section("Policy", tables.policy_table(metrics)),
        *_section("From base to fine-tuned", tables.migration_table(metrics)),
        *_problem_changes(metrics),
        *_tail(run),
    )


def combined_summary(run: Run) -> str:
    """combined_summary.md: all modes there are, one after the other."""
    parts = [_heading(run), *_head(run), "## Verdict"]
    for mode, metrics in run.metrics.items():
        sentences = f"{verdict_sentence(metrics)} {tables.published_sentence(metrics)}".strip()
        parts.append(f"**{MODE_TITLES[mode]}.** {cell(sentences)}")
    for mode, metrics in run.metrics.items():
        parts += [f"## Scores: {MODE_TITLES[mode]}"]
        parts += [render(tables.score_table(metrics)), cell(tables.headline_sentence(metrics))]
        parts += [render(tables.published_table(metrics)), render(tables.rate_table(metrics))]
        parts += _left_out(metrics)
    parts += _section("Cost of the policy", tables.policy_cost_table(run))
    links = [f"- [{MODE_TITLES[mode]}]({mode}/comparison_report.md)" for mode in run.metrics]
    links.append("- [report.html](report.html), with the programs themselves")
    return _join(*parts, "## More", "\n".join(links), *_tail(run))


def render(table: tables.Table | None) -> str:
    """A Markdown table with its note; empty for None."""
    if table is None:
        return ""
    rule = [":--" if column < table.right else "--:" for column in range(len(table.head))]
    lines = [[cell(text) for text in table.head], rule]
    lines += [[cell(text) for text in row] for row in table.rows]
    drawn = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{drawn}\n\n{cell(table.note)}" if table.note else drawn


def cell(text: str) -> str:
    """Text from outside as one line that Markdown shows as it stands."""
    flat = " ".join(text.split())
    if isinstance(text, tables.Code) and flat and "`" not in flat:
        return "`" + flat.replace("|", "\\|") + "`"
    return _MARKUP.sub(r"\\\g<0>", flat)


def _join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(title: str, table: tables.Table | None) -> list[str]:
    return [] if table is None else [f"## {title}", render(table)]


def _heading(run: Run, mode: str = "") -> str:
    """The title, which says at once when the run is not a clean one."""
    flaws = f" ({', '.join(status(run))})" if status(run) else ""
    return f"# {cell(report_title(run))}{mode}{flaws}"


def _head(run: Run) -> list[str]:
    parts = [f"> **{notice.title}.** {cell(notice.text)}" for notice in notices(run)]
    deviations = tables.deviation_table(run)
    if deviations is not None:
        parts += [f"**{deviations_title(run)}.**", render(deviations)]
    elif run.metadata is not None:
        parts.append("No deviations from the pinned environment.")
    return parts


def _left_out(metrics: dict[str, Any]) -> list[str]:
    lines = [f"- {cell(line)}" for line in tables.left_out(metrics)]
    return ["Left out of the scores:", "\n".join(lines)] if lines else []


def _problem_changes(metrics: dict[str, Any]) -> list[str]:
    comparison = metrics["comparison"]
    if comparison is None:
        return []
    wins, losses = comparison["wins"], comparison["losses"]
    parts = [
        "## Problem by problem",
        f"{len(wins)} problems better, {comparison['ties']} equal, {len(losses)} worse, by the "
        "share of samples that pass.",
    ]
    for title, tasks in (("Better", wins), ("Worse", losses)):
        if tasks:
            parts += [f"### {title}", render(tables.change_table(metrics, tasks))]
    return parts


def _tail(run: Run) -> list[str]:
    metadata = run.metadata
    certificate = ["## Why the verdicts can be trusted", render(certificate_table(run))]
    if metadata is None:
        return certificate
    return [
        *certificate,
        *_section("Time and cost", tables.duration_table(metadata)),
        *_section("Environment", tables.environment_table(metadata)),
        "## Reproduce",
        f"```sh\n{reproduce_command(metadata)}\n```",
    ]
