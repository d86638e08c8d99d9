"""The account of an answer: what became of each of its parts, and why.

Reading an answer gives it along with the code, so that a person can see what was scored.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from sigil_eval.rust.items import Item, Source

_WHY_LEFT_OUT = {
    "main": "a program's own main is not asked for",
    "test": "a test of the answer's own",
    "entry": "another definition of the function was taken",
    "other": "nothing that was taken needs it",
}


@dataclass(frozen=True)
class Part:
    """One part of an answer, in the answer's words.

    `what` says what it is ("fence", "reasoning", "function add"), `why` the reason why it was
    taken or left out. A text that holds an item, such as a fence, is a part, and so is the item.
    """

    what: str
    text: str
    taken: bool
    why: str


def parts_of_items(
    sources: Iterable[Source],
    left_out: Mapping[Item, str],
    kept: Collection[Item],
    entry: Item,
) -> tuple[Part, ...]:
    """What became of each item in the sources, in their order."""
    return tuple(
        Part(_name(item), item.text, item in kept, left_out.get(item) or _why(item, kept, entry))
        for source in sources
        for item in source.items
    )


def _name(item: Item) -> str:
    """An item as a reader would call it: function add, impl P, use HashMap."""
    kind = item.kind.removesuffix("_item").removesuffix("_declaration").removesuffix("_definition")
    return " ".join([kind.replace("_", " "), ", ".join(item.names)]).strip()


def _why(item: Item, kept: Collection[Item], entry: Item) -> str:
    if item is entry:
        return "the function that was asked for"
    return "it belongs to what was asked for" if item in kept else _WHY_LEFT_OUT[item.role]
