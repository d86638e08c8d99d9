"""The `use` declarations of an answer, name by name: one declaration may serve several masters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from sigil_eval.rust.items import Item
from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.paths import use_leaves
from sigil_eval.rust.syntax import parse, walk

_ROOTS = ("", "crate", "self", "super")


class Leaf(NamedTuple):
    """One import: its path, and the name it brings, "*" for a glob and "_" for none."""

    path: tuple[str, ...]
    name: str

    @property
    def unnamed(self) -> bool:
        """Whether it works without being named."""
        return self.name in ("*", "_")

    @property
    def along(self) -> tuple[str, ...]:
        """The names that the path itself needs."""
        return self.path if self.name == "*" or self.path[-1] != self.name else self.path[:-1]

    @property
    def first(self) -> str:
        """The name that the path begins with, below the root."""
        return next((part for part in self.path if part not in _ROOTS), "")


@lru_cache(maxsize=4096)
def leaves_of(item: Item) -> tuple[Leaf, ...]:
    """What a `use` imports; nothing for other items, and for raw names, which are let alone."""
    data = item.text.encode()
    tree = parse(data) if item.kind == "use_declaration" and "r#" not in item.text else None
    nodes = walk(tree.root_node) if tree else ()
    argument = next(
        (n.child_by_field_name("argument") for n in nodes if n.type == "use_declaration"), None
    )
    if argument is None:
        return ()
    return tuple(Leaf(path, name) for path, name, _ in use_leaves(argument, data))


def with_leaves(item: Item, leaves: Sequence[Leaf]) -> Item | None:
    """The same declaration for some of its names alone; None for none of them."""
    if tuple(leaves) == leaves_of(item):
        return item
    if not leaves:
        return None
    head = item.text[: next(t.start for t in tokens(item.text) if t.text == "use")]
    lines = [f"{head}use {_shown(leaf)};" for leaf in leaves]
    names = tuple(leaf.name for leaf in leaves if not leaf.unnamed)
    return replace(item, names=names, text="\n".join(lines))


def _shown(leaf: Leaf) -> str:
    if leaf.name == "*":
        return "::".join([*leaf.path, "*"])
    path = "::".join(leaf.path)
    return path if leaf.path[-1] == leaf.name else f"{path} as {leaf.name}"
