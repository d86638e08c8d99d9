"""A row of training data against the problems that are known, and against rules of format."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sigil_eval.dataset.forms import code_tokens, tree
from sigil_eval.dataset.known import Signals, known_problems
from sigil_eval.dataset.turns import MISSING, Turn, fields_of, turns_of
from sigil_eval.documents.dataset_check import FieldsName, FormatName
from sigil_eval.errors import UsageError, quoted
from sigil_eval.files import Row, object_of
from sigil_eval.rust.lexer import Token
from sigil_eval.rust.syntax import TREE_LIMIT_BYTES, parse
from sigil_eval.rust.vocabulary import RESERVED_ITEM_WORDS, any_of

# A row as it was read, by the number of its line in a JSONL file, or of the row in a Parquet file.
type Numbered = tuple[int, bytes | Row]

_LONGEST_TEXT = 1 << 20
_FEWEST_ALIKE = 20  # tokens: shorter code is alike too often
_FENCED = re.compile(r"```[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
_RUST_FENCED = re.compile(r"```(?:rust|rs)\b[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
_FIRST_LINE = re.compile(
    rf"^[ \t]*(?:#!?\[|//|(?:let|{any_of(RESERVED_ITEM_WORDS)})\b)",
    re.MULTILINE,
)
_CODE_MARK = re.compile("[;{}]")
_STUBS = ("todo", "unimplemented")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSEEN = re.compile("[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# What sigil-pipeline calls rows whose `gen` is no Rust, or a part of some.
_PROSE = frozenset({"explanation", "explanations"})
_NOT_WHOLE = _PROSE | {"fill_in_middle", "fim"}
_SAME_SPLIT = {"validation": "val", "valid": "val", "dev": "val", "eval": "val"}


@dataclass(frozen=True)
class Examined:
    """What was found in some rows, by their numbers."""

    count: int
    faults: list[tuple[int, FormatName, str]] = field(default_factory=list)
    tasks: list[tuple[int, str, Signals]] = field(default_factory=list)
    digests: list[tuple[int, int, int]] = field(default_factory=list)
    """Of each row whose texts are all there: what it shares with an equal one, and with one that is
    alike (0 where it is too short to say)."""
    fields: Counter[FieldsName] = field(default_factory=Counter)
    """In how many rows which fields were read."""
    unknown: list[tuple[int, str]] = field(default_factory=list)
    """Rows that have none of these, with the fields that they have."""
    crates: dict[tuple[str, str], int] = field(default_factory=dict)
    """The first row of each crate and split; the split is empty where the row names none."""


def examine(rows: Sequence[Numbered]) -> Examined:
    """Look into rows."""
    found = Examined(len(rows))
    for number, raw in rows:
        try:
            row = object_of(raw, "", None) if isinstance(raw, bytes) else raw
        except UsageError as error:
            found.faults.append((number, "unreadable", str(error).partition(": ")[2]))
        else:
            _examine(number, row, found)
    return found


def _examine(number: int, row: Row, found: Examined) -> None:
    fields = fields_of(row)
    if not fields:
        found.unknown.append((number, ", ".join(map(quoted, row)) or "none at all"))
        return
    found.fields.update(fields)
    turns: list[Turn] = []
    for name in fields:
        try:
            turns += turns_of(row, name)
        except ValueError as error:
            found.faults.append((number, "not text", str(error)))
    for turn in turns:
        found.faults.extend((number, *fault) for fault in _faults_of_text(turn))
    _compare(number, row, turns, found)
    crate = _first_text(row, "_source_crate", "source_crate", "_crate", "crate")
    if crate:
        found.crates.setdefault((crate, split_of(row)), number)


def _compare(number: int, row: Row, turns: Sequence[Turn], found: Examined) -> None:
    """Look into the texts of a row that are texts, and not too long."""
    texts = [turn for turn in turns if isinstance(turn.text, str) and _is_short(turn.text)]
    kind = _first_text(row, "_task_type", "task_type")
    signals: dict[str, Signals] = {}
    answered: list[Sequence[Token]] = []
    asked = ""
    for turn in texts:
        streams = [code_tokens(piece) for piece in _code_of(turn.text)]
        for stream in streams:
            _add(signals, known_problems().in_code(stream))
        if turn.is_answer:
            faults = _faults_of_code(turn, asked, kind, streams)
            found.faults.extend((number, *fault) for fault in faults)
            answered += streams
        asked = turn.text
    _add(signals, known_problems().in_text("\n".join(turn.text for turn in texts)))
    found.tasks.extend((number, task, signals[task]) for task in sorted(signals))
    if turns and len(texts) == len(turns):
        alike = 0 if kind in _PROSE else _alike(answered)
        equal = _digest("\0".join(turn.text for turn in texts))
        found.digests.append((number, equal, alike))


def _add(signals: dict[str, Signals], more: dict[str, Signals]) -> None:
    for task, shares in more.items():
        known = signals.setdefault(task, {})
        for name, share in shares.items():
            known[name] = max(share, known.get(name, 0.0))


def _code_of(text: str) -> list[str]:
    """The code in a text: what stands in fences, else all but prose before the first line that
    begins an item; in prose, an apostrophe or a quote would begin a literal."""
    fenced = _FENCED.findall(text)
    if fenced:
        return fenced
    begins = _FIRST_LINE.search(text)
    is_prose_before = begins is not None and not _CODE_MARK.search(text, 0, begins.start())
    return [text[begins.start() :] if begins and is_prose_before else text]


def _is_short(text: str) -> bool:
    return len(text) <= _LONGEST_TEXT


def _faults_of_text(turn: Turn) -> Iterator[tuple[FormatName, str]]:
    name, text = turn.name, turn.text
    if not isinstance(text, str):
        found = "is missing" if text is MISSING else f"is a {type(text).__name__}"
        yield "not text", f"{name} {found}"
        return
    if not text.strip():
        yield "empty", f"{name} is empty"
    if not _is_short(text):
        yield "too long", f"{name} has {len(text)} characters, and was not compared"
    if character := _CONTROL.search(text):
        yield "control", f"{name} holds U+{ord(character.group()):04X}"
    if character := _UNSEEN.search(text):
        yield "unseen", f"{name} holds U+{ord(character.group()):04X}"


def _faults_of_code(
    turn: Turn, asked: str, kind: str, streams: Sequence[Sequence[Token]]
) -> Iterator[tuple[FormatName, str]]:
    for stream in streams:
        for token, after in pairwise(stream):
            if token.text in _STUBS and after.text == "!":
                yield "stub", f"{turn.name} holds {token.text}!"
                break
    if kind in _NOT_WHOLE or not turn.text.strip():
        return
    # In a chat, prose is an answer, too, and code is what says that it is Rust.
    pieces = _RUST_FENCED.findall(turn.text) if turn.is_chat else _code_of(turn.text)
    for piece in pieces:
        if reason := _no_rust(piece, asked):
            yield "not Rust", f"{turn.name} {reason}"
            break


def _no_rust(code: str, prompt: str) -> str:
    """Why code is no Rust: no items, no statements, and not the rest of the prompt, or of the code
    in it; empty where it is some."""
    begun = (prompt, _code_of(prompt)[-1])
    for source in (code, f"fn it() {{\n{code}\n}}", *(f"{start}\n{code}" for start in begun)):
        tree_of_it = parse(source.encode("utf-8", "replace"))
        if tree_of_it is None and source is code:
            return f"is longer than the parser takes ({TREE_LIMIT_BYTES >> 10} KiB)"
        if tree_of_it is not None and not tree_of_it.root_node.has_error:
            return ""
    return "does not parse as Rust"


def _alike(streams: Sequence[Sequence[Token]]) -> int:
    """Equal for code that differs in comments, spaces and names alone; 0 where there is too little
    of it."""
    stream = [token for part in streams for token in part]
    return _digest(tree(stream)) if len(stream) >= _FEWEST_ALIKE else 0


def _digest(text: str) -> int:
    data = text.encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest())


def split_of(row: Row) -> str:
    """The split that a row names: `train`, `val` or another; empty where it names none."""
    split = _first_text(row, "split", "_split").lower()
    return _SAME_SPLIT.get(split, split)


def _first_text(row: Row, *names: str) -> str:
    return next((row[name] for name in names if isinstance(row.get(name), str)), "")
