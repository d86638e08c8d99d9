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
from typing import Any

from sigil_eval.problems import ProblemSet
from sigil_eval.reporting import charts, tables
from sigil_eval.reporting.certificate import STATES, certificate
from sigil_eval.reporting.programs import collect_programs
from sigil_eval.reporting.reproduce_command import reproduce_command
from sigil_eval.reporting.run_files import (
    MODE_TITLES,
    Run,
    deviations_title,
    model_title,
    notices,
    report_title,
    status,
    verdict_sentence,
)
from sigil_eval.run_folder import BASE, TUNED, Mode

CURVE_SIZE = (520, 260)


def html_report(run: Run, problem_set: ProblemSet | None = None) -> str:
    """The whole page. `problem_set` gives the prompts; without it the page shows none."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("sigil_eval.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["is_code"] = lambda text: isinstance(text, tables.Code)
    script = _source(environment, "report.js.j2")
    return environment.get_template("report.html.j2").render(
        title=report_title(run),
        labels=[(label, model_title(label), run.model_name(label)) for label in run.labels],
        notices=notices(run),
        status=status(run),
        certificate=certificate(run),
        states=STATES,
        deviations=tables.deviation_table(run),
        deviations_title=deviations_title(run),
        modes=[_mode(run, mode) for mode in run.metrics],
        policy_cost=tables.policy_cost_table(run),
        problems=_problems(run, problem_set),
        outcomes=_names(run, "error_types"),
        codes=_names(run, "error_codes"),
        metadata=_metadata(run),
        paired=BASE in run.labels and TUNED in run.labels,
        style=Markup(_source(environment, "report.css.j2")),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        data=Markup(script_json(_data(run, problem_set))),  # noqa: S704 - escaped by script_json
    )


def script_json(data: Any) -> str:
    """JSON that means the same to JSON.parse and nothing to an HTML parser."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _source(environment: Any, name: str) -> str:
    source, _, _ = environment.loader.get_source(environment, name)
    return str(source)


def _mode(run: Run, mode: Mode) -> dict[str, Any]:
    metrics = run.metrics[mode]
    comparison = metrics["comparison"]
    return {
        "name": mode,
        "title": MODE_TITLES[mode],
        "kind": comparison["verdict"]["kind"] if comparison else "single",
        "sentence": verdict_sentence(metrics),
        "comparison": comparison,
        "difference": charts.difference_whisker(metrics),
        "whiskers": charts.whiskers(metrics),
        "curves": charts.curves(metrics, *CURVE_SIZE),
        "subject": tables.subject_table(run, metrics),
        "scores": tables.score_table(metrics),
        "headline": tables.headline_sentence(metrics),
        "as_published": tables.published_sentence(metrics),
        "published": tables.published_table(metrics),
        "statistics": tables.statistics_table(metrics),
        "rates": tables.rate_table(metrics),
        "left_out": tables.left_out(metrics),
        "errors": tables.count_table(metrics, "error_types"),
        "codes": tables.count_table(metrics, "error_codes", tables.LISTED_CODES),
        "policy": tables.policy_table(metrics),
        "migration": tables.migration_table(metrics),
        "most": max((f["problems"] for f in (comparison or {}).get("migration", ())), default=1),
        "cells": [_cell(task, metrics) for task in _tasks(run)],
    }


def _tasks(run: Run) -> list[str]:
    """Every problem that any model has samples for, in the problem set's order."""
    first = next(iter(run.metrics.values()))
    ordered: dict[str, None] = {}
    for model in first["models"].values():
        ordered.update(dict.fromkeys(model["per_problem"]))
    return list(ordered)


def _cell(task: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """One problem in the map: the share of passing samples per model, and the change."""
    shares, texts = {}, []
    for label, model in metrics["models"].items():
        problem = model["per_problem"].get(task)
        if problem and problem["scored"]:
            shares[label] = problem["passed"] / problem["scored"]
            texts.append(f"{model_title(label)} {problem['passed']} of {problem['scored']}")
        else:
            texts.append(f"{model_title(label)} not scored")
    return {
        "task": task,
        "number": task.rsplit("/", 1)[-1],
        "shares": shares,
        "change": _change(shares),
        "text": f"{task}: {', '.join(texts)}",
    }


def _change(shares: dict[str, float]) -> str:
    if BASE not in shares or TUNED not in shares:
        return "none"
    difference = shares[TUNED] - shares[BASE]
    return "better" if difference > 0 else "worse" if difference < 0 else "same"


def _problems(run: Run, problem_set: ProblemSet | None) -> list[dict[str, Any]]:
    """One entry per problem for the explorer's list, judged by the first mode there is."""
    metrics = next(iter(run.metrics.values()))
    by_id = problem_set.by_id if problem_set else {}
    entries = []
    for task in _tasks(run):
        entry = _cell(task, metrics)
        entry["entry_point"] = by_id[task].entry_point if task in by_id else ""
        entry["counts"] = [
            (model_title(label), label, _count_text(metrics["models"].get(label), task))
            for label in run.labels
        ]
        entries.append(entry)
    return entries


def _count_text(model: dict[str, Any] | None, task: str) -> str:
    problem = (model or {}).get("per_problem", {}).get(task)
    return f"{problem['passed']}/{problem['scored']}" if problem else "–"


def _names(run: Run, key: str) -> list[str]:
    found = {
        name
        for metrics in run.metrics.values()
        for model in metrics["models"].values()
        for name in model[key]
    }
    return sorted(found)


def _metadata(run: Run) -> dict[str, Any] | None:
    if run.metadata is None:
        return None
    return {
        "created_at": run.metadata["created_at"],
        "durations": tables.duration_table(run.metadata),
        "environment": tables.environment_table(run.metadata),
        "command": reproduce_command(run.metadata),
        "packages": run.metadata["packages"],
        "arguments": {
            name: json.dumps(value, ensure_ascii=False)
            for name, value in run.metadata["arguments"].items()
        },
    }


def _data(run: Run, problem_set: ProblemSet | None) -> dict[str, Any]:
    programs = collect_programs(run)
    by_id = problem_set.by_id if problem_set else {}
    return {
        "labels": [[label, model_title(label)] for label in run.labels],
        "problems": {
            task: {
                "prompt": by_id[task].prompt if task in by_id else "",
                "models": {label: programs[label].get(task) for label in run.labels},
            }
            for task in _tasks(run)
        },
    }
