"""Reference answers as they could get into training data: as they are, or changed so that they look
like others."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable

from sigil_eval.dataset.forms import is_type
from sigil_eval.judging.contract import reference_source
from sigil_eval.judging.toolchain import find_toolchain
from sigil_eval.problems import Problem
from sigil_eval.rust.lexer import Token, tokens
from sigil_eval.rust.vocabulary import PRELUDE_NAMES

ASKED = "Write a function in Rust."
ANSWERED = 'pub fn version() -> &\'static str {\n    env!("CARGO_PKG_VERSION")\n}\n'

_OTHER_TYPES = {
    "i32": "i64", "i64": "i128", "u32": "u64", "u64": "u128", "usize": "u32", "u8": "u16",
    "f32": "f64", "f64": "f32", "String": "Text", "str": "Text", "Vec": "VecDeque",
    "HashMap": "BTreeMap", "HashSet": "BTreeSet", "BTreeMap": "HashMap", "BTreeSet": "HashSet",
}  # fmt: skip
_OTHER_NAMES = (
    "account", "batch", "cursor", "delta", "edge", "frame", "gauge", "handle", "input", "job",
    "kernel", "ledger", "margin", "node", "offset", "packet", "quota", "record", "slot", "ticket",
)  # fmt: skip

type Row = dict[str, str]


def verbatim(problem: Problem) -> Row:
    """The answer alone, under a prompt that says nothing."""
    return {"prompt": ASKED, "gen": _answer(problem)}


def reformatted(problem: Problem) -> Row:
    """By rustfmt, that of the judge's toolchain, for a narrow page, with tabs."""
    rustfmt = find_toolchain().rustc.with_name("rustfmt")
    formatted = subprocess.run(
        [rustfmt, "--edition", "2021", "--config", "max_width=50,hard_tabs=true"],
        input=_answer(problem), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return {"prompt": ASKED, "gen": formatted.stdout}


def renamed(problem: Problem) -> Row:
    """Every name of the answer's own exchanged for another."""
    return {"prompt": ASKED, "gen": _exchanged(_answer(problem), _new_names(problem))}


def retyped(problem: Problem) -> Row:
    """As renamed, and with other types."""
    new = _new_names(problem) | _OTHER_TYPES
    return {"prompt": ASKED, "gen": _exchanged(_answer(problem), new)}


def half(problem: Problem) -> Row:
    """The first half of its tokens, or the second."""
    answer = _answer(problem)
    stream = list(tokens(answer))
    middle = stream[len(stream) // 2].start
    is_first = random.Random(problem.task_id).random() < 0.5
    return {"prompt": ASKED, "gen": answer[:middle] if is_first else answer[middle:]}


def text_only(problem: Problem) -> Row:
    """What is asked, in one paragraph, and the answer to something else."""
    told = [
        line.strip().lstrip("/").strip()
        for line in problem.prompt.split("\n")
        if line.strip().startswith("//")
    ]
    return {"prompt": " ".join(told), "gen": ANSWERED}


def tests_only(problem: Problem) -> Row:
    """The problem's tests, without an answer."""
    return {"prompt": "Write tests.", "gen": problem.test}


PLANTS: dict[str, Callable[[Problem], Row]] = {
    "verbatim": verbatim,
    "reformatted": reformatted,
    "renamed": renamed,
    "renamed, other types": retyped,
    "half of the answer": half,
    "text of the task": text_only,
    "tests": tests_only,
}


def _answer(problem: Problem) -> str:
    """The reference answer without comments, which hold what the task says."""
    source = reference_source(problem)
    lines = source.split("\n")
    return "\n".join(line for line in lines if not line.strip().startswith("//"))


def _new_names(problem: Problem) -> dict[str, str]:
    """Another name for each that the answer binds."""
    stream = list(tokens(_answer(problem)))
    own = dict.fromkeys(
        token.text
        for before, token, after in _with_neighbours(stream)
        if _is_own(before, token, after)
    )
    names = _OTHER_NAMES * (1 + len(own) // len(_OTHER_NAMES))
    drawn = random.Random(problem.task_id).sample(names, len(own))
    return {
        name: f"{new}_{number}" for number, (name, new) in enumerate(zip(own, drawn, strict=True))
    }


def _with_neighbours(stream: list[Token]) -> list[tuple[str, Token, str]]:
    texts = ["", *(token.text for token in stream), ""]
    return list(zip(texts, stream, texts[2:], strict=False))


def _is_own(before: str, token: Token, after: str) -> bool:
    return (
        token.kind == "ident"
        and before not in (".", "::")
        and after not in ("::", "!")
        and not is_type(token.text)
        and token.text not in PRELUDE_NAMES
    )


def _exchanged(source: str, new: dict[str, str]) -> str:
    parts, at = [], 0
    for token in tokens(source):
        parts += [source[at : token.start], new.get(token.text, token.text)]
        at = token.end
    return "".join([*parts, source[at:]])
