"""Cases as Rust: statements that panic on a wrong answer, each on one line."""

from __future__ import annotations

from typing import Any

from kinds import Kind, literal, quoted
from votes import Case

_NEAR = """\
fn near(found: &[{0}], wanted: &[{0}], within: {0}) -> bool {{
    let pairs = found.iter().zip(wanted);
    found.len() == wanted.len() && pairs.into_iter().all(|(a, b)| (a - b).abs() <= within)
}}
"""
_VALUE_AT = """\
fn value_at(coefficients: &[f64], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |value, coefficient| value * x + coefficient)
}
"""


def statement(case: Case) -> str:
    """The case as an assert."""
    target, kind = case.target, case.target.returns
    pairs = zip(case.arguments, target.kinds, strict=True)
    call = f"{target.function}({', '.join(literal(value, one) for value, one in pairs)})"
    if target.root:
        solved = literal(case.arguments[0], target.kinds[0])
        return f"assert!(value_at({solved}, {call}).abs() <= {target.tolerance});"
    if kind.name == "variant":
        return _of_variant(call, *case.expected)
    if kind.name in ("f32", "f64"):
        within = _short(target.within(case.expected))
        return f"assert!(({call} - {_bracketed(case.expected)}).abs() <= {within});"
    if kind.is_float:
        wanted = ", ".join(map(repr, case.expected))
        return f"assert!(near(&{call}, &[{wanted}], {_short(target.within(case.expected))}));"
    return f"assert_eq!({call}, {_expected(case.expected, kind)});"


def helpers(case: Case) -> str:
    """The items that the statement uses."""
    if case.target.root:
        return _VALUE_AT
    kind = case.target.returns
    return _NEAR.format(kind.parts[0].name) if kind.name == "list" and kind.is_float else ""


def _expected(value: Any, kind: Kind) -> str:
    """The result as an expression; an empty list says of what."""
    if kind.name == "list" and not value:
        return f"Vec::<{kind.parts[0].owned}>::new()"
    return literal(value, kind)


def _of_variant(call: str, name: str, value: Any) -> str:
    """The result of a type that the answer defines, whose own comparison is not asked."""
    if name == "String":
        return (
            f"assert!(matches!({call}, RtnType::String(ref s) "
            f"if {{ let s: &String = s; s == {quoted(value)} }}));"
        )
    rust = {"Int": "i32", "Float": "f64"}[name]
    return (
        f"assert!(matches!({call}, RtnType::{name}(x) if {{ let x: {rust} = x; x == {value!r} }}));"
    )


def _bracketed(value: float) -> str:
    return f"({value!r})" if value < 0 else repr(value)


def _short(number: float) -> str:
    """Two significant digits, rounded, as Rust writes a float."""
    return repr(float(f"{number:.1e}"))
