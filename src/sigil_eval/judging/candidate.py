"""Candidates: what rustc is given of programs, and beside them the prelude of their problems."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tree_sitter import Node

from sigil_eval.answers.program import Program
from sigil_eval.rust.syntax import parse
from sigil_eval.rust.vocabulary import DEFINING_KEYWORDS, NAMED_KINDS, any_of

PRELUDE_MODULE = "harness_prelude"

_ITEM_LINE = re.compile(
    # `union` begins an item only where nothing else has that name.
    rf"^((?:const |async )?fn|{any_of(DEFINING_KEYWORDS - {'union'})})\b",
    re.M,
)


@dataclass(frozen=True)
class Candidate:
    """A program as a driver tests it.

    `name` is that of its modules, such as `c7`, and the beginning of its files' names; `path` is
    where the driver finds its code: `::answer`, a library of its own, or `::answers::c7`, a module
    among others.
    """

    program: Program
    name: str
    path: str


def crate_source(program: Program) -> str:
    """`program` as a library of its own.

    What is added allows no lint: rustc refuses that where the answer forbids it (`denied.py`).
    """
    return (
        f"{_with_public_items(program.code)}\n"
        f"use {PRELUDE_MODULE}::*;\n{prelude_module(program.problem.prelude)}\n"
    )


def source_as_written(program: Program, *, with_prelude: bool) -> str:
    """`program` with nothing made public, and the prelude where it needs that."""
    prelude = f"use {PRELUDE_MODULE}::*;\n{prelude_module(program.problem.prelude)}\n"
    return f"{program.code}\n{prelude if with_prelude else ''}"


def module_source(program: Program) -> str:
    """`program` as a module of a library whose root holds the prelude."""
    return f"{_with_public_items(program.code)}\nuse crate::{PRELUDE_MODULE}::*;\n"


def library_root(names: Iterable[str], prelude: str, common: str = "") -> str:
    """The library that has the candidates of these names as modules.

    `common` names a library that has instances of the standard library's which rustc may take; its
    name is nobody's to use.
    """
    linked = f"extern crate {common} as _;\n" if common else ""
    modules = "".join(f'#[path = "{name}-answer.rs"] pub mod {name};\n' for name in names)
    return f"{modules}{linked}{prelude_module(prelude)}\n"


def _with_public_items(code: str) -> str:
    """`code` with its top-level items made public, so that the driver can reach them.

    So are the fields of its structs and what its inherent impls define, which tests of a type may
    use. Line numbers stay those of `code`.
    """
    data = code.encode("utf-8", "replace")
    tree = parse(data)
    if tree is None:  # too large for the parser; items of ordinary layout start their lines
        return _ITEM_LINE.sub(r"pub \1", code)
    edits: list[tuple[int, int]] = []
    for item in _reachable(tree.root_node):
        modifier = next((c for c in item.children if c.type == "visibility_modifier"), None)
        if modifier is None:
            edits.append((item.start_byte, item.start_byte))
        elif modifier.text != b"pub":
            edits.append((modifier.start_byte, modifier.end_byte + 1))
    for start, end in reversed(edits):
        data = data[:start] + b"pub " + data[end:]
    return data.decode("utf-8", "replace")


def _reachable(root: Node) -> Iterator[Node]:
    """In the order of the source, what may be public: items, fields, and members of impls."""
    for node in root.children:
        body = node.child_by_field_name("body")
        if node.type in NAMED_KINDS:
            yield node
        if body is not None and body.type == "field_declaration_list":
            yield from (c for c in body.children if c.type == "field_declaration")
        elif body is not None and body.type == "ordered_field_declaration_list":
            yield from (c for c in body.children_by_field_name("type") if not _is_marked(c))
        elif node.type == "impl_item" and body and not node.child_by_field_name("trait"):
            yield from (c for c in body.children if c.type in ("function_item", "const_item"))


def _is_marked(field: Node) -> bool:
    """Whether a visibility stands before the type of a tuple's field."""
    before = field.prev_sibling
    return before is not None and before.type == "visibility_modifier"


def prelude_module(prelude: str) -> str:
    """A module that holds a problem's prelude, for glob import.

    A glob can be shadowed, so an answer that imports or defines the same names still compiles.
    """
    public = re.sub(r"\buse ", "pub use ", prelude)
    return f"pub mod {PRELUDE_MODULE} {{ {public.strip()} }}"
