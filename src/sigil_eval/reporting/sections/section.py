"""What a section of the reports is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sigil_eval.documents import Metrics
from sigil_eval.reporting.blocks import Block
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.wording import coverage
from sigil_eval.run_folder import Mode


def _nothing(*_: object) -> tuple[()]:
    return ()


@dataclass(frozen=True)
class Section:
    """A part of the reports, by what it says in each of them; by default, nothing.

    `in_comparison` is for comparison_report.md of a mode, `in_summary` for combined_summary.md, and
    `on_page` for report.html, where its first block is a heading. The page's own template has the
    parts that are more than text and tables. What is `about_scores` says where these are of
    a part of the problems.
    """

    name: str
    in_comparison: Callable[[Run, Mode], Iterable[Block]] = _nothing
    in_summary: Callable[[Run], Iterable[Block]] = _nothing
    on_page: Callable[[Run], Iterable[Block]] = _nothing
    about_scores: bool = True

    def part(self, metrics: Metrics) -> str:
        """Of which part of the problems its tables are; empty for all of them."""
        return coverage(metrics) if self.about_scores else ""
