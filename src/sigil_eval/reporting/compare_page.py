"""The page of several runs side by side: one file that opens from disk, without a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from sigil_eval.documents.estimates import MeanInterval
from sigil_eval.reporting.charts import forest_of
from sigil_eval.reporting.html import template_source, templates_of_pages
from sigil_eval.reporting.sampling import sampling_line
from sigil_eval.reporting.side_by_side import Entry, SideBySide
from sigil_eval.reporting.wording import MODE_MEANINGS, MODE_TITLES, model_title, score_text
from sigil_eval.run_folder import RunFolder


def compare_page(compared: SideBySide, page: Path) -> str:
    """The page; `page` is where it will be, from where each run's own report is linked."""
    from markupsafe import Markup

    templates = templates_of_pages()
    return str(
        templates.get_template("compare.html.j2").render(
            names=[name for name, _ in compared.runs],
            runs=[
                (name, _link(RunFolder(run.folder).html, page), sampling_line(run))
                for name, run in compared.runs
            ],
            warnings=compared.warnings(),
            parts=list(_parts(compared)),
            style=Markup(template_source(templates, "report.css.j2")),  # noqa: S704 - our own file
        )
    )


def _link(report: Path, page: Path) -> str:
    """The way from the page to a run's report; empty where there is none."""
    if not report.is_file():
        return ""
    return quote(os.path.relpath(report.resolve(), page.resolve().parent))


def _parts(compared: SideBySide) -> Iterator[tuple[str, str, object, dict[str, object]]]:
    tables = dict(compared.tables())
    for mode, entries in compared.entries.items():
        title = MODE_TITLES[mode]
        yield title, MODE_MEANINGS[mode], tables[title], _plot(entries)


def _plot(entries: list[Entry]) -> dict[str, object]:
    """The scores of all runs on one axis, for the smallest k that they share."""
    k = str(min(set.intersection(*(set(entry.metrics["k_values"]) for entry in entries))))
    drawn = forest_of({f"pass@{k}": list(_scores(entries, k))})
    ((name, whiskers),) = drawn.rows
    return {"name": name, "whiskers": whiskers, "ticks": drawn.ticks}


def _scores(entries: list[Entry], k: str) -> Iterator[tuple[str, str, str, MeanInterval]]:
    for entry in entries:
        score = entry.model["pass_at_k"][k]
        if score is not None:
            title = f"{entry.name}: {model_title(entry.label)}"
            yield entry.label, title, score_text(score), score
