"""Problems that stand in the training data, and the scores with and without them."""

from __future__ import annotations

from collections.abc import Iterator

from sigil_eval.reporting.blocks import Block, Paragraph, titled
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.seen import seen_table
from sigil_eval.reporting.wording import MODE_TITLES, listed
from sigil_eval.run_folder import Mode


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
    named = [
        (mode, seen_table(run, run.metrics[mode], run.metrics[mode]["k_values"])) for mode in modes
    ]
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
