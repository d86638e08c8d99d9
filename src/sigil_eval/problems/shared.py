"""Plus cases of one set for the problems of another that ask for the same functions.

The cases stay as they are. Where a problem gives its function another name or signature, an adapter
with those that the cases expect stands among their helpers, and hands its arguments on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sigil_eval.files import Row
from sigil_eval.problems.problem import Problem
from sigil_eval.rust.functions import top_definition
from sigil_eval.rust.syntax import own_text, parse
from sigil_eval.rust.vocabulary import INTEGER_TYPES

# The names of the same functions elsewhere, where they differ.
_CALLED = {"int_to_mini_roman": "int_to_mini_romank"}
# Problems that have a function of the same name, and ask for something else, if at an edge only.
_OTHERWISE = {
    "CodeGen/da16de487edc": "it asks for the helper alone",
    "Fix/cc377769b7ba": "of several longest strings its `max_by_key` gives the last",
    "Transform/4c5c6113e59b": "of several longest strings its `max_by_key` gives the last",
}


def shared_rows(
    problems: Iterable[Problem], origin: Iterable[Problem], rows: Iterable[tuple[str, Row]]
) -> Iterator[tuple[str, Row]]:
    """Of the `rows` of plus cases for the problems of `origin`, each with its place, those for the
    `problems` that ask for the same function, with a signature that can be adapted."""
    of_origin = {problem.task_id: problem for problem in origin}
    found = {of_origin[row["task_id"]].entry_point: (place, row) for place, row in rows}
    for problem in problems:
        name = _CALLED.get(problem.entry_point, problem.entry_point)
        if name not in found or problem.task_id in _OTHERWISE:
            continue
        place, row = found[name]
        adapter = adapter_to(problem, of_origin[row["task_id"]])
        if adapter is not None:
            helpers = f"{row.get('helpers', '')}\n{adapter}".strip()
            yield place, {**row, "task_id": problem.task_id, "helpers": helpers}


def adapter_to(given: Problem, wanted: Problem) -> str | None:
    """A Rust function as `wanted` asks for it, which calls that of `given`; for a module within
    the answer's that imports all of it. Empty where name and signature are the same; None where no
    rule leads from one signature to the other."""
    mine, theirs = _signature(given), _signature(wanted)
    if mine is None or theirs is None or len(mine.parameters) != len(theirs.parameters):
        return None
    if mine == theirs and given.entry_point == wanted.entry_point:
        return ""
    pairs = zip(theirs.parameters, mine.parameters, strict=True)
    arguments = [_argument(f"a{i}", have, want) for i, (have, want) in enumerate(pairs)]
    result = _result(mine.result, theirs.result)
    if None in arguments or result is None:
        return None
    declared = ", ".join(f"a{i}: {kind}" for i, kind in enumerate(theirs.parameters))
    call = f"super::{given.entry_point}({', '.join(map(str, arguments))})"
    return f"fn {wanted.entry_point}({declared}) -> {theirs.result} {{ {call}{result} }}"


@dataclass(frozen=True)
class _Signature:
    """The types of parameters and result, without blanks that mean nothing."""

    parameters: Sequence[str]
    result: str


def _signature(problem: Problem) -> _Signature | None:
    """That of the entry point as the prompt has it; None where that is no plain function."""
    start = top_definition(problem.entry_point, problem.prompt)
    tree = None if start is None else parse(f"{problem.prompt[start:]}\n}}".encode())
    item = tree.root_node.child(0) if tree else None
    parameters = item.child_by_field_name("parameters") if item else None
    if item is None or parameters is None or item.child_by_field_name("type_parameters"):
        return None
    kinds = (one.child_by_field_name("type") for one in parameters.named_children)
    result = item.child_by_field_name("return_type")
    return _Signature(tuple(_compact(own_text(kind)) for kind in kinds), _compact(own_text(result)))


def _compact(kind: str) -> str:
    return re.sub(r"\s*([<>(),&\[\]])\s*", r"\1", kind.strip())


def _argument(name: str, have: str, want: str) -> str | None:
    """An expression of the type `want` for the variable `name` of the type `have`."""
    if have == want:
        return name
    element = re.fullmatch(r"Vec<(.+)>", have)
    borrowed = "&str" if have == "String" else f"&[{element[1]}]" if element else None
    return f"&{name}" if want == borrowed else None


def _result(have: str, want: str) -> str | None:
    """What makes a result of the type `have` one of the type `want`."""
    if have == want:
        return ""
    return f" as {want}" if {have, want} <= INTEGER_TYPES else None
