"""One piece of an answer, read as a function or as a body that the prompt's signature opens."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from tree_sitter import Node

from sigil_eval.answers.question import Question
from sigil_eval.rust.items import Item, Source, definition_of, read_items
from sigil_eval.rust.lexer import block_end, tokens
from sigil_eval.rust.syntax import own_text, parse, text_of
from sigil_eval.rust.vocabulary import DEFINITION_KINDS, ITEM_MACROS


class Shape(Enum):
    """What a piece of an answer turns out to be."""

    # The function that was asked for, with nothing but Rust around it.
    WHOLE_FUNCTION = auto()
    # A body that parses, up to the brace that closes it; anything may follow.
    WHOLE_BODY = auto()
    # A body that parses once its last brace is added.
    OPEN_BODY = auto()
    # The function that was asked for, complete, amid prose or what does not parse.
    FUNCTION_IN_PROSE = auto()
    # Its beginning: the text ends before the function does.
    CUT_FUNCTION = auto()
    # Code up to a brace that closes it, but no body that parses.
    BROKEN_BODY = auto()
    # Code that ends before its braces are closed.
    CUT_BODY = auto()
    # Items that may be what another piece needs.
    HELPERS = auto()


SOUND_BODIES = {Shape.WHOLE_BODY, Shape.OPEN_BODY}
FUNCTIONS = {Shape.WHOLE_FUNCTION, Shape.FUNCTION_IN_PROSE, Shape.CUT_FUNCTION}
TRUNCATED = {Shape.CUT_FUNCTION, Shape.CUT_BODY}


@dataclass(frozen=True)
class Piece:
    """A piece of an answer, with the items in it; a body is made the function it belongs to."""

    shape: Shape
    source: Source


def read_piece(text: str, question: Question) -> Piece | None:
    """Read a text without fences as a whole function, or else as a body; None if it is neither."""
    mentioned = definition_of(question.entry_point).search(text)
    source = read_items(text, question.entry_point) if mentioned else None
    entry = source.entry() if source else None
    if source is not None and entry is not None and source.clean:
        return Piece(Shape.WHOLE_FUNCTION, source)
    body = _read_body(text, question)
    if body is not None and body.shape is Shape.WHOLE_BODY:
        return body
    if body is not None and body.shape is Shape.OPEN_BODY and _outdoes(body.source, entry):
        return body
    if source is not None and entry is not None:
        shape = Shape.FUNCTION_IN_PROSE if entry.closed else Shape.CUT_FUNCTION
        return Piece(shape, source)
    return body


def _read_body(text: str, question: Question) -> Piece | None:
    """Read a text as what follows the prompt's opening brace; None if it is no code."""
    if not question.signature or not any(True for _ in tokens(text)):
        return None
    end, missing = block_end(text, 0, depth=1)
    if not missing:
        return _read_closed_body(text[:end], text[end:], question)
    if missing == 1:
        for body in (text, _without_closing_prose(text)):
            if body and _is_sound(closed := f"{question.start}{body.rstrip()}\n}}", question):
                return Piece(Shape.OPEN_BODY, Source((_entry(closed, question),), (), clean=True))
    if not _looks_like_code(text) or _defines_only(question.start + text + "}" * missing, question):
        return None
    cut = _entry(question.start + text.rstrip(), question, closed=False)
    return Piece(Shape.CUT_BODY, Source((cut,), (), clean=False))


def _read_closed_body(body: str, after: str, question: Question) -> Piece | None:
    entry = _entry(question.start + body, question)
    rest = read_items(after, question.entry_point)
    source = Source((entry, *rest.items), rest.inner_attributes, clean=rest.clean)
    if _is_sound(entry.text, question):
        return Piece(Shape.WHOLE_BODY, source)
    return Piece(Shape.BROKEN_BODY, source) if _looks_like_code(body) else None


def _entry(text: str, question: Question, closed: bool = True) -> Item:
    return Item("function_item", (question.entry_point,), text, "entry", closed)


def _is_sound(function: str, question: Question) -> bool:
    """Whether a function with this body parses, and does more than define other items."""
    tree = parse(function.encode())
    if tree is None or tree.root_node.has_error or not tree.root_node.child_count:
        return False
    return not (question.returns_value and _has_only_items(tree.root_node))


def _defines_only(function: str, question: Question) -> bool:
    """Whether a function that must return a value is nothing but items (see _has_only_items)."""
    tree = parse(function.encode()) if question.returns_value else None
    return tree is not None and not tree.root_node.has_error and _has_only_items(tree.root_node)


def _has_only_items(root: Node) -> bool:
    """Whether the body of the first function consists of nothing but items.

    That is a whole function (or a wrongly named one) read as a body.
    """
    body = root.children[0].child_by_field_name("body") if root.child_count else None
    if body is None:
        return False
    inner = [child for child in body.named_children if not child.type.endswith("comment")]
    return bool(inner) and all(
        child.type in DEFINITION_KINDS
        or child.type.endswith("attribute_item")
        or own_text(child).partition("!")[0] in ITEM_MACROS
        for child in inner
    )


def _outdoes(body: Source, entry: Item | None) -> bool:
    """Whether an open body is rather meant than the entry function that the text has, too.

    It is if it ends in an expression or a return, not in calls that show it at work.
    """
    if entry is None:
        return True
    data = body.items[0].text.encode()
    tree = parse(data)
    block = tree.root_node.children[-1].child_by_field_name("body") if tree else None
    if block is None or not block.named_child_count:
        return False
    last = text_of(block.named_children[-1], data)
    return last.startswith("return") or not last.endswith((";", "}"))


_CODE_MARK = re.compile(r"[{}]|;[ \t]*(?://.*)?$", re.MULTILINE)


def _looks_like_code(text: str) -> bool:
    return _CODE_MARK.search(text) is not None


_PROSE_LINE = re.compile(r"\n[ \t]*\n(?=(?:[A-Z][a-z']*[ ,:]|\*\*|#+ |[-*] |>|</?\w+>))")


def _without_closing_prose(text: str) -> str:
    """Cut a text at the first paragraph that reads like prose; empty if there is none."""
    match = _PROSE_LINE.search(text)
    return text[: match.start()] if match else ""
