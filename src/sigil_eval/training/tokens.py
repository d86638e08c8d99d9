"""From a row to tokens: prompt and answer apart, in the form in which an evaluation asks.

They are tokenized apart because an evaluation's prompt is: what a model continues ends where the
prompt's tokens end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import batched
from typing import Any

from sigil_eval.prompts import ChatTemplate
from sigil_eval.training.configuration import Dataset
from sigil_eval.training.filters import why_left_out
from sigil_eval.training.rows import Row

_ROWS_AT_A_TIME = 1000


@dataclass
class Tokens:
    """Rows of one source in tokens: all of them one after the other, and where each begins."""

    ids: Any
    """numpy array of int32, (tokens,)."""
    learned: Any
    """numpy array of uint8, (tokens,): 1 for the answer's tokens."""
    lengths: Any
    """numpy array of int64, (rows,)."""
    tasks: list[str]
    """Task type by row."""
    rows: int = 0
    """Rows that the source has."""
    left_out: Counter[str] = field(default_factory=Counter)
    """Rows that are not here, by reason."""


@dataclass(frozen=True)
class Form:
    """How a row is put: through a chat template, or, where `template` is None, as it is."""

    tokenizer: Any
    template: ChatTemplate | None

    def prompts(self, rows: Iterable[Row]) -> list[str]:
        """The texts that a model is to continue."""
        return [self._prompt(row) for row in rows]

    def _prompt(self, row: Row) -> str:
        if not row.prompt:
            return ""
        if self.template is not None:
            return self.template.render([{"role": "user", "content": row.prompt}])
        # An evaluation's prompt ends in white space, behind which an answer may begin.
        apart = row.prompt[-1:].isspace() or row.answer[:1].isspace()
        return row.prompt if apart else f"{row.prompt}\n"

    def tokens(self, rows: list[Row]) -> Iterator[tuple[list[int], list[int]]]:
        """Tokens of the prompt and of the answer with its end, row by row."""
        # A template writes its own begin token.
        begins = self.template is None
        prompts = self.tokenizer(self.prompts(rows), add_special_tokens=begins).input_ids
        answers = self.tokenizer([row.answer for row in rows], add_special_tokens=False).input_ids
        end = self.tokenizer.eos_token_id
        for prompt, answer in zip(prompts, answers, strict=True):
            yield list(prompt), [*answer, end]


def tokenize(rows: Iterable[Row], form: Form, told: Dataset, longest: int) -> Tokens:
    """The rows that are to be trained on. Those of more than `longest` tokens are left out."""
    import numpy

    counted, left_out, tasks = 0, Counter[str](), list[str]()
    ids, learned, lengths = [], [], []
    for some in batched(rows, _ROWS_AT_A_TIME):
        counted += len(some)
        fit = []
        for row in some:
            reason = why_left_out(row.answer, row.path, told)
            if reason is None:
                fit.append(row)
            else:
                left_out[reason] += 1
        for row, (prompt, answer) in zip(fit, form.tokens(fit) if fit else (), strict=True):
            length = len(prompt) + len(answer)
            if length > longest:
                left_out[TOO_LONG] += 1
                continue
            ids.append(numpy.array(prompt + answer, dtype=numpy.int32))
            learned.append(numpy.repeat([0, 1], [len(prompt), len(answer)]).astype(numpy.uint8))
            lengths.append(length)
            tasks.append(row.task)
    nothing = [numpy.zeros(0, dtype=numpy.int32)]
    return Tokens(
        numpy.concatenate(ids or nothing),
        numpy.concatenate(learned or nothing),
        numpy.array(lengths, dtype=numpy.int64),
        tasks,
        counted,
        left_out,
    )


TOO_LONG = "longer than max_seq_len in tokens"
