"""The account of an answer: what became of each of its parts, and why.

Reading an answer gives it along with the code, so that a person can see what was scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sigil_eval.answers.definitions import Choice
from sigil_eval.answers.readings import Reading, why_surest
from sigil_eval.rust.items import Item, Source

_WHY_TAKEN = {True: "the function that was asked for", False: "it belongs to what was asked for"}
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
    sources: Iterable[Source], left_out: Mapping[Item, str], kept: Iterable[Item], entry: Item
) -> Iterator[Part]:
    """What became of each item in the sources, in their order."""
    taken = {id(item) for item in kept}
    for item in (item for source in sources for item in source.items):
        why = _WHY_TAKEN[item is entry]
        if id(item) not in taken:
            why = left_out.get(item) or _WHY_LEFT_OUT[item.role]
        yield Part(_name(item), item.text, id(item) in taken, why)


def parts_of_readings(readings: Iterable[Reading], choice: Choice) -> Iterator[Part]:
    """What became of each piece of an answer, in their order, and why."""
    for one in readings:
        taken = one is choice.reading
        why = f"{why_surest(one)}; {choice.why}" if taken else why_surest(one)
        yield Part(one.place.name.lower(), one.piece.text, taken, why)


def _name(item: Item) -> str:
    """An item as a reader would call it: function add, impl P, use HashMap."""
    kind = item.kind.removesuffix("_item").removesuffix("_declaration").removesuffix("_definition")
    return " ".join([kind.replace("_", " "), ", ".join(item.names)]).strip()
