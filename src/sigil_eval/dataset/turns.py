"""What of a row is asked and what is answered, in each of the fields that hold such text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sigil_eval.documents.dataset_check import FieldsName
from sigil_eval.files import Row

MISSING = object()

# Fields of a list of turns, with what each turn calls its speaker and its text.
_CHATS: dict[FieldsName, tuple[str, str]] = {
    "messages": ("role", "content"),
    "conversations": ("from", "value"),
}
_ANSWERS = frozenset({"assistant", "gpt", "model", "bot", "chatgpt"})


class Turn(NamedTuple):
    """A text of a row; `text` is whatever stands there, MISSING where nothing does."""

    name: str
    text: Any
    is_answer: bool
    is_chat: bool = False


def fields_of(row: Row) -> list[FieldsName]:
    """Which fields of a row hold what is asked and answered; all of them are read."""
    chats: list[FieldsName] = [name for name in _CHATS if row.get(name) is not None]
    # Beside a chat, a prompt alone repeats its beginning, and Parquet has nulls.
    has = [row.get(name) is not None if chats else name in row for name in ("prompt", "gen")]
    pair = all(has) if chats else any(has)
    return [*(["prompt, gen"] if pair else []), *chats]  # type: ignore[list-item]


def turns_of(row: Row, fields: FieldsName) -> Iterator[Turn]:
    """The turns in one of a row's fields. Raises ValueError where it is no list of them."""
    if fields == "prompt, gen":
        yield Turn("`prompt`", row.get("prompt", MISSING), False)
        yield Turn("`gen`", row.get("gen", MISSING), True)
        return
    who, what = _CHATS[fields]
    turns = row[fields]
    if not isinstance(turns, list) or not turns:
        raise ValueError(f"`{fields}` is no list of turns")
    if not any(isinstance(turn, dict) and turn.get(who) in _ANSWERS for turn in turns):
        raise ValueError(f"`{fields}` has no turn of an assistant")
    for number, turn in enumerate(turns, 1):
        name = f"`{fields}` {number}"
        if not isinstance(turn, dict) or not isinstance(turn.get(who), str):
            raise ValueError(f"{name} is no turn with `{who}` and `{what}`")
        yield Turn(f"{name} `{what}`", turn.get(what, MISSING), turn[who] in _ANSWERS, True)
