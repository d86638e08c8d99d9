"""Which programs may be compiled together, and in what groups.

Together means as sibling modules of one library. That cannot change a verdict as long as a
module keeps to itself: no macros of its own, no paths that leave it, no trait implementations
(which reach into type inference everywhere), no attributes or unsafe code that touch the whole
crate. Whatever does not clearly keep to itself is compiled alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tree_sitter import Node

from sigil_eval.answers.program import Program
from sigil_eval.rust.syntax import own_text, parse
from sigil_eval.rust.vocabulary import CALL_LIKE_MACROS

Kind = Literal["together", "broken", "alone"]
_MAX_BYTES = 20_000
_MAX_DEPTH = 120
_LEAVES_ITS_MODULE = {
    "const_block",
    "crate",
    "extern_crate_declaration",
    "extern_modifier",
    "foreign_mod_item",
    "gen_block",
    "inner_attribute_item",
    "macro_definition",
    "metavariable",
    "super",
    "unsafe_block",
}
_PLAIN_ATTRIBUTES = {"allow", "derive", "doc", "inline", "must_use"}
_REACHING_WORDS = re.compile(
    r"\b(unsafe|crate|super|extern|macro_rules|static|async|asm|union|mod)\b|\$|#!"
)


@dataclass(frozen=True)
class Batch:
    """Programs to judge in one go.

    `together`: compiled as modules of one library. `broken`: they do not parse, so each only
    needs to be shown to rustc, in a shared sandbox. `alone`: one program, compiled by itself.
    """

    kind: Kind
    programs: tuple[Program, ...]


def plan_batches(programs: Sequence[Program], size: int) -> Iterator[Batch]:
    """Batches of at most `size` programs, in an order fixed by `programs`.

    The grouping depends on nothing else, so a resumed run repeats it.
    """
    waiting: dict[tuple[Kind, str, str], list[Program]] = {}
    for program in programs:
        kind: Kind = kind_of(program) if size > 1 else "alone"
        if kind == "alone":
            yield Batch(kind, (program,))
            continue
        key = (kind, program.problem.edition, program.problem.prelude)
        group = waiting.setdefault(key, [])
        group.append(program)
        if len(group) == size:
            yield Batch(kind, tuple(waiting.pop(key)))
    for (kind, _, _), group in waiting.items():
        yield Batch(kind, tuple(group))


def kind_of(program: Program) -> Kind:
    """How `program` may be judged; see Batch."""
    code = program.code
    if program.problem.crates or len(code) > _MAX_BYTES:
        return "alone"
    tree = parse(code.encode("utf-8", "replace"))
    if tree is None:
        return "alone"
    if tree.root_node.has_error:
        return "broken"
    keeps_to_itself = not _REACHING_WORDS.search(code) and _is_plain(tree.root_node)
    return "together" if keeps_to_itself else "alone"


def _is_plain(root: Node) -> bool:
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > _MAX_DEPTH or node.type in _LEAVES_ITS_MODULE or _reaches(node):
            return False
        stack.extend((child, depth + 1) for child in node.children)
    return True


def _reaches(node: Node) -> bool:
    if node.type == "impl_item":
        return node.child_by_field_name("trait") is not None
    if node.type == "macro_invocation":
        return own_text(node.child_by_field_name("macro")) not in CALL_LIKE_MACROS
    if node.type == "attribute_item":
        match = re.match(r"#\s*\[\s*(\w+)", own_text(node))
        return match is None or match.group(1) not in _PLAIN_ATTRIBUTES
    return False
