"""What went wrong: samples by error type and by rustc error code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from sigil_eval.documents import Metrics
from sigil_eval.reporting.blocks import Block, Code, Table, linked, narrow, titled
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.wording import model_title, percent
from sigil_eval.run_folder import Mode

LISTED_CODES = 15
type _Counted = Literal["error_types", "error_codes"]
# By which of its filters the page's list shows them.
_FILTERS: dict[_Counted, str] = {"error_types": "verdict", "error_codes": "code"}


def error_table(metrics: Metrics) -> Table | None:
    """Samples by error type, the most frequent first."""
    return _count_table(metrics, "error_types", None)


def code_table(metrics: Metrics) -> Table | None:
    """Samples by rustc error code, the most frequent ones."""
    return _count_table(metrics, "error_codes", LISTED_CODES)


def _count_table(metrics: Metrics, name: _Counted, limit: int | None) -> Table | None:
    models = metrics["models"]
    names = {key for model in models.values() for key in model[name]}
    order = sorted(names, key=lambda key: (-sum(m[name].get(key, 0) for m in models.values()), key))
    rows = [
        [Code(key), *(_count_of(metrics, name, key, label) for label in models)]
        for key in order[:limit]
    ]
    return narrow(Table(["", *map(model_title, models)], rows, 1)) if rows else None


def _count_of(metrics: Metrics, name: _Counted, key: str, label: str) -> str:
    model = metrics["models"][label]
    count, scored = model[name].get(key, 0), model["samples"]["scored"]
    if not count:
        return "0"
    text = f"{count} ({percent(count / scored)})"
    filters = {"mode": metrics["mode"], "model": label, _FILTERS[name]: key}
    return linked(text, **filters)


def _in_comparison(run: Run, mode: Mode) -> Iterator[Block]:
    metrics = run.metrics[mode]
    yield from titled("What went wrong", error_table(metrics))
    yield from titled("rustc error codes", code_table(metrics))


SECTION = Section("failures", _in_comparison)
