"""Which imports of an answer go with which of its items."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from sigil_eval.answers.leaves import Leaf, leaves_of, with_leaves
from sigil_eval.answers.needs import defined_by, is_settled
from sigil_eval.answers.policy_tables import std_category
from sigil_eval.rust.items import Item, Source
from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.vocabulary import STD_CRATES

_MANY = 100
_TRAIT_OF_GUARDED = re.compile(r"\w+Ext|ToSocketAddrs")


def words_of(items: Iterable[Item]) -> set[str]:
    """All identifiers in these items; of imports, what their paths need."""
    found: set[str] = set()
    for item in items:
        leaves = leaves_of(item)
        if leaves:
            found.update(part for leaf in leaves for part in leaf.along)
        else:
            found.update(token.text for token in tokens(item.text) if token.kind == "ident")
    return found


def without_those_for(
    dropped: Sequence[Item], kept: Sequence[Item], given: Sequence[Item]
) -> dict[Item, Item | None]:
    """The imports among the `kept` that serve what was dropped and nothing else.

    Each with what is left of it. What forbidden modules bring unnamed is the dropped code's where
    the kept code lacks nothing that is not known.
    """
    theirs, gone = words_of(dropped), defined_by(dropped) - defined_by(kept)
    settled = is_settled(
        [one for one in kept if one.kind != "use_declaration"], (), [*kept, *given]
    )
    now: dict[Item, Item | None] = {item: item for item in kept}
    for _ in range(_MANY):
        ours = words_of(item for item in now.values() if item is not None)
        serving: list[Leaf] = []
        for item, left in now.items():
            for leaf in leaves_of(left) if left else ():
                if leaf.first in gone or _serves(leaf, theirs, ours, settled):
                    serving.append(leaf)
            if left is not None and serving:
                now[item] = with_leaves(left, [o for o in leaves_of(left) if o not in serving])
        if not serving:
            break
        theirs.update(part for leaf in serving for part in leaf.along)
    return {item: left for item, left in now.items() if left is not item}


def _serves(leaf: Leaf, theirs: Collection[str], ours: Collection[str], settled: bool) -> bool:
    if leaf.name in ours and not leaf.unnamed:
        return False
    works_unnamed = leaf.unnamed or _TRAIT_OF_GUARDED.fullmatch(leaf.name) is not None
    return leaf.name in theirs or (works_unnamed and settled and _is_guarded(leaf))


def _is_guarded(leaf: Leaf) -> bool:
    """Whether policy forbids it."""
    path = tuple(part for part in leaf.path if part)
    return path[:1] != () and path[0] in STD_CRATES and std_category(path[1:]) is not None


def for_unnamed_use(
    sources: Iterable[Source], kept: Sequence[Item], taken: Collection[Item]
) -> Iterator[tuple[Item, Leaf]]:
    """Imports that work unnamed, of texts that are there to help.

    Those are texts without the function, of which something was taken, or all of which is imports:
    globs and traits. `taken` are what was taken by name.
    """
    defined = defined_by((*kept, *taken))
    there = {leaf for item in (*kept, *taken) for leaf in leaves_of(item)}
    lacks = not is_settled([i for i in (*kept, *taken) if i.kind != "use_declaration"], (),
                           [*kept, *taken])  # fmt: skip
    for source in sources:
        rest = [i for i in source.items if i.kind != "use_declaration"]
        used = [item for item in rest if item in taken]
        if any(item.role == "entry" for item in rest) or (rest and not used):
            continue
        theirs = words_of(item for item in rest if item not in taken)
        for item in source.items:
            for leaf in leaves_of(item):
                serves = lacks if leaf.name == "*" else leaf.unnamed or leaf.name[:1].isupper()
                at_hand = {*leaf.path[:2]} & (STD_CRATES | defined)
                if serves and at_hand and leaf not in there and leaf.name not in defined | theirs:
                    yield item, leaf
