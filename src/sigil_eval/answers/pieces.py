"""One piece of an answer, read as a function or as a body that the prompt's signature opens."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from tree_sitter import Node

from sigil_eval.answers.dress import without_entities
from sigil_eval.answers.question import Question
from sigil_eval.answers.stubs import is_mere_call, is_mere_words, is_stub
from sigil_eval.rust.items import Item, Source, definition_of, read_items
from sigil_eval.rust.lexer import block_end, tokens
from sigil_eval.rust.plausible import breaks_off, may_be_rust
from sigil_eval.rust.syntax import own_text, parse, text_of
from sigil_eval.rust.vocabulary import DEFINITION_KINDS, ITEM_MACROS


class Shape(Enum):
    """What a piece of an answer turns out to be."""

    # The function that was asked for, with nothing but Rust around it.
    WHOLE_FUNCTION = auto()
    # A body that parses, up to the brace that closes it; anything may follow.
    WHOLE_BODY = auto()
    # A body that is whole once its last brace is added.
    OPEN_BODY = auto()
    # The function that was asked for, complete, amid prose or what does not parse.
    FUNCTION_IN_PROSE = auto()
    # The function or its body, with nothing in it, or only what says that it is not written yet.
    STUB = auto()
    # A body that gives no value where one is asked for: calls that show the function at work.
    CALLS = auto()
    # Its beginning: the text ends before the function does.
    CUT_FUNCTION = auto()
    # Code up to a brace that closes it, but no body that parses.
    BROKEN_BODY = auto()
    # Code that ends before its braces are closed.
    CUT_BODY = auto()
    # A headline: words that happen to be an expression.
    WORDS = auto()
    # Items that may be what another piece needs.
    HELPERS = auto()


SOUND_BODIES = {Shape.WHOLE_BODY, Shape.OPEN_BODY}
FUNCTIONS = {Shape.WHOLE_FUNCTION, Shape.FUNCTION_IN_PROSE, Shape.CUT_FUNCTION}
WHOLE = SOUND_BODIES | {Shape.WHOLE_FUNCTION, Shape.FUNCTION_IN_PROSE}
_PERHAPS_PROSE = {Shape.BROKEN_BODY, Shape.CUT_BODY, Shape.WORDS}
TRUNCATED = {Shape.CUT_FUNCTION, Shape.CUT_BODY}


@dataclass(frozen=True)
class Piece:
    """A piece of an answer, with the items in it; a body is made the function it belongs to."""

    shape: Shape
    source: Source
    text: str

    @property
    def is_function(self) -> bool:
        """Whether the piece has the function itself, and not a body that was made one."""
        entry = self.source.entry()
        return entry is not None and entry.text in self.text


def read_piece(text: str, question: Question) -> Piece | None:
    """Read a text without fences as a whole function, or else as a body; None if it is neither."""
    text = without_entities(text)
    piece = _read(text, question)
    if piece is None or piece.shape in _PERHAPS_PROSE or _has_headline(piece, question):
        behind = (_read_body(rest, question) for rest in _behind_leading_prose(text))
        sound = (body for body in behind if body is not None and body.shape in SOUND_BODIES)
        piece = next(sound, piece)
    return _named_for_what_it_is(piece, question) if piece else None


def _has_headline(piece: Piece, question: Question) -> bool:
    """Whether the first line of a body is a headline that happens to be Rust."""
    line = piece.text.lstrip("\n").partition("\n")[0]
    is_body = piece.shape in SOUND_BODIES
    return is_body and not line[:1].isspace() and is_mere_words(line, question)


def _read(text: str, question: Question) -> Piece | None:
    mentioned = definition_of(question.entry_point).search(text)
    source = read_items(text, question.entry_point) if mentioned else None
    entry = source.entry() if source else None
    if source is not None and entry is not None and source.clean:
        return Piece(Shape.WHOLE_FUNCTION, source, text)
    body = _read_body(text, question)
    if body is not None and body.shape is Shape.WHOLE_BODY:
        return body
    if (
        body is not None
        and body.shape is Shape.OPEN_BODY
        and _outdoes(body.source, entry, question)
    ):
        return body
    if source is not None and entry is not None:
        shape = Shape.FUNCTION_IN_PROSE if entry.closed else Shape.CUT_FUNCTION
        return Piece(shape, source, text)
    return body


def _named_for_what_it_is(piece: Piece, question: Question) -> Piece:
    """A piece that is a stub, or calls of the function, is neither function nor body."""
    entries = [item for item in piece.source.items if item.role == "entry"]
    if entries and all(is_stub(item) for item in entries):
        return replace(piece, shape=Shape.STUB)
    if piece.shape not in SOUND_BODIES or not question.returns_value:
        return piece
    if is_mere_call(entries[0], question) or not _gives_value(entries[0]):
        return replace(piece, shape=Shape.CALLS)
    return piece


def _read_body(text: str, question: Question) -> Piece | None:
    """Read a text as what follows the prompt's opening brace; None if it is no code."""
    if not question.signature or not any(True for _ in tokens(text)):
        return None
    end, missing = block_end(text, 0, depth=1)
    if not missing:
        return _read_closed_body(text[:end], text[end:], question)
    if missing == 1:
        for body in (text, _without_closing_prose(text)):
            closed = f"{question.start}{body.rstrip()}\n}}"
            if body and (_is_sound(closed, question) or _is_sound_by_tokens(body, question)):
                source = Source((_entry(closed, question),), (), clean=True)
                words = is_mere_words(body, question)
                return Piece(Shape.WORDS if words else Shape.OPEN_BODY, source, text)
    if not _looks_like_code(text) or _defines_only(question.start + text + "}" * missing, question):
        return None
    cut = _entry(question.start + text.rstrip(), question, closed=False)
    return Piece(Shape.CUT_BODY, Source((cut,), (), clean=False), text)


def _read_closed_body(body: str, after: str, question: Question) -> Piece | None:
    entry = _entry(question.start + body, question)
    rest = read_items(after, question.entry_point)
    source = Source((entry, *rest.items), rest.inner_attributes, clean=rest.clean)
    if _is_sound(entry.text, question):
        return Piece(Shape.WHOLE_BODY, source, body + after)
    if _looks_like_code(body):
        return Piece(Shape.BROKEN_BODY, source, body + after)
    return None


def _entry(text: str, question: Question, closed: bool = True) -> Item:
    return Item("function_item", (question.entry_point,), text, "entry", closed)


def _is_sound(function: str, question: Question) -> bool:
    """Whether a function with this body parses, and does more than define other items."""
    tree = parse(function.encode())
    if tree is None or tree.root_node.has_error or not tree.root_node.child_count:
        return False
    return not _has_only_items(tree.root_node)


def _is_sound_by_tokens(body: str, question: Question) -> bool:
    """Whether an open body is code that is whole, though the parser finds an error in it.

    The parser rejects some of what rustc takes, such as `x as T <= y` and `M::<-3>`.
    """
    if not _looks_like_code(body) or definition_of(question.entry_point).search(body):
        return False
    tree = parse(f"{question.start}{body}\n}}".encode())
    if tree is not None and not tree.root_node.has_error:
        return False
    return may_be_rust(body) and not breaks_off(body)


def _defines_only(function: str, question: Question) -> bool:
    """Whether a function is nothing but items (see _has_only_items)."""
    tree = parse(function.encode())
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
        or child.type.endswith(("attribute_item", "function_signature_item"))
        or own_text(child).partition("!")[0] in ITEM_MACROS
        for child in inner
    )


def _last_statement(function: str) -> str | None:
    """The last statement of a function, None where it has none or does not parse."""
    data = function.encode()
    tree = parse(data)
    block = tree.root_node.children[-1].child_by_field_name("body") if tree else None
    if block is None or tree is None or tree.root_node.has_error:
        return None
    statements = [one for one in block.named_children if not one.type.endswith("comment")]
    return text_of(statements[-1], data) if statements else None


def _outdoes(body: Source, entry: Item | None, question: Question) -> bool:
    """Whether an open body is rather meant than the entry function that the text has, too.

    It is if it ends in an expression or a return, not in calls that show it at work, nor in the
    first word of something that the token limit has cut off.
    """
    if entry is None:
        return True
    text = body.items[0].text
    last = _last_statement(text)
    if last is None or (last.endswith((";", "}")) and not last.startswith("return")):
        return False
    before = {token.text for token in tokens(text[: text.rindex(last)])}
    words = (token.text for token in tokens(last) if token.kind == "ident")
    return not is_mere_words(last, question) or before.issuperset(words)


_GIVES_NOTHING = re.compile(
    r"(?:let|for|while|use)\b|(?:std::)?(?:e?print(?:ln)?|(?:debug_)?assert\w*)!"
)
_LEAVES = re.compile(r"(?:return|panic!|unreachable!|todo!|unimplemented!|std::process::exit)\b")


def _gives_value(entry: Item) -> bool:
    """Whether a body's last statement is a value, or leaves the function."""
    if not entry.text.removesuffix("}").rstrip().endswith((";", "}")):
        return True
    last = _last_statement(entry.text)
    if last is None or _LEAVES.match(last):
        return True
    if _GIVES_NOTHING.match(last):
        return False
    return not last.endswith(";") or last.startswith(("loop", "match", "if", "unsafe", "{"))


_CODE_MARK = re.compile(r"[{}]|;[ \t]*(?://.*)?$", re.MULTILINE)


def _looks_like_code(text: str) -> bool:
    return _CODE_MARK.search(text) is not None


_PROSE_LINE = re.compile(r"\n[ \t]*\n(?=(?:[A-Z][a-z']*[ ,:]|\*\*|#+ |[-*] |>|</?\w+>))")


def _without_closing_prose(text: str) -> str:
    """Cut a text at the first paragraph that reads like prose; empty if there is none."""
    match = _PROSE_LINE.search(text)
    return text[: match.start()] if match else ""


# A line of prose: not set in, and without what ends a line of code.
_LEADING_PROSE = re.compile(r"(?:[ \t]*\n|(?=[^\s{}/])[^\n]*[^\s{};,(\[\n][ \t]*\n)+(?=[ \t]+\S)")


def _behind_leading_prose(text: str) -> Iterator[str]:
    """The text behind a first paragraph, and behind lines not set in, where those are prose."""
    paragraph, _, rest = text.partition("\n\n")
    if rest and not _looks_like_code(paragraph) and not may_be_rust(paragraph):
        yield rest
    if match := _LEADING_PROSE.match(text):
        yield text[match.end() :]
