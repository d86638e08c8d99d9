"""From extracted code to what rustc is given: a candidate module and a driver that tests it.

The candidate is compiled as a library of its own; the driver, written by the harness, holds the
problem's tests and reaches the candidate only through wrappers that carry the signatures the
problem asks for. A candidate therefore cannot remove, redefine or answer for its own tests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from tree_sitter import Node

from sigil_eval.errors import UsageError
from sigil_eval.files import sha256_text
from sigil_eval.problems import Problem
from sigil_eval.scoring.syntax import parse

PROTOCOL = 1
PRELUDE_MODULE = "harness_prelude"

_ITEM_LINE = re.compile(r"^((?:const |async )?fn|struct|enum|type|const|static|trait)\b", re.M)
_ITEMS = {
    "const_item",
    "enum_item",
    "function_item",
    "static_item",
    "struct_item",
    "trait_item",
    "type_item",
    "union_item",
}


@dataclass(frozen=True)
class Program:
    """Extracted code together with the problem whose tests judge it."""

    problem: Problem
    code: str

    @cached_property
    def sha256(self) -> str:
        """The identity under which a program is judged once, however often it was sampled."""
        problem = self.problem
        parts = [problem.task_id, problem.prompt, problem.test, problem.prelude, problem.edition]
        return sha256_text("\0".join([str(PROTOCOL), *parts, *problem.crates, self.code]))


def candidate_source(code: str) -> str:
    """`code` with its top-level items made public, so that the driver can reach them.

    Line numbers stay those of `code`.
    """
    data = code.encode("utf-8", "replace")
    tree = parse(data)
    if tree is None:  # too large for the parser; items of ordinary layout start their lines
        return _ITEM_LINE.sub(r"pub \1", code)
    edits: list[tuple[int, int]] = []
    for item in _items(tree.root_node):
        modifier = next((c for c in item.children if c.type == "visibility_modifier"), None)
        if modifier is None:
            edits.append((item.start_byte, item.start_byte))
        elif modifier.text != b"pub":
            edits.append((modifier.start_byte, modifier.end_byte + 1))
    for start, end in reversed(edits):
        data = data[:start] + b"pub " + data[end:]
    return data.decode("utf-8", "replace")


def prelude_module(prelude: str) -> str:
    """A module that holds a problem's prelude, for glob import.

    A glob can be shadowed, so an answer that imports or defines the same names still compiles.
    """
    public = re.sub(r"\buse ", "pub use ", prelude)
    return f"#[allow(unused_imports)] pub mod {PRELUDE_MODULE} {{ {public.strip()} }}"


def driver_module(problem: Problem, candidate: str) -> str:
    """The body of the driver's module for one candidate: wrappers, tests, and their list.

    `candidate` is the path of the candidate's module, such as `::answers::c7`.
    """
    contract = contract_of(problem)
    types = ", ".join(contract.types)
    wrappers = "\n".join(contract.wrappers)
    tests = "".join(
        f'    ::sigil_runtime::Test {{ name: "{test.path}", should_panic: {test.panics}, '
        f"run: || ::sigil_runtime::Finish::finish({test.path}()) }},\n"
        for test in contract.tests
    )
    return (
        f"#[allow(unused_imports)] use crate::{PRELUDE_MODULE}::*;\n"
        f"use {candidate} as candidate;\n"
        f"#[allow(unused_imports)] use candidate::{{{types}}};\n"
        f"{wrappers}\n{contract.test_source}\n"
        f"pub const TESTS: &[::sigil_runtime::Test] = &[\n{tests}];\n"
    )


@dataclass(frozen=True)
class Test:
    """One test function: its path below the driver's module, and whether it must panic."""

    path: str
    should_panic: bool

    @property
    def panics(self) -> str:
        """`should_panic` as a Rust literal."""
        return "true" if self.should_panic else "false"


@dataclass(frozen=True)
class Contract:
    """What a problem's tests need of a candidate, and the tests in the form the driver runs.

    `wrappers` are functions with the problem's own signatures that call `candidate::name`;
    `types` are names of types that an answer has to define (rare).
    """

    wrappers: tuple[str, ...]
    types: tuple[str, ...]
    tests: tuple[Test, ...]
    test_source: str


@lru_cache(maxsize=4096)
def contract_of(problem: Problem) -> Contract:
    """Read a problem's contract off its prompt, reference answer and tests."""
    reference = _root(problem, reference_source(problem))
    mentioned = set(re.findall(r"[A-Za-z_]\w*", problem.test)) | {problem.entry_point}
    wrappers, types, seen = [], [], set()
    for item in _items(reference):
        name_node = item.child_by_field_name("name")
        name = _text(name_node) if name_node else ""
        if name not in mentioned or name in seen:
            continue
        seen.add(name)
        if item.type == "function_item":
            wrappers.append(_wrapper(item, name))
        else:
            types.append(name)
    source, tests = _driver_tests(problem)
    if not tests:
        raise UsageError(f"problem {problem.task_id}: its tests hold no #[test] function")
    return Contract(tuple(wrappers), tuple(types), tests, source)


def reference_source(problem: Problem) -> str:
    """The reference answer as one source: prompt and body, or the body if it repeats them."""
    if re.search(rf"^\s*(pub\s+)?fn\s+{problem.entry_point}\b", problem.canonical_solution):
        return problem.canonical_solution
    return problem.prompt + problem.canonical_solution


def _root(problem: Problem, source: str) -> Node:
    tree = parse(source.encode("utf-8", "replace"))
    if tree is None:
        raise UsageError(f"problem {problem.task_id}: too large to be read")
    return tree.root_node


def _items(root: Node) -> Iterator[Node]:
    return (child for child in root.children if child.type in _ITEMS)


def _text(node: Node | None) -> str:
    return node.text.decode("utf-8", "replace") if node is not None and node.text else ""


def _wrapper(function: Node, name: str) -> str:
    generics = _text(function.child_by_field_name("type_parameters"))
    result = _text(function.child_by_field_name("return_type"))
    parameters = function.child_by_field_name("parameters")
    where = next((_text(child) for child in function.children if child.type == "where_clause"), "")
    types = [
        _text(child.child_by_field_name("type"))
        for child in (parameters.named_children if parameters else [])
        if child.type == "parameter"
    ]
    declared = ", ".join(f"a{index}: {kind}" for index, kind in enumerate(types))
    passed = ", ".join(f"a{index}" for index in range(len(types)))
    arrow = f" -> {result}" if result else ""
    return (
        f"#[allow(non_snake_case, dead_code)] fn {name}{generics}({declared}){arrow} {where} "
        f"{{ candidate::{name}({passed}) }}"
    )


def _driver_tests(problem: Problem) -> tuple[str, tuple[Test, ...]]:
    """The test text with its test attributes taken off, and the tests it defines."""
    data = problem.test.encode("utf-8")
    cuts: list[tuple[int, int, bytes]] = []
    tests: list[Test] = []

    def visit(siblings: list[Node], path: str) -> None:
        attributes: list[Node] = []
        for node in siblings:
            if node.type == "attribute_item":
                attributes.append(node)
                continue
            if "comment" in node.type:
                continue
            texts = [re.sub(r"\s", "", _text(attribute)) for attribute in attributes]
            name = _text(node.child_by_field_name("name"))
            body = node.child_by_field_name("body")
            if node.type == "mod_item" and body is not None:
                cuts.extend(_cut(attributes, ("#[cfg(test)]",)))
                visit(body.children, f"{path}{name}::")
            elif node.type == "function_item" and "#[test]" in texts:
                panics = any(text.startswith("#[should_panic") for text in texts)
                cuts.extend(_cut(attributes, ("#[test]", "#[should_panic", "#[ignore")))
                if not any(child.type == "visibility_modifier" for child in node.children):
                    cuts.append((node.start_byte, node.start_byte, b"pub "))
                tests.append(Test(path + name, panics))
            attributes = []

    visit(_root(problem, problem.test).children, "")
    for start, end, text in sorted(cuts, reverse=True):
        data = data[:start] + text + data[end:]
    return data.decode("utf-8"), tuple(tests)


def _cut(attributes: list[Node], prefixes: tuple[str, ...]) -> list[tuple[int, int, bytes]]:
    return [
        (attribute.start_byte, attribute.end_byte, b"")
        for attribute in attributes
        if re.sub(r"\s", "", _text(attribute)).startswith(prefixes)
    ]
