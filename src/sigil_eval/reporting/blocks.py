"""What reports are made of, as plain text; Markdown and HTML escape it and lay it out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote, urlencode


class Code(str):
    """Text to be set in a fixed-width face."""

    __slots__ = ()


class Linked(str):
    """Text that leads to what stands behind it on the page: `target` is a place and its filters.

    `figure` names what the page computes anew from its own counts and compares with the text.
    """

    target: str
    figure: str


def linked(text: str, figure: str = "", place: str = "problems", **filters: str) -> Linked:
    """`text`, leading to the page's problems that the filters leave; see script/list.js.j2."""
    made = Linked(text)
    made.figure = figure
    made.target = "&".join([quote(place), *filter(None, [urlencode(filters)])])
    return made


@dataclass(frozen=True)
class Heading:
    """The title of a part; 3 is a level below 2."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Sentences; `lead` stands before them and is set off."""

    text: str
    lead: str = ""


@dataclass(frozen=True)
class Listing:
    """Sentences, each with a mark."""

    items: Sequence[str]


@dataclass(frozen=True)
class Link:
    """A file of the run's, named from its folder, with what to say of it."""

    text: str
    target: str
    remark: str = ""


@dataclass(frozen=True)
class Links:
    """Files to read on in."""

    items: Sequence[Link]


@dataclass(frozen=True)
class Commands:
    """Lines for a shell."""

    text: str


@dataclass(frozen=True)
class Table:
    """Plain-text cells; columns from `first_number` on hold numbers. `note` stands below."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    first_number: int
    note: str = ""


def unlinked(block: Block | None) -> Block | None:
    """A table whose cells lead nowhere, for a page without what stands behind them; any other block
    as it is."""
    if not isinstance(block, Table):
        return block
    rows = [[str(cell) if isinstance(cell, Linked) else cell for cell in row] for row in block.rows]
    return replace(block, rows=rows)


# A page takes no more columns than these in which a text has room.
_MOST_COLUMNS = 7


def narrow(table: Table) -> Table:
    """A table whose columns and rows change places where it is too wide, and wider than long: of
    many models, it has a row for each."""
    if len(table.head) <= max(_MOST_COLUMNS, len(table.rows) + 1):
        return table
    head, *rows = map(list, zip(table.head, *table.rows, strict=True))
    return Table(head, rows, 1, table.note)


Block = Heading | Paragraph | Listing | Links | Commands | Table


def of_part[B](block: B, part: str) -> B | Table:
    """A table that says in its corner of which part of the problems it is; any other block, and a
    table that is of all, as it is."""
    if not isinstance(block, Table) or not part:
        return block
    short = part.removesuffix(" problems")
    corner = f"{block.head[0]}, {short}" if block.head[0] else short
    return replace(block, head=[corner, *block.head[1:]])


def titled(title: str, *blocks: Block | None) -> Iterator[Block]:
    """The blocks there are, under their title; nothing where there are none."""
    found = there(blocks)
    if found:
        yield Heading(title)
        yield from found


def there(blocks: Iterable[Block | None]) -> list[Block]:
    """The blocks without those that have nothing to say."""
    return [block for block in blocks if block is not None and block != Paragraph("")]
