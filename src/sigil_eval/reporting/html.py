"""report.html: one file that opens from disk, without a network, with the programs inside.

Text that a model wrote is data three times over: Jinja escapes what the template shows, the
programs travel as JSON in which no character can end the script element, and the page's own
script puts them in place as text. A content security policy with the hash of that script lets
nothing else run and nothing be fetched.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sigil_eval.documents import Metrics
from sigil_eval.documents.estimates import MeanInterval
from sigil_eval.problems import ProblemSet
from sigil_eval.reporting import charts
from sigil_eval.reporting.blocks import Block, Code, Linked, of_part
from sigil_eval.reporting.notices import notices, status
from sigil_eval.reporting.problem_details import problem_data
from sigil_eval.reporting.problem_map import cells, entries, tasks_of
from sigil_eval.reporting.reproduce_command import reproduce_command
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sampling import sampling_line
from sigil_eval.reporting.sections import answers, environment, failures, policy, scores
from sigil_eval.reporting.sections.certificate import STATES, certificate
from sigil_eval.reporting.sections.deviations import deviation_tables
from sigil_eval.reporting.sections.migration import migration_table
from sigil_eval.reporting.sections.order import SECTIONS
from sigil_eval.reporting.wording import (
    MODE_MEANINGS,
    MODE_TITLES,
    absolute_scores,
    coverage,
    figure_name,
    model_title,
    verdict_sentence,
)
from sigil_eval.run_folder import BASE, TUNED, Mode

if TYPE_CHECKING:
    from jinja2 import Environment

CURVE_SIZE = (520, 260)
# The parts of the page's script, each of which may use those before it.
SCRIPTS = (
    *("text", "rust", "address", "diff", "problem", "list"),
    *("statistics", "check", "save", "start"),
)
# What the list can be filtered by besides verdicts; script/list.js.j2 knows what each means.
TRAITS = (
    "compiled",
    "cut off",
    "unsafe",
    "with main",
    "too slow",
    "in one process",
    "correct but rejected",
)


def html_report(run: Run, problem_set: ProblemSet | None = None) -> str:
    """The whole page. `problem_set` gives the prompts; without it the page shows none."""
    from markupsafe import Markup

    templates = templates_of_pages()
    script = _script(templates)
    return templates.get_template("report.html.j2").render(
        **page_head(run),
        **_parts(run, problem_set),
        sections=document_sections(run),
        style=Markup(template_source(templates, "report.css.j2")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=Markup(script_json(_data(run))),  # noqa: S704 - escaped by script_json
        problem_data=Markup(script_json(problem_data(run, problem_set))),  # noqa: S704 - so is it
    )


def templates_of_pages() -> Environment:
    """The templates, which escape what they show."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("sigil_eval.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["is_code"] = lambda text: isinstance(text, Code)
    templates.filters["is_linked"] = lambda text: isinstance(text, Linked)
    templates.filters["kind"] = lambda block: type(block).__name__
    return templates


def script_json(data: Any) -> str:
    """JSON that means the same to JSON.parse and nothing to an HTML parser."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _script(templates: Any) -> str:
    """The page's own script, of its parts."""
    parts = "\n".join(template_source(templates, f"script/{name}.js.j2") for name in SCRIPTS)
    return f'"use strict";\n(() => {{\n{parts}}})();'


def template_source(templates: Any, name: str) -> str:
    """A template as it stands in its file."""
    source, _, _ = templates.loader.get_source(templates, name)
    return str(source)


def page_head(run: Run) -> dict[str, object]:
    """What a page shows before the numbers."""
    return {
        "title": run.title,
        "labels": [(label, model_title(label), run.model_name(label)) for label in run.labels],
        "notices": notices(run),
        "status": status(run),
        "deviations": deviation_tables(run),
        "sampling": sampling_line(run),
        "paired": BASE in run.labels and TUNED in run.labels,
    }


def _parts(run: Run, problem_set: ProblemSet | None) -> dict[str, object]:
    """What the template lays out in a way of its own."""
    every_model = [m for metrics in run.metrics.values() for m in metrics["models"].values()]
    return {
        "certificate": certificate(run),
        "states": STATES,
        "rates": of_part(answers.rate_table(run), coverage(run.first_metrics)),
        "modes": [_mode(run, mode) for mode in run.metrics],
        "policy_cost": of_part(policy.policy_cost_table(run), coverage(run.first_metrics)),
        "problems": entries(run, problem_set),
        "outcomes": sorted({name for model in every_model for name in model["error_types"]}),
        "codes": sorted({name for model in every_model for name in model["error_codes"]}),
        "traits": TRAITS,
        "origins": _origins(run),
        "metadata": recorded(run),
    }


def document_sections(run: Run) -> list[tuple[str, list[Block]]]:
    """The sections that are text and tables, by name."""
    found = [
        (
            section.name,
            [of_part(block, section.part(run.first_metrics)) for block in section.on_page(run)],
        )
        for section in SECTIONS
    ]
    return [(name, blocks) for name, blocks in found if blocks]


def _mode(run: Run, mode: Mode) -> dict[str, object]:
    metrics = run.metrics[mode]
    comparison = metrics["comparison"]
    flows = comparison["migration"] if comparison else ()
    shown = {
        "name": mode,
        "title": MODE_TITLES[mode],
        "kind": comparison["verdict"]["kind"] if comparison else "single",
        "meaning": MODE_MEANINGS[mode],
        "part": coverage(metrics),
        "absolute": absolute_scores(metrics, arrow=True),
        "sentence": verdict_sentence(metrics),
        "comparison": comparison,
        "difference": charts.difference_whisker(metrics),
        "forest": charts.forest(metrics),
        "bars": charts.outcome_bars(metrics),
        "curves": charts.curve_chart(metrics, *CURVE_SIZE),
        "subject": scores.subject_table(run, metrics),
        "scores": scores.score_table(metrics),
        "headline": scores.headline_sentence(metrics),
        "columns_sentence": scores.columns_sentence(metrics),
        "columns": scores.columns_table(metrics),
        "flagged": scores.flagged_table(metrics),
        "flagged_sentence": scores.flagged_sentence(metrics),
        "statistics": scores.statistics_table(metrics),
        "left_out": answers.left_out(metrics),
        "errors": failures.error_table(metrics),
        "codes": failures.code_table(metrics),
        "policy": policy.policy_table(metrics),
        "migration": migration_table(metrics),
        "most": max((flow["problems"] for flow in flows), default=1),
        "cells": cells(run, metrics),
    }
    return {name: of_part(value, coverage(metrics)) for name, value in shown.items()}


def _origins(run: Run) -> list[str]:
    """What the answers of either model came to, the most frequent first."""
    weight: defaultdict[str, float] = defaultdict(float)
    for metrics in run.metrics.values():
        for flow in metrics["comparison"]["migration"] if metrics["comparison"] else ():
            for outcome in (flow["base"], flow["finetuned"]):
                weight[outcome] += flow["problems"]
    return sorted(weight, key=lambda outcome: (-round(weight[outcome], 6), outcome))


def recorded(run: Run) -> dict[str, object] | None:
    """What is shown of the metadata; None where there are none."""
    if run.metadata is None:
        return None
    return {
        "created_at": run.metadata["created_at"],
        "durations": environment.duration_table(run.metadata),
        "environment": environment.environment_table(run.metadata),
        "command": reproduce_command(run.metadata),
        "packages": run.metadata["packages"],
        "vllm_packages": run.metadata.get("vllm_packages"),
        "arguments": {
            name: json.dumps(value, ensure_ascii=False)
            for name, value in run.metadata["arguments"].items()
        },
    }


def _counts(metrics: Metrics) -> dict[str, dict[str, list[int]]]:
    """Scored and passing samples of each problem, by model."""
    return {
        label: {task: [p["scored"], p["passed"]] for task, p in model["per_problem"].items()}
        for label, model in metrics["models"].items()
    }


def _figures(run: Run) -> Iterator[dict[str, object]]:
    """Every score and difference as metrics.json has it, for the page to compute anew."""
    for mode, metrics in run.metrics.items():
        for label, model in metrics["models"].items():
            for k, score in model["pass_at_k"].items():
                if score is not None:
                    name = figure_name(mode, k, label)
                    yield {"name": name, "of": label, **_ends(mode, k, score)}
        comparison = metrics["comparison"]
        for k, paired in comparison["pass_at_k"].items() if comparison else ():
            if paired is not None:
                yield {"name": figure_name(mode, k), **_ends(mode, k, paired["difference"])}


def _ends(mode: Mode, k: str, found: MeanInterval) -> dict[str, object]:
    ends = {end: found[end] for end in ("mean", "low", "high")}
    return {"mode": mode, "k": int(k), **ends}


def _data(run: Run) -> dict[str, object]:
    """What the page's script counts."""
    return {
        "title": run.title,
        "labels": [[label, model_title(label)] for label in run.labels],
        "modes": list(run.metrics),
        "order": tasks_of(run),
        "figures": list(_figures(run)),
        "counts": {mode: _counts(metrics) for mode, metrics in run.metrics.items()},
    }
