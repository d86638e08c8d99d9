"""Which of several whole definitions an answer means: the first, unless its words say otherwise.

A model gives its answer first, and adds usage, tests, or another way to do it; whoever runs the
answer runs the first. But a draft that is then corrected, or faulty code that is quoted, comes
before the answer. What the answer says in front of a definition tells the two apart (`wording`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sigil_eval.answers.pieces import SOUND_BODIES, WHOLE, Shape
from sigil_eval.answers.question import Question
from sigil_eval.answers.readings import Place, Reading, surest
from sigil_eval.answers.stubs import is_stub
from sigil_eval.answers.wording import deciding_rule
from sigil_eval.rust.items import Item
from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.plausible import may_be_rust


@dataclass(frozen=True)
class Definition:
    """A whole definition of the function that was asked for, and what is said in front of it."""

    reading: Reading
    entry: Item
    said_before: str


@dataclass(frozen=True)
class Choice:
    """What is taken for the answer: the definition in a reading, and why that one.

    `definitions` counts the different ones that are complete and no stubs. `meant` says that it
    reads as code that was meant, though perhaps cut or broken.
    """

    reading: Reading
    entry: Item
    why: str
    meant: bool
    definitions: int


def chosen_definition(
    readings: Sequence[Reading], question: Question, last: bool = False
) -> Choice | None:
    """The definition to go by, the last of several where that is asked for; None without any."""
    best = surest(readings)
    entry = _entry_of(best) if best else None
    if best is None or entry is None:
        return None
    whole = [one for one in _definitions(readings, question) if not is_stub(one.entry)]
    first = next((one for one in whole if one.reading is best), None)
    if first is None:
        return Choice(best, entry, "no definition is whole", _is_meant(best), definitions=0)
    alike = [one.entry for one in whole if _counts(one, first)]
    said = {_words_of(one) for one in alike} if len(alike) > 1 else {first.entry.text}
    chosen, why = first, "the only definition" if len(said) == 1 else "the first definition"
    for one in whole[whole.index(first) + 1 :]:
        if last and _counts(one, first):
            chosen, why = one, "the last definition of a draft"
        elif _takes_over(chosen, one, question):
            chosen, why = one, "the text says that it replaces the one before"
    return Choice(chosen.reading, chosen.entry, why, meant=True, definitions=len(said))


def _is_meant(reading: Reading) -> bool:
    """Whether code that is not whole is more than prose that reads like code, or calls."""
    shape = reading.piece.shape
    if shape in (Shape.BROKEN_BODY, Shape.CUT_BODY) and reading.place is not Place.FENCE:
        return may_be_rust(reading.piece.text)
    return shape not in (Shape.WORDS, Shape.CALLS)


def _entry_of(reading: Reading) -> Item | None:
    entries = [item for item in reading.source.items if item.role == "entry"]
    real = [item for item in entries if item.closed and not is_stub(item)]
    return real[0] if real else reading.source.entry()


def _counts(one: Definition, chosen: Definition) -> bool:
    """Whether a definition is one as the chosen one is: a body in a fence could be anything."""
    fenced_body = one.reading.place is Place.FENCE and not one.reading.piece.is_function
    return not fenced_body or one.reading is chosen.reading


def _words_of(entry: Item) -> str:
    return " ".join(token.text for token in tokens(entry.text))


def _definitions(readings: Sequence[Reading], question: Question) -> Iterator[Definition]:
    """The whole definitions, in the order of the text; those under a #[cfg] are one."""
    said = ""
    for reading in readings:
        said += reading.said_before
        text, position, conditional = reading.piece.text, 0, False
        if reading.piece.shape not in WHOLE:
            said += text if reading.piece.shape is Shape.WORDS else ""
            continue
        for item in reading.source.items:
            if item.role != "entry" or not item.closed:
                continue
            begin, end = _span(item, text, position, question)
            said += text[position:begin]
            has_condition = "#[cfg" in item.text.partition("fn ")[0]
            if not (has_condition and conditional):
                yield Definition(reading, item, said)
            said, position, conditional = "", end, has_condition
        said += text[position:]


def _span(entry: Item, text: str, position: int, question: Question) -> tuple[int, int]:
    """Where in a piece its function stands, or the body that was made one."""
    found = text.find(entry.text, position)
    if found >= 0:
        return found, found + len(entry.text)
    body = entry.text.removeprefix(question.start)
    if not text.startswith(body, position):
        body = body.removesuffix("\n}")
    return position, position + len(body)


def _takes_over(chosen: Definition, later: Definition, question: Question) -> bool:
    """Whether an answer says that a later definition stands for the chosen one.

    A body in a fence could be anything, so that what is said of the chosen one is not enough.
    """
    rule = deciding_rule(chosen.said_before, later.said_before, question.lines)
    later_is_body = later.reading.piece.shape in SOUND_BODIES
    return rule is not None and rule.replaces and not (rule.where == "first" and later_is_body)
