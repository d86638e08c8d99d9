"""The names that Rust source uses and does not bind itself, as far as they can be read off it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from tree_sitter import Node

from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.paths import segments, use_leaves
from sigil_eval.rust.syntax import own_text, parse
from sigil_eval.rust.vocabulary import DEFINITION_KINDS, STD_CRATES

# Deeper source is read by its tokens.
_MAX_DEPTH = 150
_ROOTS = {"crate", "self", "super"}
_SHOWN_BY_FORMAT = re.compile(r"\{(\w+)")
_SKIPPED = {"line_comment", "block_comment", "attribute_item", "lifetime", "label"}
# Nodes with a name of their own, which is no use of it.
_NAMING = DEFINITION_KINDS | {
    "associated_type",
    "const_parameter",
    "enum_variant",
    "field_declaration",
    "function_signature_item",
    "type_binding",
    "type_parameter",
}


@dataclass(frozen=True)
class FreeNames:
    """What a source needs from elsewhere.

    `names` are values, types, modules and macros; `members` are methods, and what stands behind a
    `::`. A name that only may be meant is among them.
    """

    names: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()


@lru_cache(maxsize=4096)
def free_names(source: str) -> FreeNames:
    """The free names of some items, or of a part of one."""
    data = source.encode()
    tree = parse(data)
    if tree is None or tree.root_node.has_error:
        return _of_tokens(source)
    reader = _Reader(data)
    try:
        reader.read_scope(tree.root_node, frozenset(), 0)
    except _TooDeepError:
        return _of_tokens(source)
    return FreeNames(frozenset(reader.names), frozenset(reader.members))


class _TooDeepError(Exception):
    """Source is nested more deeply than is read as a tree."""


def _of_tokens(source: str) -> FreeNames:
    """Every identifier, where no tree says more."""
    names, members, before = set(), set(), ""
    for token in tokens(source):
        if token.kind == "ident":
            if before in (".", "::"):
                members.add(token.text)
            if before not in (".", "fn"):
                names.add(token.text)
        before = token.text
    return FreeNames(frozenset(names), frozenset(members))


Bound = frozenset[str]


@dataclass
class _Reader:
    """Walks a tree, and knows at each node what the source has bound there."""

    source: bytes
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)

    def read_scope(self, node: Node, bound: Bound, depth: int) -> None:
        """Read a block, whose items hold from its beginning and whose variables from their `let`;
        a file is read as one, but for its items, which are what is asked about."""
        for child in node.named_children if depth else ():
            bound |= self._defined_by(child)
        for child in node.named_children:
            self.read(child, bound, depth + 1)
            if child.type == "let_declaration":
                bound |= self._pattern(child.child_by_field_name("pattern"), bound, depth + 1)

    def read(self, node: Node, bound: Bound, depth: int) -> None:
        """Read one node."""
        if depth > _MAX_DEPTH:
            raise _TooDeepError
        if node.type in _SKIPPED:
            return
        if node.type in ("identifier", "type_identifier"):
            self._use(own_text(node), bound)
        elif node.type in ("block", "declaration_list"):
            self.read_scope(node, bound, depth)
        elif node.type == "token_tree":
            self._read_tokens(node, bound)
        elif node.type in ("scoped_identifier", "scoped_type_identifier"):
            self._read_path(node, bound, depth)
        elif node.type == "use_declaration":
            self._read_import(node, bound)
        elif node.type == "macro_definition":
            found = _of_tokens(own_text(node))
            self.names |= found.names - bound
            self.members |= found.members
        else:
            self._read_children(node, bound, depth)

    def _read_children(self, node: Node, bound: Bound, depth: int) -> None:
        """Read what stands in a node, with what the node itself binds for that."""
        pattern = node.child_by_field_name("pattern")
        own = self._bound_by(node, bound, depth)
        for index, child in enumerate(node.children):
            if not child.is_named or child == pattern:
                continue
            name = node.field_name_for_child(index)
            if name == "field":
                if node.type == "field_expression":
                    self.members.add(own_text(child))
            elif name == "alternative" or (name == "value" and node.type == "for_expression"):
                self.read(child, bound, depth + 1)
            elif name != "name" or node.type not in _NAMING:
                self.read(child, own, depth + 1)
        if node.type == "match_arm" and pattern is not None:
            condition = pattern.child_by_field_name("condition")
            if condition is not None:
                self.read(condition, own, depth + 1)

    def _bound_by(self, node: Node, bound: Bound, depth: int) -> Bound:
        """What holds inside of a node: parameters, and what a match, a loop or a condition takes
        apart."""
        binding = [node.child_by_field_name("type_parameters")]
        if node.type in ("function_item", "function_signature_item", "closure_expression"):
            binding.append(node.child_by_field_name("parameters"))
        if node.type in ("for_expression", "match_arm"):
            binding.append(node.child_by_field_name("pattern"))
        if node.type in ("if_expression", "while_expression"):
            conditions = _conditions(node.child_by_field_name("condition"))
            binding += [one.child_by_field_name("pattern") for one in conditions]
        if node.type == "let_chain":
            binding += [one.child_by_field_name("pattern") for one in _conditions(node)]
        for part in binding:
            bound |= self._pattern(part, bound, depth + 1)
        return bound

    def _pattern(self, node: Node | None, bound: Bound, depth: int) -> Bound:
        """The variables that a pattern, or a list of parameters, binds."""
        if depth > _MAX_DEPTH:
            raise _TooDeepError
        if node is None or node.type in _SKIPPED:
            return frozenset()
        name = own_text(node)
        if node.type in ("type_parameter", "const_parameter"):
            return frozenset({own_text(node.child_by_field_name("name"))})
        if node.type == "shorthand_field_identifier":
            return frozenset({name})
        if node.type == "identifier":
            # A constant that is compared with, where it looks like one.
            if name[:1].isupper():
                self._use(name, bound)
                return frozenset()
            return frozenset({name})
        found: Bound = frozenset()
        for index, child in enumerate(node.children):
            part = node.field_name_for_child(index)
            if part == "type":
                self.read(child, bound, depth + 1)
            elif child.is_named and part != "condition" and not child.type.startswith("scoped_"):
                found |= self._pattern(child, bound, depth + 1)
            elif child.is_named and part != "condition":
                self.read(child, bound, depth + 1)
        return found

    def _use(self, name: str, bound: Bound) -> None:
        name = name.removeprefix("r#")
        if name not in bound:
            self.names.add(name)

    def _read_path(self, node: Node, bound: Bound, depth: int) -> None:
        path = node.child_by_field_name("path")
        last = own_text(node.child_by_field_name("name")).removeprefix("r#")
        if path is not None and path.type not in _ROOTS:
            self.read(path, bound, depth + 1)
        elif path is not None:
            self.names.add(last)
        if next(segments(node, self.source), "") not in STD_CRATES:
            self.members.add(last)

    def _read_import(self, node: Node, bound: Bound) -> None:
        argument = node.child_by_field_name("argument")
        for path, _, _ in use_leaves(argument, self.source) if argument else ():
            first = next((part for part in path if part and part not in _ROOTS), "")
            self._use(first, bound)
            if first not in STD_CRATES:
                self.members.update(path)

    def _read_tokens(self, node: Node, bound: Bound) -> None:
        """The input of a macro, which may do with names whatever it likes."""
        before = ""
        for token in tokens(own_text(node)):
            if token.kind == "ident":
                if before in (".", "::"):
                    self.members.add(token.text)
                if before != ".":
                    self._use(token.text, bound)
            elif token.kind == "literal":
                for name in _SHOWN_BY_FORMAT.findall(token.text):
                    self._use(name, bound)
            before = token.text

    def _defined_by(self, node: Node) -> Bound:
        """The names that an item in a block brings there."""
        if node.type == "use_declaration":
            argument = node.child_by_field_name("argument")
            leaves = use_leaves(argument, self.source) if argument else ()
            return frozenset(name for _, name, _ in leaves)
        if node.type not in DEFINITION_KINDS:
            return frozenset()
        return frozenset({own_text(node.child_by_field_name("name")).removeprefix("r#")})


def _conditions(node: Node | None) -> Iterable[Node]:
    """The `let` conditions of an `if` or a `while`."""
    if node is None:
        return ()
    return [one for one in (node, *node.named_children) if one.type == "let_condition"]


def defined_functions(source: str) -> Iterator[str]:
    """The names that stand after a `fn`."""
    words = [token.text for token in tokens(source)]
    return (name for keyword, name in pairwise(words) if keyword == "fn")
