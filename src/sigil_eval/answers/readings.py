"""The ways to read an answer, and which of them is the surest.

An answer is cut into the text before its first fence, its fences, and the answer as a whole. Where
a piece stands and what shape it has say how sure it is to be the function that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from sigil_eval.answers.fences import RUST_LANGUAGES, split_at_fences
from sigil_eval.answers.pieces import FUNCTIONS, SOUND_BODIES, TRUNCATED, Piece, Shape, read_piece
from sigil_eval.answers.question import Question
from sigil_eval.rust.items import Source, read_items
from sigil_eval.rust.syntax import parse


class Place(Enum):
    """Where a piece of an answer stands; ANSWER is all of it."""

    ANSWER = auto()
    HEAD = auto()
    FENCE = auto()


@dataclass(frozen=True)
class Reading:
    """One way to read the answer."""

    place: Place
    piece: Piece

    @property
    def source(self) -> Source:
        """The items that were read."""
        return self.piece.source

    @property
    def kind(self) -> str:
        """How the answer gives its code: fence, function or body."""
        if self.place is Place.FENCE:
            return "fence"
        return "function" if self.piece.shape in FUNCTIONS else "body"

    @property
    def truncated(self) -> bool:
        """Whether the answer ends before its code does."""
        return self.piece.shape in TRUNCATED


def _anywhere(shape: Shape) -> set[tuple[Place, Shape]]:
    return {(place, shape) for place in Place}


# From the surest reading to the least sure.
_BY_TRUST: tuple[set[tuple[Place, Shape]], ...] = (
    # The whole answer is the code; no other reading is tried beside it.
    {(Place.ANSWER, shape) for shape in (Shape.WHOLE_FUNCTION, *SOUND_BODIES)},
    # The model went straight on from the prompt; what it fenced after that shows it at work.
    {(Place.HEAD, Shape.WHOLE_FUNCTION), (Place.HEAD, Shape.WHOLE_BODY)},
    {(Place.FENCE, Shape.WHOLE_FUNCTION)},
    {(Place.FENCE, Shape.FUNCTION_IN_PROSE)},
    # It went straight on, and the first fence stands where the last brace should.
    {(Place.HEAD, Shape.OPEN_BODY)},
    # A fence that doesn't name the function: its body, or just as well calls of it.
    {(Place.FENCE, shape) for shape in SOUND_BODIES},
    {(Place.HEAD, Shape.FUNCTION_IN_PROSE), (Place.ANSWER, Shape.FUNCTION_IN_PROSE)},
    # What rustc will refuse, the function's own name before mere code.
    _anywhere(Shape.CUT_FUNCTION),
    _anywhere(Shape.BROKEN_BODY),
    _anywhere(Shape.CUT_BODY),
    _anywhere(Shape.HELPERS),
)
# Beside these alone, a function is looked for outside of all fences, too.
_DOUBTFUL = TRUNCATED | {Shape.BROKEN_BODY, Shape.HELPERS}
_RANK = {reading: rank for rank, readings in enumerate(_BY_TRUST) for reading in readings}


def surest(readings: Sequence[Reading]) -> Reading | None:
    """The reading to go by; of equals the first, as the model gave it first."""
    return min(readings, key=lambda one: _RANK[one.place, one.piece.shape], default=None)


def readings_of(text: str, question: Question) -> list[Reading]:
    """Ways to read the answer, in the order of the text."""
    head, fences = split_at_fences(text)
    if not fences or _is_rust(text, question):
        return _read_at(Place.ANSWER, text, question)
    found = _read_at(Place.HEAD, head, question) if _has_code_marks(head) else []
    for language, content in fences:
        found += _read_fence(language, content, question)
    if all(one.piece.shape in _DOUBTFUL for one in found):
        outside = _read_at(Place.ANSWER, text, question)
        found += [one for one in outside if one.piece.shape in FUNCTIONS]
    return found


def _read_at(place: Place, text: str, question: Question) -> list[Reading]:
    piece = read_piece(text, question)
    return [Reading(place, piece)] if piece else []


def _read_fence(language: str, content: str, question: Question) -> list[Reading]:
    piece = read_piece(content, question)
    if piece is None:
        piece = Piece(Shape.HELPERS, read_items(content, question.entry_point))
    is_output = piece.shape in SOUND_BODIES and language not in RUST_LANGUAGES
    return [Reading(Place.FENCE, piece)] if piece.source.items and not is_output else []


def _is_rust(text: str, question: Question) -> bool:
    """Whether what looks like fences stands in comments or strings."""
    return any(
        tree is not None and not tree.root_node.has_error
        for tree in (parse(one.encode()) for one in (text, question.start + text))
    )


def _has_code_marks(head: str) -> bool:
    """Whether there is more than words and their punctuation before the first fence."""
    return re.search(r"[^\w\s'\",.!?:]", head) is not None
