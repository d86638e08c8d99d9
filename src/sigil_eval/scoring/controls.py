"""Answers that are wrong by construction: a judge that lets one pass is not to be trusted.

Four kinds for every problem: `todo!()`, an empty body, constants of the result's type, and the
reference answer with its result changed on every input. What the last two return is another value
of the right type, so only the tests can refuse them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sigil_eval.judging.contract import Function, contract_of, reference_source
from sigil_eval.problems import Problem
from sigil_eval.rust.syntax import parse, text_of, walk
from sigil_eval.rust.vocabulary import INTEGER_TYPES

KINDS = ("todo", "empty", "constant", "mutated")


@dataclass(frozen=True)
class Control:
    """A wrong answer; `compiles` when its being refused by rustc would prove nothing."""

    kind: str
    completion: str
    compiles: bool
    detail: str = ""

    @property
    def label(self) -> str:
        """What it is, for a list of wrong verdicts."""
        return f"wrong answer '{self.kind}' {self.detail}".strip()


def controls_of(problem: Problem) -> Iterator[Control]:
    """The controls of a problem; constants and mutations where its result's type allows them, and
    no mutation without a reference answer."""
    found = (f for f in contract_of(problem).functions if f.name == problem.entry_point)
    function = next(found, None)
    reference = reference_source(problem)
    parts = _around(reference, function) if function else None
    constants = _constants(_result(function), reference) if function and parts else ()
    # Where nothing else reaches the tests, this one shows that they compile.
    is_all = not constants and not problem.has_reference and not _is_opaque(function)
    yield Control("todo", "    todo!()\n}\n", compiles=is_all)
    yield Control("empty", "}\n", compiles=False)
    if function is None or parts is None:
        return  # a reference answer like that fails the proof by itself
    before, right, after = parts
    for constant in constants:
        text = f"{before}{function.head} {{ {constant} }}{after}"
        yield Control("constant", text, compiles=True, detail=constant)
    if constants and problem.has_reference and not problem.free_text:
        # The inner name hides the outer one, so a recursive answer calls itself unchanged.
        waiting = ".await" if "async" in function.modifiers else ""
        call = f"let right = {function.name}({', '.join(function.arguments)}){waiting};"
        changed = _changed("right", _result(function), constants)
        text = f"{before}{function.head} {{\n{right}\n{call}\n{changed}\n}}{after}"
        yield Control("mutated", text, compiles=True)


def _is_opaque(function: Function | None) -> bool:
    """Whether `todo!()` could not be what a function gives."""
    return function is None or re.search(r"\bimpl\b", function.result) is not None


def _result(function: Function) -> str:
    return re.sub(r"\s+", "", function.result.removeprefix("->"))


def _around(reference: str, function: Function) -> tuple[str, str, str] | None:
    """The reference answer before, in and after the definition of a function, if it has one."""
    source = reference.encode()
    tree = parse(source)
    for node in walk(tree.root_node) if tree else ():
        name = node.child_by_field_name("name")
        if node.type == "function_item" and name and text_of(name, source) == function.name:
            parts = source[: node.start_byte], text_of(node, source), source[node.end_byte :]
            return parts[0].decode(), parts[1], parts[2].decode()
    return None


def _constants(kind: str, reference: str) -> tuple[str, ...]:
    """Two different values of a type, as expressions; fewer where they are not to be had."""
    name, arguments = _taken_apart(kind)
    inner = [_constants(argument, reference) for argument in arguments]
    if kind in INTEGER_TYPES:
        return ("0", "1")
    simple = {
        "bool": ("false", "true"),
        "f32": ("0.0", "1.0"),
        "f64": ("0.0", "1.0"),
        "char": ("'a'", "'b'"),
        "&str": ('""', '"a"'),
        "&'staticstr": ('""', '"a"'),
        "String": ("String::new()", 'String::from("a")'),
    }
    if kind in simple:
        return simple[kind]
    if name == "Vec" and inner and inner[0]:
        return ("Vec::new()", f"vec![{inner[0][0]}]")
    if name == "Option" and inner and inner[0]:
        return ("None", f"Some({inner[0][0]})")
    if name in ("HashMap", "BTreeMap", "HashSet", "BTreeSet"):
        return (f"{name}::new()",)
    if name == "" and inner and all(inner):
        return tuple(f"({', '.join(values)})" for values in zip(*inner, strict=False))
    empty = re.search(rf"\benum\s+{name}\b[^{{]*{{\s*(\w+)\s*(\(\s*\))?\s*,", reference)
    return (f"{name}::{empty[1]}{empty[2] or ''}",) if name and empty else ()


def _changed(value: str, kind: str, constants: tuple[str, ...]) -> str:
    """An expression for a value other than `value`, whatever that is, of the same type."""
    name, arguments = _taken_apart(kind)
    if kind in INTEGER_TYPES:
        return f"{value}.wrapping_add(1)"
    if kind == "bool":
        return f"!{value}"
    if kind in ("f32", "f64"):
        return f"{value} + 1.0"
    if kind == "String":
        return f'{value} + "~"'
    if name == "Vec":
        return (
            f"{{ let mut changed = {value}; "
            f"if changed.pop().is_none() {{ {constants[1]} }} else {{ changed }} }}"
        )
    if name == "" and arguments:
        first = _changed(f"{value}.0", arguments[0], _constants(arguments[0], ""))
        return f"({', '.join([first, *(f'{value}.{i}' for i in range(1, len(arguments)))])})"
    if len(constants) == 1:
        return constants[0]
    return f"if {value} == {constants[0]} {{ {constants[1]} }} else {{ {constants[0]} }}"


def _taken_apart(kind: str) -> tuple[str, list[str]]:
    """`Name<A,B>` as its name and arguments; a tuple has no name."""
    match = re.fullmatch(r"(\w*)[<(](.*)[>)]", kind)
    if match is None or (match[1] == "") != kind.startswith("("):
        return kind, []
    parts, depth = [""], 0
    for character in match[2]:
        depth += (character in "<([") - (character in ">)]")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return match[1], [part for part in parts if part]
