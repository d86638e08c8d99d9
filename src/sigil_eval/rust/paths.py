"""Paths as the syntax tree has them: their segments, what stands between, the leaves of `use`."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from sigil_eval.rust.names import Path
from sigil_eval.rust.surveyed import without_self
from sigil_eval.rust.syntax import text_of

_SCOPED = {"scoped_identifier", "scoped_type_identifier"}
_WITH_ARGUMENTS = {"generic_type", "generic_type_with_turbofish"}
_NAMES = {
    "identifier",
    "type_identifier",
    "primitive_type",
    "self",
    "super",
    "crate",
    "metavariable",
}


def segments(node: Node, source: bytes) -> Iterator[str]:
    """The segments of a path; `<T as Trait>::name` begins with Self, T being read by itself."""
    parts: list[str] = []
    at: Node | None = node
    while at is not None:
        following = None
        if at.type in _SCOPED:
            name = at.child_by_field_name("name")
            parts.append("" if name is None else text_of(name, source).removeprefix("r#"))
            following = at.child_by_field_name("path")
            if following is None and at.children[0].type == "::":
                parts.append("")
        elif at.type in _WITH_ARGUMENTS:
            following = at.child_by_field_name("type")
        elif at.type in _NAMES:
            parts.append(text_of(at, source).removeprefix("r#"))
        else:
            parts.append("Self")
        at = following
    return reversed(parts)


def branches(node: Node) -> Iterator[Node]:
    """What stands inside a path and is no segment of it: type arguments, bracketed types."""
    at: Node | None = node
    while at is not None:
        following = None
        if at.type in _SCOPED:
            following = at.child_by_field_name("path")
        elif at.type in _WITH_ARGUMENTS:
            arguments = at.child_by_field_name("type_arguments")
            if arguments is not None:
                yield arguments
            following = at.child_by_field_name("type")
        elif at.type not in _NAMES:
            yield at
        at = following


def use_leaves(node: Node, source: bytes) -> Iterator[tuple[Path, str, Node]]:
    """The (path, name, node) of each leaf of a use tree; the name of a glob is "*"."""
    stack: list[tuple[Node, Path]] = [(node, ())]
    while stack:
        at, prefix = stack.pop()
        if at.type == "use_list":
            stack.extend((child, prefix) for child in reversed(at.named_children))
            continue
        path = at.child_by_field_name("path")
        if at.type == "use_wildcard" and at.named_child_count:
            path = at.named_children[0]
        if at.type in _SCOPED or at.type in _NAMES:
            path = at
        if path is not None:
            prefix = (*prefix, *segments(path, source))
        elif at.children and at.children[0].type == "::" and not prefix:
            prefix = ("",)
        if at.type == "scoped_use_list":
            stack.append((at.children[-1], prefix))
        elif at.type == "use_wildcard":
            if prefix:
                yield prefix, "*", at
        elif path is not None:
            full = without_self(prefix)
            alias = at.child_by_field_name("alias")
            name = full[-1] if alias is None else text_of(alias, source).removeprefix("r#")
            yield full, name, at
