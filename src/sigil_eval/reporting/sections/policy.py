"""Policy: what it rejects, and what that costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sigil_eval.documents import Metrics
from sigil_eval.documents.estimates import MeanInterval
from sigil_eval.documents.metrics import ModelMetrics
from sigil_eval.reporting.blocks import Block, Code, Table, linked, narrow, titled
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.wording import MODE_MEANINGS, difference_text, model_title, percent
from sigil_eval.run_folder import Mode
from sigil_eval.statistics import paired_difference, pass_at_k


def policy_table(metrics: Metrics) -> Table | None:
    """Rejected samples by category, and the correct ones among them."""
    models = metrics["models"]
    if not any(model["policy_rejects"]["total"] for model in models.values()):
        return None
    rows: list[list[str]] = []
    totals = {label: str(model["policy_rejects"]["total"]) for label, model in models.items()}
    correct = {label: _correct_but_rejected(model) for label, model in models.items()}
    for name, texts, verdict in (
        ("All", totals, "policy_violation"),
        ("Correct, but rejected", correct, "is:correct but rejected"),
    ):
        told = {"mode": metrics["mode"], "verdict": verdict}
        rows.append([name, *(linked(text, model=label, **told) for label, text in texts.items())])
    for name in sorted({c for m in models.values() for c in m["policy_rejects"]["by_category"]}):
        counts = (m["policy_rejects"]["by_category"].get(name, 0) for m in models.values())
        rows.append([Code(name), *(str(count) for count in counts)])
    what = "that policy mode rejects" if metrics["mode"] == "policy" else "that it would reject"
    return narrow(Table([f"Samples {what}", *map(model_title, models)], rows, 1))


def _correct_but_rejected(model: ModelMetrics) -> str:
    count = model["policy_rejects"]["correct_but_rejected"]
    return "unknown" if count is None else str(count)


def policy_cost_table(run: Run) -> Table | None:
    """The same samples without and with the policy."""
    if len(run.metrics) < 2:
        return None
    free, held = run.metrics["no-policy"], run.metrics["policy"]
    rows: list[list[str]] = []
    for label in run.labels:
        if label in free["models"] and label in held["models"]:
            before, after = free["models"][label], held["models"][label]
            rows += _cost_rows(label, before, after)
    head = ["", "", "Without", "With policy", "Cost, points", "Correct samples rejected"]
    return Table(head, rows, 2, MODE_MEANINGS["policy"]) if rows else None


def _cost_rows(label: str, free: ModelMetrics, held: ModelMetrics) -> Iterable[list[str]]:
    for k, before in free["pass_at_k"].items():
        after = held["pass_at_k"].get(k)
        if before and after:
            yield [
                model_title(label),
                f"pass@{k}",
                percent(before["mean"]),
                percent(after["mean"]),
                difference_text(_policy_cost(free, held, int(k))),
                linked(
                    _correct_but_rejected(held),
                    mode="policy",
                    model=label,
                    verdict="is:correct but rejected",
                ),
            ]


def _policy_cost(free: ModelMetrics, held: ModelMetrics, k: int) -> MeanInterval:
    """The difference that the policy makes, paired over the problems that both modes scored."""
    pairs = [
        (before, held["per_problem"][task])
        for task, before in free["per_problem"].items()
        if min(before["scored"], held["per_problem"][task]["scored"]) >= k
    ]
    without, under = (
        [pass_at_k(pair[side]["scored"], pair[side]["passed"], k) for pair in pairs]
        for side in (0, 1)
    )
    cost = paired_difference(without, under)
    return {"mean": cost.mean, "low": cost.low, "high": cost.high}


def _in_comparison(run: Run, mode: Mode) -> Iterator[Block]:
    return titled("Policy", policy_table(run.metrics[mode]))


def _in_summary(run: Run) -> Iterator[Block]:
    return titled("Cost of the policy", policy_cost_table(run))


SECTION = Section("policy", _in_comparison, _in_summary)
