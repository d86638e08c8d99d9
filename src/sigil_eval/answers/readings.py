"""The ways to read an answer, and which of them is the surest.

An answer is cut into the text before its first fence, its fences, and the answer as a whole. Where
a piece stands and what shape it has say how sure it is to be the function that was asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from sigil_eval.answers.fences import Segment, segments_of
from sigil_eval.answers.pieces import FUNCTIONS, SOUND_BODIES, TRUNCATED, Piece, Shape, read_piece
from sigil_eval.answers.question import Question, is_rust
from sigil_eval.rust.items import Source, read_items


class Place(Enum):
    """Where a piece of an answer stands; ANSWER is all of it."""

    ANSWER = auto()
    HEAD = auto()
    FENCE = auto()


@dataclass(frozen=True)
class Reading:
    """One way to read the answer; `said_before` is the prose between the piece before and it."""

    place: Place
    piece: Piece
    said_before: str = ""

    @property
    def source(self) -> Source:
        """The items that were read."""
        return self.piece.source

    @property
    def kind(self) -> str:
        """How the answer gives its code: fence, function or body."""
        if self.place is Place.FENCE:
            return "fence"
        return "function" if self.piece.is_function else "body"

    @property
    def truncated(self) -> bool:
        """Whether the answer ends before its code does."""
        return self.piece.shape in TRUNCATED


@dataclass(frozen=True)
class Preference:
    """Readings that are as sure as each other, and why they are surer than those that follow."""

    name: str
    why: str
    places: frozenset[Place]
    shapes: frozenset[Shape]


_ANYWHERE = frozenset(Place)
_ANSWER, _HEAD, _FENCE = (frozenset({place}) for place in Place)
PREFERENCES = (
    Preference(
        "nothing but code",
        "no other reading is needed",
        _ANSWER,
        frozenset({Shape.WHOLE_FUNCTION, *SOUND_BODIES}),
    ),
    Preference(
        "code before the first fence",
        "the model went straight on from the prompt; what it fenced after that shows it at work",
        _HEAD,
        frozenset({Shape.WHOLE_FUNCTION, Shape.WHOLE_BODY}),
    ),
    Preference(
        "a fence with the function",
        "it names what was asked for, and holds nothing but Rust",
        _FENCE,
        frozenset({Shape.WHOLE_FUNCTION}),
    ),
    Preference(
        "a fence with the function and something else",
        "it names what was asked for",
        _FENCE,
        frozenset({Shape.FUNCTION_IN_PROSE}),
    ),
    Preference(
        "an open body before the first fence",
        "the mark of the fence stands where the last brace should",
        _HEAD,
        frozenset({Shape.OPEN_BODY}),
    ),
    Preference(
        "a fence with a body",
        "it does not name the function, so it could be anything that gives a value",
        _FENCE,
        frozenset(SOUND_BODIES),
    ),
    Preference(
        "the function amid prose",
        "outside of all fences, where an answer that has fences should not have it",
        _HEAD | _ANSWER,
        frozenset({Shape.FUNCTION_IN_PROSE}),
    ),
    Preference(
        "the beginning of the function",
        "rustc will refuse it, but it has the function's own name",
        _ANYWHERE,
        frozenset({Shape.CUT_FUNCTION}),
    ),
    Preference(
        "a body that does not parse",
        "it is for rustc to say what is wrong with it",
        _ANYWHERE,
        frozenset({Shape.BROKEN_BODY}),
    ),
    Preference(
        "the beginning of a body",
        "it may be prose with a brace in it",
        _ANYWHERE,
        frozenset({Shape.CUT_BODY}),
    ),
    Preference(
        "a stub",
        "whoever quotes one means it to be filled in; alone it is scored as it is",
        _ANYWHERE,
        frozenset({Shape.STUB}),
    ),
    Preference(
        "calls of the function",
        "they show at work what is not there",
        _ANYWHERE,
        frozenset({Shape.CALLS}),
    ),
    Preference(
        "a headline",
        "words that happen to be an expression",
        _ANYWHERE,
        frozenset({Shape.WORDS}),
    ),
    Preference(
        "items without the function",
        "what another piece may need",
        _ANYWHERE,
        frozenset({Shape.HELPERS}),
    ),
)
_ORDER = {
    (place, shape): number
    for number, one in enumerate(PREFERENCES)
    for place in one.places
    for shape in one.shapes
}
# Beside these alone, a function is looked for outside of all fences, too.
_DOUBTFUL = TRUNCATED | {
    Shape.BROKEN_BODY, Shape.HELPERS, Shape.STUB, Shape.CALLS, Shape.WORDS,
}  # fmt: skip


def surest(readings: Sequence[Reading]) -> Reading | None:
    """The reading to go by; of equals the first, as the model gave it first."""
    return min(readings, key=lambda one: _ORDER[one.place, one.piece.shape], default=None)


def why_surest(reading: Reading) -> str:
    """What a reading is, and why that is sure, in words."""
    one = PREFERENCES[_ORDER[reading.place, reading.piece.shape]]
    return f"{one.name}: {one.why}"


def readings_of(text: str, question: Question) -> list[Reading]:
    """Ways to read the answer, in the order of the text."""
    segments = segments_of(text) if "```" in text or "~~~" in text else []
    if not any(one.language is not None for one in segments) or is_rust(text, question):
        return _read_at(Place.ANSWER, text, question)
    found = [*_read_segments(segments, question)]
    if all(one.piece.shape in _DOUBTFUL for one in found):
        outside = _read_at(Place.ANSWER, text, question)
        found += [one for one in outside if one.piece.shape in FUNCTIONS | {Shape.STUB}]
    return found


def _read_segments(segments: Sequence[Segment], question: Question) -> Iterator[Reading]:
    said = ""
    for number, segment in enumerate(segments):
        read = []
        if segment.language is not None:
            read = _read_fence(segment, question)
        elif number == 0 and _has_code_marks(segment.text):
            read = _read_at(Place.HEAD, segment.text, question)
        for one in read:
            yield replace(one, said_before=said)
        said = "" if read else said + segment.text


def _read_at(place: Place, text: str, question: Question) -> list[Reading]:
    piece = read_piece(text, question)
    return [Reading(place, piece)] if piece else []


def _read_fence(segment: Segment, question: Question) -> list[Reading]:
    piece = read_piece(segment.text, question)
    if piece is None:
        source = read_items(segment.text, question.entry_point)
        piece = Piece(Shape.HELPERS, source, segment.text)
    is_output = piece.shape in SOUND_BODIES | {Shape.CALLS, Shape.WORDS} and not segment.is_rust
    return [Reading(Place.FENCE, piece)] if piece.source.items and not is_output else []


def _has_code_marks(head: str) -> bool:
    """Whether there is more than words and their punctuation before the first fence."""
    return re.search(r"[^\w\s'\",.!?:]", head) is not None
