"""Which programs may be compiled together, and in what groups.

Together means as sibling modules of one library. That cannot change a verdict as long as a
module keeps to itself: no macros of its own, no paths that leave it, no trait implementations
(which reach into type inference everywhere), no attributes or unsafe code that touch the whole
crate. Whatever does not clearly keep to itself is compiled alone.

What stands in a macro's input has no syntax tree, so there the tokens decide: no items, and no
macro but those that do what a function call could. Their names hold for what they stand for,
because nothing may be imported under one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from tree_sitter import Node

from sigil_eval.answers.program import Program
from sigil_eval.rust.lexer import Token, open_literal, tokens
from sigil_eval.rust.syntax import parse
from sigil_eval.rust.vocabulary import CALL_LIKE_MACROS, RESERVED_ITEM_WORDS, words

Kind = Literal["together", "broken", "torn", "alone"]
# How many programs make it worth while to begin another batch: to compile costs a start of rustc
# twice and a link, to show costs a sandbox.
_WORTHWHILE: dict[Kind, int] = {"together": 64, "broken": 63, "torn": 8}
_MAX_BYTES = 20_000
_MAX_DEPTH = 120
# Its paths begin at the root of the crate, where the neighbours are.
_ROOTED_EDITION = "2015"
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
    r"\b(unsafe|crate|super|extern|macro_rules|static|async|asm|union|mod|macro|"
    # What tells a program by which path its module or file is reached.
    r"type_name|type_name_of_val|TypeId|type_id|Location|caller|location|set_hook|take_hook|"
    r"[Bb]acktrace)\b|\$|#!"
)
# Without a syntax tree, these words alone tell of what `_is_plain` looks for.
_REACHING_ITEMS = words("const gen impl trait")
_CLOSES = {"(": ")", "[": "]", "{": "}"}
# After these a `!` negates what stands in brackets.
_BEFORE_NEGATION = words("return break if while match in")
# A macro's call, an attribute and a module have one of these in their text.
_CALL_OR_ATTRIBUTE = re.compile(r"![\s\u200e\u200f]*[(\[{/]|#|\bmod\b|\bmacro")
# What defines a macro or a module, wherever it stands.
_NEVER_PLAIN = words("mod macro_rules macro")


@dataclass(frozen=True)
class Batch:
    """Programs to judge in one go.

    `together`: compiled as modules of one library. `broken`: they do not parse, so rustc only needs
    to be shown them, as such modules. `torn`: those of them that it would not read to their end,
    shown one by one in a shared sandbox. `alone`: one program, compiled by itself.
    """

    kind: Kind
    programs: tuple[Program, ...]


def plan_batches(programs: Sequence[Program], size: int, at_once: int) -> Iterator[Batch]:
    """Batches of at most `size` programs, and as many of a kind, where they are worth while, as
    `at_once` are judged or a multiple of that: so none is left that others have to wait for.

    The grouping depends on nothing else, so a resumed run repeats it.
    """
    groups: dict[tuple[Kind, str, str, tuple[str, ...]], list[Program]] = {}
    for program in programs:
        kind: Kind = kind_of(program) if size > 1 else "alone"
        if kind == "alone":
            yield Batch(kind, (program,))
        else:
            problem = program.problem
            key = (kind, problem.edition, problem.prelude, problem.crates)
            groups.setdefault(key, []).append(program)
    # Small batches come last, so that no worker is left with a large one at the end.
    for (kind, *_), group in sorted(groups.items(), key=lambda item: -_WORTHWHILE[item[0][0]]):
        fewest = -(-len(group) // size)
        even = at_once * -(-fewest // at_once)
        count = max(fewest, min(even, -(-len(group) // _WORTHWHILE[kind])))
        ends = [len(group) * index // count for index in range(count + 1)]
        for start, end in pairwise(ends):
            yield Batch(kind, tuple(group[start:end]))


def kind_of(program: Program) -> Kind:
    """How `program` may be judged; see Batch."""
    code, problem = program.code, program.problem
    if problem.edition == _ROOTED_EDITION or len(code) > _MAX_BYTES:
        return "alone"
    tree = parse(code.encode("utf-8", "replace"))
    if tree is None or may_read_files(code):
        return "alone"
    if tree.root_node.has_error:
        return "broken" if _can_be_read_to_its_end(code) else "torn"
    keeps_to_itself = not _REACHING_WORDS.search(code) and _is_plain(tree.root_node)
    return "together" if keeps_to_itself else "alone"


def _can_be_read_to_its_end(code: str) -> bool:
    """Whether rustc finds a token everywhere in `code`, and its brackets in pairs: else it reads
    no further, nor what comes after. And nothing that reaches beyond a module is in sight."""
    if open_literal(code) or _REACHING_WORDS.search(code):
        return False
    expected: list[str] = []
    for token in tokens(code):
        if token.kind == "open":
            expected.append(_CLOSES[token.text])
        elif token.kind == "close" and (not expected or expected.pop() != token.text):
            return False
        if token.kind == "unknown" or token.text in _REACHING_ITEMS:
            return False
    return not expected


def may_read_files(code: str) -> bool:
    """Whether compiling `code` could read a file, its neighbour's say, or might do so unseen.

    It cannot where it calls no macros but those like functions, has plain attributes only, names
    no module in a file of its own, and hides no item in a macro's input.
    """
    if not _CALL_OR_ATTRIBUTE.search(code):
        return False
    stream = list(tokens(code))
    inside: list[str] = [""]  # of each open bracket: in a macro's input, in an attribute, or ""
    for index, token in enumerate(stream):
        if token.kind == "open":
            inside.append(_opens(stream, index) or inside[-1])
        elif token.kind == "close" and len(inside) > 1:
            inside.pop()
        elif not _is_plain_token(stream, index, inside[-1]):
            return True
    return False


def _opens(stream: Sequence[Token], index: int) -> str:
    """Of what the bracket at `index` is the first: of a macro's input, of an attribute, or ""."""
    if _text(stream, index - 1) == "#":
        return "attribute"
    called = _text(stream, index - 1) == "!" and _is_name_of_macro(stream, index - 2)
    return "macro" if called else ""


def _is_name_of_macro(stream: Sequence[Token], index: int) -> bool:
    """Whether the word at `index`, before a `!` and a bracket, names a macro."""
    if index < 0 or stream[index].kind != "ident":
        return False
    return stream[index].raw or stream[index].text not in _BEFORE_NEGATION


def _is_plain_token(stream: Sequence[Token], index: int, inside: str) -> bool:
    """Whether no attribute, macro call, item or import is here that is not plainly plain."""
    token = stream[index]
    if inside == "attribute" and token.text in ("!", "#", "::"):
        return False
    if token.text == "#":
        attribute = _text(stream, index + 2) if _text(stream, index + 1) == "[" else ""
        return inside == "" and attribute in _PLAIN_ATTRIBUTES
    if token.kind != "ident":
        return True
    if token.text == "as" and not token.raw and _text(stream, index + 1) in CALL_LIKE_MACROS:
        return False
    is_call = _text(stream, index + 1) == "!" and _kind(stream, index + 2) == "open"
    if is_call and _is_name_of_macro(stream, index):
        return token.text in CALL_LIKE_MACROS and _text(stream, index - 1) != "::"
    hidden = RESERVED_ITEM_WORDS if inside == "macro" else _NEVER_PLAIN
    return token.raw or token.text not in hidden


def _text(stream: Sequence[Token], index: int) -> str:
    """The text of a token that is no literal; nothing where there is none."""
    if not 0 <= index < len(stream) or stream[index].kind == "literal":
        return ""
    return stream[index].text


def _kind(stream: Sequence[Token], index: int) -> str:
    return stream[index].kind if index < len(stream) else ""


def _is_plain(root: Node) -> bool:
    stack = [(root, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > _MAX_DEPTH or node.type in _LEAVES_ITS_MODULE or _implements_a_trait(node):
            return False
        stack.extend((child, depth + 1) for child in node.named_children)
    return True


def _implements_a_trait(node: Node) -> bool:
    return node.type == "impl_item" and node.child_by_field_name("trait") is not None
