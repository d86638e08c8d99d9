"""What is looked for in training data: prompts, reference answers and tests of the problem sets, as
published and with errata."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache

from sigil_eval.dataset.forms import (
    Vocabulary,
    assertions,
    code_tokens,
    functions,
    shape,
    tree,
    words,
)
from sigil_eval.dataset.windows import Part, Windows
from sigil_eval.documents.dataset_check import SignalName, SignalRule
from sigil_eval.problems import PINNED_SETS, Problem, ProblemSet, load_problem_set
from sigil_eval.rust.lexer import Token

CODE_WINDOW, SHAPE_WINDOW, TEXT_WINDOW = 12, 24, 7
# A shorter function is one that many people write.
SHORTEST_TREE = 25
# A name of fewer words is one that many people give.
_WORDS_OF_A_NAME = 3

# ADR-013 says how these were chosen, and docs/dataset.md what they find.
RULES: dict[SignalName, SignalRule] = {
    "tree": {
        "compares": "a function's syntax tree, its names numbered",
        "least_share": 1.0,
        "least_count": 1,
    },
    "code": {
        "compares": f"windows of {CODE_WINDOW} tokens of the reference answer",
        "least_share": 0.2,
        "least_count": 3,
    },
    "shape": {
        "compares": f"windows of {SHAPE_WINDOW} tokens of it, names and types abstracted",
        "least_share": 0.3,
        "least_count": 3,
    },
    "signature": {
        "compares": "a function's name, parameters and types",
        "least_share": 1.0,
        "least_count": 1,
    },
    "tests": {
        "compares": "assertions of the tests",
        "least_share": 0.0,
        "least_count": 2,
    },
    "text": {
        "compares": f"windows of {TEXT_WINDOW} words of the task's text",
        "least_share": 0.4,
        "least_count": 1,
    },
}

type Signals = dict[SignalName, float]


class Known:
    """The problems of some sets, in the forms in which they are looked for."""

    def __init__(self, sets: Sequence[ProblemSet]) -> None:
        self.sets_of: dict[str, list[str]] = defaultdict(list)
        self._tokens, self._words = Vocabulary(), Vocabulary()
        self._code = Windows(CODE_WINDOW, least_kinds=6)
        self._shape = Windows(SHAPE_WINDOW, least_kinds=9)
        self._text = Windows(TEXT_WINDOW, least_kinds=5)
        self._trees: dict[str, set[str]] = defaultdict(set)
        self._signatures: dict[str, set[str]] = defaultdict(set)
        self._asserts: dict[str, set[str]] = defaultdict(set)
        self._longest_tree = self._longest_assert = 0
        for problem_set in sets:
            for problem in problem_set.problems:
                self.sets_of[problem.task_id].append(problem_set.name)
            for problem in dict.fromkeys((*problem_set.problems, *problem_set.published)):
                self._add(problem)
        for windows in (self._code, self._shape, self._text):
            windows.settle()
        self._assert_counts = _counts(self._asserts)

    def _add(self, problem: Problem) -> None:
        task = problem.task_id
        told = words(_comments(problem.prompt))
        self._text.add(task, self._words.learn(told))
        answer = code_tokens(problem.prompt + problem.canonical_solution)
        self._code.add(task, self._tokens.learn([token.text for token in answer]))
        self._shape.add(task, shape(answer))
        for start, body, end in functions(answer):
            if end - start >= SHORTEST_TREE:
                self._trees[tree(answer[start:end])].add(task)
                self._longest_tree = max(self._longest_tree, end - start)
            name = answer[start + 1].text
            if name == problem.entry_point and len(name.split("_")) >= _WORDS_OF_A_NAME:
                self._signatures[_texts(answer[start:body])].add(task)
        tests = code_tokens(problem.test + problem.plus)
        for start, end in assertions(tests):
            if problem.entry_point in (token.text for token in tests[start:end]):
                self._asserts[_texts(tests[start:end])].add(task)
                self._longest_assert = max(self._longest_assert, end - start)

    def in_code(self, stream: Sequence[Token]) -> dict[str, Signals]:
        """The tasks whose answers or tests stand in `code_tokens`, or a part of them."""
        texts = [token.text for token in stream]
        found: dict[str, Signals] = defaultdict(dict)
        _put(found, "code", self._code.parts(self._tokens.form(texts)))
        _put(found, "shape", self._shape.parts(shape(stream)))
        for start, body, end in functions(stream):
            for task in self._signatures.get(_texts(stream[start:body]), ()):
                found[task]["signature"] = 1.0
            if SHORTEST_TREE <= end - start <= self._longest_tree:
                for task in self._trees.get(tree(stream[start:end]), ()):
                    found[task]["tree"] = 1.0
        _put(found, "tests", self._tested(stream))
        return found

    def _tested(self, stream: Sequence[Token]) -> dict[str, Part]:
        said = {
            _texts(stream[start:end])
            for start, end in assertions(stream)
            if end - start <= self._longest_assert
        }
        there = {one: self._asserts[one] for one in said if one in self._asserts}
        return {
            task: Part(count / self._assert_counts[task], count)
            for task, count in _counts(there).items()
        }

    def in_text(self, text: str) -> dict[str, Signals]:
        """The tasks whose text stands in another one, or a part of it."""
        found: dict[str, Signals] = defaultdict(dict)
        _put(found, "text", self._text.parts(self._words.form(words(text))))
        return found


@cache
def known_sets() -> tuple[ProblemSet, ...]:
    """The problem sets of this package."""
    return tuple(load_problem_set(name) for name in PINNED_SETS)


@cache
def known_problems() -> Known:
    """All that is looked for."""
    return Known(known_sets())


def _put(found: dict[str, Signals], name: SignalName, parts: dict[str, Part]) -> None:
    """Add what reaches the signal's rule."""
    rule = RULES[name]
    for task, part in parts.items():
        if part.share >= rule["least_share"] and part.number >= rule["least_count"]:
            found[task][name] = part.share


def _counts(tasks_of: dict[str, set[str]]) -> dict[str, int]:
    counts: dict[str, int] = defaultdict(int)
    for tasks in tasks_of.values():
        for task in tasks:
            counts[task] += 1
    return counts


def _comments(prompt: str) -> str:
    """The lines that say what is asked."""
    lines = (line.strip() for line in prompt.split("\n"))
    return " ".join(line.lstrip("/") for line in lines if line.startswith("//"))


def _texts(stream: Sequence[Token]) -> str:
    return " ".join([token.text for token in stream])
