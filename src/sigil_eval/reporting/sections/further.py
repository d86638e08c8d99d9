"""The other reports of the run."""

from __future__ import annotations

from collections.abc import Iterator

from sigil_eval.reporting.blocks import Block, Heading, Link, Links
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.wording import MODE_TITLES
from sigil_eval.run_folder import COMPARISON_FILE, HTML_FILE


def _in_summary(run: Run) -> Iterator[Block]:
    yield Heading("More")
    links = [Link(MODE_TITLES[mode], f"{mode}/{COMPARISON_FILE}") for mode in run.metrics]
    yield Links([*links, Link(HTML_FILE, HTML_FILE, "with the programs themselves")])


SECTION = Section("further", in_summary=_in_summary)
