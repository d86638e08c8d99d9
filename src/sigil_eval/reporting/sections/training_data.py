"""Problems that stand in the training data, and the scores with and without them."""

from __future__ import annotations

from collections.abc import Iterator

from sigil_eval.documents import Metrics
from sigil_eval.reporting.blocks import Block, Paragraph, Table, titled
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.seen import difference_on, score_on, seen_and_unseen
from sigil_eval.reporting.wording import (
    MODE_TITLES,
    difference_text,
    listed,
    model_title,
    score_text,
)
from sigil_eval.run_folder import Mode


def seen_table(run: Run, metrics: Metrics) -> Table | None:
    """pass@k on the problems that are in the training data, and on the others; None where none is
    known to be."""
    seen = run.seen_in_training
    if not seen:
        return None
    parts = seen_and_unseen(run)
    rows = []
    for k in metrics["k_values"]:
        for label in metrics["models"]:
            scores = [score_text(score_on(metrics, label, k, wanted)) for wanted in parts]
            rows.append([model_title(label), f"pass@{k}", *scores])
        if metrics["comparison"] is not None:
            both = [difference_text(difference_on(metrics, k, wanted)) for wanted in parts]
            rows.append(["Difference, points", f"pass@{k}", *both])
    problems = run.problem_set["problems"]
    head = [f"In the data ({len(seen)})", f"Not in the data ({problems - len(seen)})"]
    return Table(["", "", *head], rows, 2)


def seen_sentence(run: Run) -> str:
    """Which problems are in the training data; empty where that is not known."""
    data = run.training_data
    if data is None:
        return ""
    files = f"{listed(data['files'])}, {data['rows']} rows"
    if not data["tasks"]:
        return (
            f"None of the problems was found in the training data ({files}). That is no proof: a "
            "task in other words, or an answer written anew, is not noticed."
        )
    return (
        f"In the training data ({files}) stand, in full or in part: {listed(data['tasks'])}. What "
        "is scored on them may be memory; the others show what was learned."
    )


def _blocks(run: Run, modes: list[Mode]) -> Iterator[Block]:
    named = [(mode, seen_table(run, run.metrics[mode])) for mode in modes]
    tables = [
        block
        for mode, table in named
        if table is not None
        for block in ([Paragraph(f"{MODE_TITLES[mode]}:")] if len(named) > 1 else []) + [table]
    ]
    yield from titled("Problems in the training data", Paragraph(seen_sentence(run)), *tables)


def _in_all(run: Run) -> Iterator[Block]:
    return _blocks(run, list(run.metrics))


SECTION = Section("training-data", lambda run, mode: _blocks(run, [mode]), _in_all, _in_all)
