"""The top-level items of a text that is Rust, or that has Rust in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from tree_sitter import Node

from sigil_eval.rust.cut_items import cut_item
from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.paths import use_leaves
from sigil_eval.rust.syntax import parse, text_of
from sigil_eval.rust.vocabulary import (
    ENDING_IN_SEMICOLON,
    ITEM_KEYWORDS,
    ITEM_KINDS,
    ITEM_QUALIFIERS,
    STATEMENT_MACROS,
    any_of,
)

Role = Literal["entry", "main", "test", "other"]


@dataclass(frozen=True)
class Item:
    """One top-level item, of a kind that `vocabulary` lists. One that is not closed is cut off.

    `names` are what it brings into its scope (an impl: the type it is for); `text` begins with its
    attributes. `role` says whether it is the function asked for, a main or a test.
    """

    kind: str
    names: tuple[str, ...]
    text: str
    role: Role = "other"
    closed: bool = True


@dataclass(frozen=True)
class Source:
    """The items of a text; `clean` when the text is Rust and nothing but Rust."""

    items: tuple[Item, ...]
    inner_attributes: tuple[str, ...]
    clean: bool

    def entry(self) -> Item | None:
        """The first complete definition of the entry point, or the first at all."""
        found = [item for item in self.items if item.role == "entry"]
        return next((item for item in found if item.closed), found[0] if found else None)


# Calls that a model adds below its function to show it at work; they are no items.
_STATEMENT_MACRO = re.compile(rf"(?:{any_of(STATEMENT_MACROS)})!")
_TEST_ATTRIBUTE = re.compile(
    r"#\[\s*(?:(?:\w+\s*::\s*)?test\s*[\](]|bench\s*\]|cfg\s*\(\s*(?:all\s*\(\s*)?test\s*[,)])"
)
_TEST_FUNCTION = re.compile(r"#\[\s*(?:\w+\s*::\s*)?test\s*[\](]")

_ITEM_START = re.compile(
    r"^[ \t]*(?:#!?\[|(?:pub(?:\s*\([^)\n]*\))?\s+)?"
    rf"(?:(?:{any_of(ITEM_QUALIFIERS)}|extern(?:\s+\"[^\"\n]*\")?)\s+)*"
    rf"(?:(?:{any_of(ITEM_KEYWORDS - {'macro_rules'})})\b|macro_rules\s*!)|(^\w+!\s*[(\[{{]))",
    re.MULTILINE,
)
_FUNCTION_NAME = re.compile(r"\bfn\s+(?:r#)?(\w+)")


@lru_cache(maxsize=1024)
def definition_of(function: str) -> re.Pattern[str]:
    """Finds where a function of this name is defined, or seems to be."""
    return re.compile(rf"\bfn\s+(?:r#)?{re.escape(function)}\b")


def read_items(text: str, entry_point: str) -> Source:
    """The items of a text, whatever stands between them."""
    data = text.encode()
    tree = parse(data)
    if tree is not None and not tree.root_node.has_error:
        return _from_tree(tree.root_node, data, entry_point)
    items: list[Item] = []
    inner: list[str] = []
    for found in _islands(text, entry_point):
        items.extend(found.items)
        inner.extend(found.inner_attributes)
    return Source(tuple(items), tuple(inner), clean=False)


def _from_tree(root: Node, data: bytes, entry_point: str) -> Source:
    items: list[Item] = []
    inner: list[str] = []
    clean = True
    attributes_at: int | None = None
    for node in root.children:
        if node.type in ("line_comment", "block_comment"):
            continue
        if node.type == "attribute_item":
            attributes_at = node.start_byte if attributes_at is None else attributes_at
            continue
        start = node.start_byte if attributes_at is None else attributes_at
        attributes_at = None
        if node.type == "inner_attribute_item":
            inner.append(text_of(node, data))
            continue
        item = node
        if node.type == "expression_statement" and node.child_count:
            item = node.children[0]  # a macro call and its semicolon
        if item.type not in ITEM_KINDS or _STATEMENT_MACRO.match(text_of(item, data)):
            clean = clean and node.type == "empty_statement"
            continue
        attributes = data[start : node.start_byte].decode()
        end = data[item.end_byte : node.end_byte].decode()
        items.append(_item(item, attributes, end, data, entry_point))
    return Source(tuple(items), tuple(inner), clean)


def _item(node: Node, attributes: str, end: str, data: bytes, entry_point: str) -> Item:
    names = tuple(_names(node, data))
    text = text_of(node, data)
    role: Role = "other"
    if _TEST_ATTRIBUTE.search(attributes) or (
        node.type == "mod_item" and _TEST_FUNCTION.search(text)
    ):
        role = "test"
    elif node.type == "function_item" and names == (entry_point,):
        role = "entry"
    elif node.type == "function_item" and names == ("main",):
        role = "main"
    return Item(node.type, names, attributes + text + end, role)


def _names(node: Node, data: bytes) -> Iterator[str]:
    """The names an item brings into its scope (for an impl, the type it is for)."""
    if node.type == "use_declaration":
        argument = node.child_by_field_name("argument")
        leaves = use_leaves(argument, data) if argument else ()
        yield from (name for _, name, _ in leaves if name not in ("*", "_"))
        return
    name = node.child_by_field_name("type" if node.type == "impl_item" else "name")
    if name is not None:
        words = tokens(text_of(name, data))
        yield next((word.text for word in words if word.kind == "ident"), "")


def _islands(text: str, entry_point: str) -> Iterator[Source]:
    """The items in pieces of a text that look like items.

    Prose has quotes and apostrophes that no lexer can make sense of, so each piece is lexed by
    itself, from a line that starts like an item to the end of that item.
    """
    budget = 4 * len(text) + (1 << 16)
    position = 0
    while budget > 0 and (match := _ITEM_START.search(text, position)) is not None:
        start = match.start()
        end, closed = _item_end(text, start)
        budget -= end - start
        piece = text[start:end]
        cut = None if closed or end < len(text) else _cut_off(piece, entry_point)
        if cut is not None:
            yield Source((cut,), (), clean=False)
            return
        tree = parse(piece.encode())
        sound = tree is not None and not tree.root_node.has_error
        if sound or (_FUNCTION_NAME.search(piece) and "{" in piece and match[1] is None):
            yield _read_island(piece, closed, entry_point)
            position = end
        else:
            position = match.end()


def _cut_off(piece: str, entry_point: str) -> Item | None:
    """The item that the end of the text cuts off, if it is one.

    None where the entry point is defined in it and it is not that: a brace that is missing may
    only seem to put it there. Of that itself, more than its signature must be there.
    """
    found = cut_item(piece)
    if found is None:
        return None
    kind, names = found
    is_entry = names == (entry_point,) and "{" in piece
    if not is_entry and definition_of(entry_point).search(piece):
        return None
    head = piece.partition("{")[0]
    role: Role = "other"
    if _TEST_ATTRIBUTE.search(head) or (kind == "mod_item" and names[0] in ("test", "tests")):
        role = "test"
    elif kind == "function_item":
        role = _role_of_function(names[0], entry_point)
    return Item(kind, names, piece.strip(), role, closed=False)


def _item_end(text: str, start: int) -> tuple[int, bool]:
    """Where the item (with its attributes) that starts here ends, and whether it does."""
    depth = 0
    keyword = ""
    attribute = False
    for token in tokens(text, start):
        if token.kind == "open":
            depth += 1
        elif token.kind == "close":
            depth -= 1
            if depth < 0:
                return token.start, False
            if depth == 0 and attribute:
                attribute = False
            elif depth == 0 and token.text == "}" and keyword not in ENDING_IN_SEMICOLON:
                return token.end, True
        elif depth == 0 and token.text == "#":
            attribute = True
        elif depth == 0 and token.text == ";":
            return token.end, True
        elif depth == 0 and token.text == "!" and keyword and keyword != "macro_rules":
            return _call_end(text, token.end)
        elif depth == 0 and token.text == "fn":
            keyword = "fn"
        elif depth == 0 and token.kind == "ident" and not attribute and not keyword:
            keyword = "" if token.text in ("pub", "unsafe") else token.text
    return len(text), False


def _call_end(text: str, start: int) -> tuple[int, bool]:
    """Where a macro call ends whose input begins here: with its brace, or its semicolon."""
    depth = 0
    for token in tokens(text, start):
        depth += (token.kind == "open") - (token.kind == "close")
        if depth == 0 and token.text in ("}", ";"):
            return token.end, True
        if depth == 0 and token.kind != "close":
            return token.start, False
    return len(text), False


def _read_island(piece: str, closed: bool, entry_point: str) -> Source:
    data = piece.encode()
    tree = parse(data)
    if closed and tree is not None and not tree.root_node.has_error:
        return _from_tree(tree.root_node, data, entry_point)
    match = _FUNCTION_NAME.search(piece)
    if match is None:
        return Source((), (), clean=False)
    name = match.group(1)
    attributes = piece[: match.start()]
    role = _role_of_function(name, entry_point)
    if _TEST_ATTRIBUTE.search(attributes):
        role = "test"
    kind = "function_item" if _is_function(piece) else "mod_item"
    if kind == "mod_item" and role in ("entry", "main"):
        role = "other"
    return Source((Item(kind, (name,), piece.strip(), role, closed),), (), clean=False)


def _role_of_function(name: str, entry_point: str) -> Role:
    roles: dict[str, Role] = {entry_point: "entry", "main": "main"}
    return roles.get(name, "other")


def _is_function(piece: str) -> bool:
    for token in tokens(piece):
        if token.text in ("fn", "{"):
            return token.text == "fn"
    return False
