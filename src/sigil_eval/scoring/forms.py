"""The forms in which models answer, made of a problem's reference answer: each must pass."""

from __future__ import annotations

from collections.abc import Callable

from sigil_eval.judging.contract import contract_of, reference_source
from sigil_eval.problems import Problem
from sigil_eval.rust.lexer import tokens

_WRONG_BODY = "\n    loop {\n        std::thread::yield_now();\n    }\n}"
_CUT_ITEM = (
    "\n\n/// The sum of some numbers.\nfn sum_of_some_numbers(numbers: &[i32]) -> i32 {\n"
    "    let mut sum = 0;\n    for number in numbers {\n        sum +="
)


def completion_in_form(problem: Problem, form: str) -> str:
    """The reference answer as a model would give it, in one of FORMS."""
    return _MADE[form](problem)


def _body(problem: Problem) -> str:
    return problem.canonical_solution


def _fenced(code: str) -> str:
    return f"```rust\n{code}\n```"


def _fence(problem: Problem) -> str:
    fence = _fenced(reference_source(problem))
    return f"Here is the function:\n\n{fence}\n\nIt handles the examples given."


def _draft(problem: Problem) -> str:
    return _fenced(problem.prompt.rstrip() + _WRONG_BODY)


def _draft_first(problem: Problem) -> str:
    answer = _fenced(reference_source(problem))
    return f"First try:\n\n{_draft(problem)}\n\nThat never ends. Corrected:\n\n{answer}\n"


def _stub_first(problem: Problem) -> str:
    stub = _fenced(f"{problem.prompt.rstrip()}\n    todo!()\n}}")
    return f"You gave:\n\n{stub}\n\nIn full:\n\n{_fenced(reference_source(problem))}\n"


def _helper_apart(problem: Problem) -> str:
    """The reference answer under another name, and in a fence of its own the function that calls
    it."""
    function = next(f for f in contract_of(problem).functions if f.name == problem.entry_point)
    whole = reference_source(problem)
    name = f"{function.name}_step"
    start = _name_of_definition(whole, function.name)
    helper = whole[:start] + name + whole[start + len(function.name) :]
    caller = function.definition(name)
    return f"First a helper:\n\n{_fenced(helper)}\n\nWhich gives:\n\n{_fenced(caller)}\n"


def _name_of_definition(source: str, name: str) -> int:
    """Where a function at the top of a source is given its name; one within it may have it, too."""
    depth, before = 0, ""
    for token in tokens(source):
        if depth == 0 and before == "fn" and token.text == name:
            return token.start
        depth += (token.kind == "open") - (token.kind == "close")
        before = token.text
    raise AssertionError(name)


def _cut_behind(problem: Problem) -> str:
    return problem.canonical_solution.rstrip() + _CUT_ITEM


def _in_tokens(problem: Problem) -> str:
    answer = reference_source(problem)
    return f"<|start_header_id|>assistant<|end_header_id|>\n\n{answer}<|eot_id|>"


def _behind_reasoning(problem: Problem) -> str:
    answer = _fenced(reference_source(problem))
    return f"<think>\nMaybe:\n\n{_draft(problem)}\n\nNo, that never ends.\n</think>\n\n{answer}\n"


_MADE: dict[str, Callable[[Problem], str]] = {
    "body": _body,
    "function": reference_source,
    "fence": _fence,
    "draft then answer": _draft_first,
    "stub then answer": _stub_first,
    "helper in another fence": _helper_apart,
    "cut item behind it": _cut_behind,
    "special tokens": _in_tokens,
    "reasoning before it": _behind_reasoning,
}
FORMS = tuple(_MADE)
