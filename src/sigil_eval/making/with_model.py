"""Rows of a crate that a model has a part in: asked for, checked, and rejected by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sigil_eval.documents.dataset_made import KeyedRow, WrittenAnswer
from sigil_eval.making.crate_list import Crate
from sigil_eval.making.gate import Compiled, Gate
from sigil_eval.making.questions import Claim, RejectedError, claim_of, question_for, task_from
from sigil_eval.making.reading import CrateText, Wanted, row_of
from sigil_eval.making.tasks import Task
from sigil_eval.making.writer import Asked, Writer

_POISON = b'{ compile_error!("reached") }'

type Compile = Callable[[bytes], Compiled | None]
"""What the compiler says of the crate with a text in a function's place."""


def write_rows(
    crate: Crate, unpacked: Path, text: CrateText, gate: Gate, writer: Writer
) -> tuple[list[KeyedRow], Counter[str]]:
    """Rows of a crate that was taken, and what was answered and gives none, by kind and reason.

    Raises ServerError where the server gives no answers.
    """
    asked = [
        Asked(question_for(one.kind, one.function, _number(one, 16)), _number(one, 8))
        for one in text.wanted
    ]
    rows: list[KeyedRow] = []
    rejected: Counter[str] = Counter()
    for wanted, ask, answer in zip(text.wanted, asked, writer.answers(asked), strict=True):
        compile_it = _compiler(gate, unpacked, wanted, text.sources[wanted.file])
        try:
            task = _task(wanted, answer, compile_it)
        except RejectedError as reason:
            rejected[f"{wanted.kind}: {reason}"] += 1
            continue
        row = row_of(crate, wanted.file, task)
        row.update(writer.provenance(ask))  # type: ignore[typeddict-item]
        rows.append({"key": wanted.key, "row": row})
    return rows, rejected


def _number(wanted: Wanted, place: int) -> int:
    """A number of a row's own, from its key."""
    return int(wanted.key[place : place + 8], 16)


def _compiler(gate: Gate, unpacked: Path, wanted: Wanted, source: bytes) -> Compile:
    before, after = source[: wanted.function.start], source[wanted.function.end :]
    return lambda code: gate.try_with(unpacked, wanted.file, before + code + after)


def _task(wanted: Wanted, answer: WrittenAnswer, compile_it: Compile) -> Task:
    if answer["finish_reason"] == "too long":
        raise RejectedError("does not fit into the model's context")
    if answer["finish_reason"] != "stop":
        raise RejectedError("cut off")
    claim = claim_of(wanted.kind, wanted.function, answer["text"])
    found = None if claim is None else _hold(claim, wanted, compile_it)
    return task_from(wanted.kind, wanted.function, answer["text"], claim, found)


def _hold(claim: Claim, wanted: Wanted, compile_it: Compile) -> Compiled:
    """What the compiler says of a claim that holds; raises RejectedError of one that does not."""
    found = compile_it(claim.code.encode("utf-8", "replace"))
    if found is None:
        raise RejectedError("whether it compiles is not known")
    if claim.error is None:
        if not found.compiles:
            raise RejectedError("does not compile")
        # What is not compiled here, for want of a feature, say, would pass whatever it is.
        poisoned = compile_it(wanted.function.head.encode() + _POISON)
        if poisoned is None or poisoned.compiles:
            raise RejectedError("stands where nothing is compiled")
    elif found.compiles:
        raise RejectedError("compiles")
    elif found.code != claim.error:
        raise RejectedError("fails with another error than it says")
    return found
