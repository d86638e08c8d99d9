"""report.html of a sweep: one file that opens from disk, without a network and without scripts."""

from __future__ import annotations

from dataclasses import replace

from sigil_eval.documents.sweep import Sweep
from sigil_eval.reporting.blocks import Block, Table, of_part, unlinked
from sigil_eval.reporting.html import (
    document_sections,
    page_head,
    recorded,
    template_source,
    templates_of_pages,
)
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections import answers, failures, policy, scores, sweep
from sigil_eval.reporting.sections.certificate import STATES, certificate
from sigil_eval.reporting.sweep_chart import heat_map, learning_curve
from sigil_eval.reporting.wording import MODE_MEANINGS, MODE_TITLES, coverage
from sigil_eval.run_folder import BASE, TUNED, Mode


def sweep_page(run: Run) -> str:
    """The whole page; programs stand in the results files, which it names."""
    from markupsafe import Markup

    templates = templates_of_pages()
    found = run.first_metrics["sweep"]
    known = {
        **page_head(run),
        "labels": _subjects(run, found),
        "modes": [_mode(run, mode) for mode in run.metrics],
        "rates": _table(run, answers.rate_table(run)),
        "policy_cost": _table(run, policy.policy_cost_table(run)),
        "sections": document_sections(run),
        "certificate": [replace(fact, result=str(fact.result)) for fact in certificate(run)],
        "states": STATES,
        "metadata": recorded(run),
        "style": Markup(template_source(templates, "report.css.j2")),  # noqa: S704 - our own file
    }
    return str(templates.get_template("sweep.html.j2").render(known))


def _subjects(run: Run, found: Sweep) -> list[tuple[str, str, str]]:
    """The base, and the checkpoints from the first to the last."""
    names = [point["label"] for point in found["points"]]
    told = names[0] if len(names) == 1 else f"{len(names)}, {names[0]} to {names[-1]}"
    return [(BASE, "Base", run.model_name(BASE)), (TUNED, "Checkpoints", told)]


def _table(run: Run, table: Table | None) -> Block | None:
    return unlinked(of_part(table, coverage(run.first_metrics)))


def _mode(run: Run, mode: Mode) -> dict[str, object]:
    metrics = run.metrics[mode]
    found = metrics["sweep"]
    shown = {
        "name": mode,
        "title": MODE_TITLES[mode],
        "meaning": MODE_MEANINGS[mode],
        "sentence": found["sentence"],
        "part": coverage(metrics),
        "curve": learning_curve(metrics, found),
        "k": found["k"],
        "scores": sweep.sweep_table(metrics),
        "headline": scores.headline_sentence(metrics),
        "columns": scores.columns_table(metrics, metrics["k_values"][:1]),
        "caution": list(sweep.caution(run, metrics)),
        "map": heat_map(metrics, found),
        "changes": sweep.change_table(metrics),
        "left_out": answers.left_out(metrics),
        "errors": failures.error_table(metrics),
        "rows": [f"{mode}/{run.results_path(mode, label).name}" for label in run.labels],
    }
    return {
        name: _table(run, value) if isinstance(value, Table) else value
        for name, value in shown.items()
    }
