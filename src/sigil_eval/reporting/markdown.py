"""The Markdown reports: one per policy mode, and a summary of both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from sigil_eval.reporting.blocks import (
    Block,
    Code,
    Commands,
    Heading,
    Link,
    Links,
    Listing,
    Paragraph,
    Table,
    of_part,
)
from sigil_eval.reporting.notices import flaws, notices
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sampling import sampling_line
from sigil_eval.reporting.sections.order import SECTIONS
from sigil_eval.reporting.wording import MODE_TITLES
from sigil_eval.run_folder import Mode

# What starts markup in the middle of a line: a tag, a link, emphasis, code, a table's cell.
_MARKUP = re.compile(r"[\\`*|~]|<(?=[A-Za-z/!?])|\[(?=[^\]]*\]\()|(?<!\w)_|_(?!\w)|^[>#]")


def comparison_report(run: Run, mode: Mode) -> str:
    """comparison_report.md of one mode."""
    blocks = (
        of_part(block, section.part(run.metrics[mode]))
        for section in SECTIONS
        for block in section.in_comparison(run, mode)
    )
    return _join([*_head(run, f": {MODE_TITLES[mode]}"), *map(render, blocks)])


def combined_summary(run: Run) -> str:
    """combined_summary.md: all modes there are, one after the other."""
    blocks = (
        of_part(block, section.part(run.first_metrics))
        for section in SECTIONS
        for block in section.in_summary(run)
    )
    return _join([*_head(run), *map(render, blocks)])


def _head(run: Run, mode: str = "") -> list[str]:
    """The title, which says at once when the run is not a clean one, and what to know first."""
    title = f"# {cell(run.title)}{mode}{flaws(run)}"
    settings = cell(sampling_line(run))
    return [title, settings, *_notices(run)]


def _notices(run: Run) -> Iterator[str]:
    for notice in notices(run):
        yield f"> **{notice.title}.** {cell(notice.text)}"
        if notice.table:
            yield render(notice.table)


def render(block: Block) -> str:
    """A block in Markdown."""
    match block:
        case Heading(text, level):
            return f"{'#' * level} {text}"
        case Paragraph(text, lead):
            return f"**{lead}** {cell(text)}".strip() if lead else cell(text)
        case Listing(items):
            return "\n".join(f"- {cell(item)}" for item in items)
        case Links(items):
            return "\n".join(map(_link, items))
        case Commands(text):
            return f"```sh\n{text}\n```"
        case Table():
            return _table(block)


def _link(link: Link) -> str:
    remark = f", {link.remark}" if link.remark else ""
    return f"- [{link.text}]({link.target}){remark}"


def _table(table: Table) -> str:
    """A Markdown table with its note."""
    rule = [":--" if column < table.first_number else "--:" for column in range(len(table.head))]
    lines = [[cell(text) for text in table.head], rule]
    lines += [[cell(text) for text in row] for row in table.rows]
    drawn = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{drawn}\n\n{cell(table.note)}" if table.note else drawn


def cell(text: str) -> str:
    """Text from outside as one line that Markdown shows as it stands."""
    flat = " ".join(text.split())
    if isinstance(text, Code) and flat and "`" not in flat:
        return "`" + flat.replace("|", "\\|") + "`"
    return _MARKUP.sub(r"\\\g<0>", flat)


def _join(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
