"""What a problem asks of an answer, read off its prompt, reference answer and tests."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from tree_sitter import Node

from sigil_eval.errors import UsageError
from sigil_eval.judging.test_source import Test, driver_tests
from sigil_eval.problems import Problem
from sigil_eval.rust.functions import functions_of, top_definition
from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.syntax import own_text, parse
from sigil_eval.rust.vocabulary import NAMED_KINDS, STD_CRATES


@dataclass(frozen=True)
class Function:
    """A function that tests call, with the signature that the problem gives it."""

    name: str
    generics: str
    parameters: tuple[str, ...]
    result: str
    where: str
    modifiers: str = ""

    @property
    def portable(self) -> bool:
        """Whether a plain function pointer can stand for it."""
        if self.modifiers:
            return False
        types = " ".join((*self.parameters, self.result))
        lifetimes = re.fullmatch(r"(<\s*('\w+\s*,?\s*)*>)?", self.generics)
        return bool(lifetimes) and not self.where and not re.search(r"\bimpl\b", types)

    @property
    def pointer(self) -> str:
        """Its type as a function pointer."""
        bound = f"for{self.generics} " if self.generics else ""
        return f"{bound}fn({', '.join(self.parameters)}){self._arrow}"

    @property
    def _arrow(self) -> str:
        return f" -> {self.result}" if self.result else ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The names under which `head` takes the parameters."""
        return tuple(f"a{index}" for index in range(len(self.parameters)))

    @property
    def head(self) -> str:
        """The function up to its body."""
        pairs = zip(self.arguments, self.parameters, strict=True)
        declared = ", ".join(f"{name}: {kind}" for name, kind in pairs)
        start = f"{self.modifiers} fn".lstrip()
        return f"{start} {self.name}{self.generics}({declared}){self._arrow} {self.where}"

    def definition(self, target: str) -> str:
        """A function of this name and signature that calls `target`."""
        call = f"{target}({', '.join(self.arguments)})"
        if "unsafe" in self.modifiers:
            call = f"unsafe {{ {call} }}"
        if "async" in self.modifiers:
            call = f"{call}.await"
        return f"#[allow(non_snake_case, dead_code)] {self.head} {{ {call} }}\n"


@dataclass(frozen=True)
class Contract:
    """What a problem's tests need of a candidate, and the tests in the form the driver runs.

    `types` are names of other items that an answer has (rare): what the prompt defines or names,
    and what the tests mention. `methods` are those of the reference answer's that tests mention,
    each with its type: an answer must not have results of a kind of its own. `imports` are what the
    prompt imports from elsewhere, which its signatures and the published tests rely on.
    """

    functions: tuple[Function, ...]
    types: tuple[str, ...]
    methods: tuple[tuple[str, str], ...]
    imports: tuple[str, ...]
    tests: tuple[Test, ...]
    test_source: str


@lru_cache(maxsize=4096)
def contract_of(problem: Problem) -> Contract:
    """Read a problem's contract off its prompt, reference answer and tests.

    Raises UsageError, with file and line where known, for a problem that cannot be judged: one
    without tests, or whose entry point is no function of its own (methods are not).
    """
    reference, prompt = reference_source(problem), f"{problem.prompt}\n}}"
    tested = f"{problem.test}\n{problem.plus}"
    mentioned = {*re.findall(r"[A-Za-z_]\w*", tested), problem.entry_point}
    given = {token.text for token in tokens(problem.prompt) if token.kind == "ident"}
    functions: dict[str, Function] = {}
    types: dict[str, None] = {}
    roots = [problem_root(problem, text) for text in (prompt, reference)]
    # Where both define a function, an answer need only fit the prompt's signature.
    for item in chain.from_iterable(map(_items, [_opened(problem), *roots])):
        name = own_text(item.child_by_field_name("name"))
        if item.type == "function_item" and name in mentioned:
            functions.setdefault(name, _function(item, name))
        elif item.type != "function_item" and name in mentioned | given:
            types[name] = None
    if problem.entry_point not in functions:
        raise _unfit(problem, f"'{problem.entry_point}' is no top-level function of its prompt")
    source, tests = driver_tests(problem.test, problem_root(problem, problem.test))
    if not tests:
        raise _unfit(problem, "its tests hold no #[test] function")
    return Contract(
        functions=tuple(functions.values()),
        types=tuple(types),
        methods=tuple(_methods(roots[-1], mentioned, types)),
        imports=tuple(_imports(problem)),
        tests=tests,
        test_source=source,
    )


def _unfit(problem: Problem, reason: str) -> UsageError:
    place = f"{problem.place}: " if problem.place else ""
    return UsageError(f"{place}problem {problem.task_id}: {reason}")


@lru_cache(maxsize=4096)
def reference_source(problem: Problem) -> str:
    """The reference answer as one source: prompt and body, or the body if it repeats them.

    Without a reference answer, the function that the prompt begins, with nothing in it.
    """
    answer = problem.canonical_solution if problem.has_reference else "}\n"
    found = functions_of(answer)
    is_whole = found is not None and problem.entry_point in found
    return answer if is_whole else problem.prompt + answer


def _opened(problem: Problem) -> Node:
    """The function that the prompt begins, by itself: the words before it need not be Rust."""
    start = top_definition(problem.entry_point, problem.prompt) or 0
    return problem_root(problem, f"{problem.prompt[start:]}\n}}")


def problem_root(problem: Problem, source: str) -> Node:
    tree = parse(source.encode("utf-8", "replace"))
    if tree is None:
        raise _unfit(problem, "too large to be read")
    return tree.root_node


def _methods(
    root: Node, mentioned: Collection[str], types: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Methods of types of their own, by their paths, with their types as function pointers."""
    for impl in root.children:
        body = impl.child_by_field_name("body")
        owner = own_text(impl.child_by_field_name("type"))
        if impl.type != "impl_item" or body is None or owner not in types:
            continue
        if impl.child_by_field_name("trait") or impl.child_by_field_name("type_parameters"):
            continue
        for node in body.children:
            name = own_text(node.child_by_field_name("name"))
            if node.type != "function_item" or name not in mentioned:
                continue
            function = _function(node, name)
            if function.portable and not function.generics:
                yield f"{owner}::{name}", re.sub(r"\bSelf\b", owner, function.pointer)


def _items(root: Node) -> Iterator[Node]:
    return (child for child in root.children if child.type in NAMED_KINDS)


def _imports(problem: Problem) -> Iterator[str]:
    """What the prompt imports, but for its own items: those are the candidate's."""
    roots = STD_CRATES.union(problem.crates)
    for node in problem_root(problem, f"{problem.prompt}\n}}").children:
        if node.type == "use_declaration":
            argument = own_text(node.child_by_field_name("argument"))
            root = re.split(r"\W", argument.removeprefix("::"), maxsplit=1)[0]
            if root in roots:
                yield argument


def _function(node: Node, name: str) -> Function:
    parameters = node.child_by_field_name("parameters")
    modifiers = next((own_text(c) for c in node.children if c.type == "function_modifiers"), "")
    return Function(
        name=name,
        generics=own_text(node.child_by_field_name("type_parameters")),
        parameters=tuple(
            _parameter(child)
            for child in (parameters.named_children if parameters else [])
            if child.type in ("parameter", "self_parameter")
        ),
        result=own_text(node.child_by_field_name("return_type")),
        where=next(
            (own_text(child) for child in node.children if child.type == "where_clause"), ""
        ),
        modifiers=modifiers,
    )


def _parameter(node: Node) -> str:
    """A parameter's type."""
    if node.type == "parameter":
        return own_text(node.child_by_field_name("type"))
    return re.sub(r"^mut\s+self$|\bself$", "Self", own_text(node))
