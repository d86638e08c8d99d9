"""Choose the items that an answer's program consists of, and say why the others are left out.

All of the text that the function was read from belongs to it, as a person would paste it, but for

1. its main and its tests, and what nothing but those uses;
2. what was said before;
3. what the text breaks off in, where the function does not need it, with what needs that.

Of the other texts, only what it needs is taken: what it names, and what works unnamed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sigil_eval.answers.imports import for_unnamed_use, without_those_for
from sigil_eval.answers.leaves import Leaf, leaves_of, with_leaves
from sigil_eval.answers.needs import defined_by, facts_of, impl_head, reached
from sigil_eval.rust.items import Item, Source

_SAID_BEFORE = "it was said before"
_CUT_OFF = "the answer ends within it, and the function does not need it"
_NEEDS_CUT_OFF = "it needs what the end of the answer cuts off"
_OF_MAIN = "only a main or tests use it, and those are left out"
_UNNAMED = ("impl_item", "use_declaration", "macro_invocation", "foreign_mod_item")


@dataclass
class Selection:
    """The items of a program in their order, and why others were left out."""

    items: list[Item] = field(default_factory=list)
    left_out: dict[Item, str] = field(default_factory=dict)

    def drop(self, items: Iterable[Item], why: str) -> None:
        """Leave these out."""
        for item in items:
            self.left_out.setdefault(item, why)
        self.items = [item for item in self.items if item not in self.left_out]


def select(
    source: Source,
    entry: Item,
    others: Sequence[Source],
    called: Collection[str] = (),
    given: Sequence[Item] = (),
) -> Selection:
    """The items of the chosen source, and those of the others that they need.

    `called` are names that the problem's tests use, `given` the prompt's items.
    """
    chosen = Selection()
    roots = _definitions_of_entry(source.items, entry)
    _take_once(chosen, source.items, entry, roots)
    _drop_what_is_cut_off(chosen, roots, called, given)
    dropped = [i for one in (source, *others) for i in one.items if i.role in ("main", "test")]
    if dropped:
        _drop_what_only_these_use(chosen, dropped, roots, called, given)
    taken = _missing(chosen.items, others, called) if others else []
    # A macro holds only for what stands below it; for all else the order means nothing.
    macros = [item for item in taken if item.kind == "macro_definition"]
    chosen.items = [*macros, *chosen.items, *(item for item in taken if item not in macros)]
    return chosen


def _definitions_of_entry(items: Sequence[Item], entry: Item) -> list[Item]:
    """The function that was asked for, and its twins of which `cfg` picks one."""
    found = [item for item in items if item.role == "entry" and item.closed]
    picked = _is_picked(entry)
    twins = [one for one in found if one.text != entry.text and (picked or _is_picked(one))]
    return [item for item in items if item is entry or item in twins]


def _is_picked(item: Item) -> bool:
    """Whether a `cfg` decides if the item is there at all."""
    return "#[cfg(" in "".join(item.text.partition("fn ")[0].split())


def _take_once(
    chosen: Selection, items: Sequence[Item], entry: Item, roots: Sequence[Item]
) -> None:
    """Take the items, the first of equals; but where the function was given before, those that
    stand between that and the one to go by come first."""
    chosen_ones = {id(item) for item in roots}
    earlier = [i for i, it in enumerate(items) if it.role == "entry" and id(it) not in chosen_ones]
    here = next(index for index, item in enumerate(items) if item is entry)
    begin = max((index + 1 for index in earlier if index < here), default=0)
    first: dict[object, int] = {}
    for index in (*range(begin, len(items)), *range(begin)):
        if items[index].role == "other":
            first.setdefault(_identity(items[index]), index)
    for index, item in enumerate(items):
        is_first = item.role == "other" and first.get(_identity(item)) == index
        if is_first or id(item) in chosen_ones:
            chosen.items.append(item)
        elif item.role == "other":
            chosen.left_out[item] = _SAID_BEFORE


def _identity(item: Item) -> object:
    """What two items have in common of which one is enough."""
    by_text = item.kind in _UNNAMED or "#[cfg" in item.text
    return item.text if by_text else (item.kind, item.names)


def _drop_what_is_cut_off(
    chosen: Selection, roots: Sequence[Item], called: Collection[str], given: Sequence[Item]
) -> None:
    """Leave out what the end of the answer cuts off, unless it is needed."""
    lost = [item for item in chosen.items if not item.closed and item not in roots]
    if not lost:
        return
    needed = _needed([*chosen.items, *given], roots, called)
    lost, why = [item for item in lost if item not in needed], _CUT_OFF
    while lost:
        chosen.drop(lost, why)
        names = defined_by(lost) - defined_by(chosen.items)
        lost, why = (
            [i for i in chosen.items if i not in needed and names & _used(i)],
            _NEEDS_CUT_OFF,
        )


def _needed(
    items: Sequence[Item], roots: Sequence[Item], called: Collection[str]
) -> dict[Item, None]:
    """What the function reaches; an impl for nothing of these is one for the prompt's types."""
    local = defined_by(item for item in items if item.kind != "use_declaration")
    outside = [
        item
        for item in items
        if item.kind == "impl_item" and item.closed and not facts_of(item).header & local
    ]
    return reached(items, [*roots, *outside], called)


def _used(item: Item) -> frozenset[str]:
    return facts_of(item).uses.names | facts_of(item).header


def _drop_what_only_these_use(
    chosen: Selection,
    dropped: Sequence[Item],
    roots: Sequence[Item],
    called: Collection[str],
    given: Sequence[Item],
) -> None:
    """Leave out what only a main or tests use, and imports for those."""
    theirs = reached(chosen.items, dropped)
    anyway = [item for item in chosen.items if item not in theirs]
    ours = _needed(chosen.items, [*roots, *anyway], called)
    gone = [i for i in theirs if i not in ours and i.kind != "use_declaration"]
    chosen.drop(gone, _OF_MAIN)
    changed = without_those_for([*dropped, *gone], chosen.items, given)
    chosen.items = [left for item in chosen.items if (left := changed.get(item, item))]
    chosen.left_out |= dict.fromkeys(changed, _OF_MAIN)


def _missing(kept: Sequence[Item], others: Sequence[Source], called: Collection[str]) -> list[Item]:
    """Items of other texts that the chosen code needs and does not have."""
    offered = _offered(kept, [item for one in others for item in one.items])
    found = reached([*kept, *offered], kept, called)
    taken = [part for part in offered if part in found]
    imports: dict[Item, set[Leaf]] = {offered[part]: set() for part in taken}
    for part in taken:
        imports[offered[part]].update(leaves_of(part))
    for item, leaf in for_unnamed_use(others, kept, taken):
        imports.setdefault(item, set()).add(leaf)
    whole = (
        with_leaves(item, [one for one in leaves_of(item) if one in wanted]) if wanted else item
        for item, wanted in imports.items()
    )
    return [item for item in whole if item is not None]


def _offered(kept: Sequence[Item], items: Sequence[Item]) -> dict[Item, Item]:
    """What other texts have that the chosen one has not, each defined once: definitions before
    imports, whole ones before cut ones. An import is offered name by name, with where it is from.
    """
    theirs, seen = defined_by(kept), defined_by(kept)
    impls: dict[tuple[str, ...], set[str]] = {}
    for item in kept:
        if item.kind == "impl_item":
            impls.setdefault(impl_head(item), set()).update(facts_of(item).functions)
    offered: dict[Item, Item] = {}
    others = [item for item in items if item.role == "other"]
    for item in sorted(others, key=lambda one: (not one.closed, one.kind == "use_declaration")):
        if item.kind == "impl_item":
            head, functions = impl_head(item), facts_of(item).functions
            if not (("for" in head and head in impls) or functions & impls.get(head, set())):
                impls.setdefault(head, set()).update(functions)
                offered[item] = item
            continue
        for part in _name_by_name(item):
            defines = facts_of(part).defines
            if not defines or defines - (theirs if "#[cfg" in part.text else seen):
                seen |= defines
                offered[part] = item
    return offered


def _name_by_name(item: Item) -> Iterator[Item]:
    """An import's names apart."""
    leaves = leaves_of(item)
    if not leaves:
        yield item
    for leaf in leaves:
        part = with_leaves(item, [leaf])
        if part is not None:
            yield part
