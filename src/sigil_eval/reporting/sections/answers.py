"""Answers: shares of the samples that compile, break the policy and so on; what was left out."""

from __future__ import annotations

from collections.abc import Iterator

from sigil_eval.documents import Metrics
from sigil_eval.documents.metrics import RateName
from sigil_eval.reporting.blocks import Block, Heading, Listing, Paragraph, Table, linked, narrow
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.wording import (
    MEANING_OF_MAIN_FREE,
    difference_text,
    listed,
    model_title,
    rate_text,
)
from sigil_eval.run_folder import COMPARISON_FILE, Mode

RATE_TITLES: dict[RateName, str] = {
    "compile": "Compiles",
    "clippy_clean": "Clippy finds nothing, of those that compile",
    "main_free": "Answer without fn main",
    "extraction_failure": "No code found in the answer",
    "truncated": "Cut off at the token limit",
    "policy_reject": "Breaks the policy",
    "uses_unsafe": "Uses unsafe",
}


# What the page's list is filtered by to show the samples that a share counts.
_SHOWN_BY: dict[RateName, str] = {
    "compile": "is:compiled",
    "extraction_failure": "extraction_failure",
    "truncated": "is:cut off",
    "policy_reject": "policy_violation",
    "uses_unsafe": "is:unsafe",
}


def rate_table(run: Run) -> Table:
    """Shares of the scored samples, with intervals over problems, and how they changed.

    They are about the samples, so they are given once, from the mode that compiles all of them.
    """
    metrics = run.first_metrics
    models, comparison = metrics["models"], metrics["comparison"]
    known = [name for name in RATE_TITLES if any(m["rates"][name]["of"] for m in models.values())]
    rows = []
    for name in known:
        row = [RATE_TITLES[name], *(_rate_cell(metrics, name, label) for label in models)]
        if comparison is not None:
            row.append(difference_text(comparison["rates"][name]))
        rows.append(row)
    head = ["", *map(model_title, models), *(["Difference, points"] if comparison else [])]
    note = f"In square brackets: 95 % intervals, clustered on problems. {MEANING_OF_MAIN_FREE}"
    if metrics["mode"] == "policy":
        note += " What breaks the policy was not compiled in this run, and counts as not compiling."
    return narrow(Table(head, rows, 1, f"{note} {_several_definitions(metrics)}".rstrip()))


def _several_definitions(metrics: Metrics) -> str:
    """How many answers depend on which of their definitions was taken; nothing where none does."""
    rates = [model["rates"]["several_definitions"] for model in metrics["models"].values()]
    held, scored = sum(rate["count"] for rate in rates), sum(rate["of"] for rate in rates)
    if not held:
        return ""
    return (
        f"{held} of {scored} answers held more than one whole definition; the first was taken, or "
        "the one that stands for it by the answer's words."
    )


def _rate_cell(metrics: Metrics, name: RateName, label: str) -> str:
    """A share, with the samples that it counts."""
    text = rate_text(metrics["models"][label]["rates"][name])
    if name not in _SHOWN_BY:
        return text
    return linked(text, mode=metrics["mode"], model=label, verdict=_SHOWN_BY[name])


def left_out(metrics: Metrics) -> list[str]:
    """Sentences on what is in no denominator, and why."""
    lines = []
    for label, model in metrics["models"].items():
        title, problems, samples = model_title(label), model["problems"], model["samples"]
        if samples["infrastructure"]:
            kinds = ", ".join(f"{kind} {n}" for kind, n in model["infrastructure_types"].items())
            lines.append(
                f"{title}: {samples['infrastructure']} samples without a verdict because of "
                f"infrastructure failures ({kinds})."
            )
        if problems["unscorable"]:
            fault = metrics["judge"].get("crates_fault") if metrics["judge"] else None
            why = f" They need crates, and {fault}; see `sigil-eval env`." if fault else ""
            lines.append(
                f"{title}: problems that this machine cannot score: "
                f"{listed(problems['unscorable'])}.{why}"
            )
        if problems["uncovered"]:
            lines.append(
                f"{title}: {len(problems['uncovered'])} problems without samples: "
                f"{listed(problems['uncovered'])}."
            )
        for k, score in model["pass_at_k"].items():
            tasks = score["left_out"] if score else []
            short = [task for task in tasks if task not in problems["unscorable"]]
            if short:
                lines.append(f"{title}, pass@{k}: fewer than {k} scored samples: {listed(short)}.")
    return lines


def left_out_blocks(metrics: Metrics) -> Iterator[Block]:
    """What is in no denominator."""
    if lines := left_out(metrics):
        yield Paragraph("Left out of the scores:")
        yield Listing(lines)


def _in_comparison(run: Run, mode: Mode) -> Iterator[Block]:
    yield Heading("Answers")
    first = next(iter(run.metrics))
    if mode == first:
        yield rate_table(run)
    else:
        yield Paragraph(
            "Shares of samples (what compiles, what is cut off …) do not depend on the policy: "
            f"they stand in {first}/{COMPARISON_FILE}."
        )
    yield from left_out_blocks(run.metrics[mode])


def _in_summary(run: Run) -> Iterator[Block]:
    yield Heading("Answers")
    yield rate_table(run)


SECTION = Section("answers", _in_comparison, _in_summary)
