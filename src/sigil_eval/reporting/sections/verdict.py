"""The verdict: in one sentence, how the fine-tuned model compares with the base."""

from __future__ import annotations

from collections.abc import Iterator

from sigil_eval.reporting.blocks import Block, Heading, Paragraph
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.scores import columns_sentence
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.wording import (
    MODE_MEANINGS,
    MODE_TITLES,
    absolute_scores,
    verdict_sentence,
)
from sigil_eval.run_folder import Mode


def _in_comparison(run: Run, mode: Mode) -> Iterator[Block]:
    metrics = run.metrics[mode]
    yield Paragraph(f"{verdict_sentence(metrics)} {absolute_scores(metrics)}".strip())


def _in_summary(run: Run) -> Iterator[Block]:
    yield Heading("Verdict")
    for mode, metrics in run.metrics.items():
        told = [MODE_MEANINGS[mode], verdict_sentence(metrics), absolute_scores(metrics)]
        sentences = " ".join(filter(None, [*told, columns_sentence(metrics)]))
        yield Paragraph(sentences, lead=f"{MODE_TITLES[mode]}.")


SECTION = Section("verdict", _in_comparison, _in_summary)
