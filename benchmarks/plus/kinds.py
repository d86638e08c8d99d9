"""Values as Rust's types have them: which fit, how they are written in Rust, how they travel.

In Python a value is an int, float, bool, str, None, list (for `Vec` and tuples) or dict.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

_INTEGERS = {"i32": 31, "u32": 31, "usize": 31, "i64": 53, "u64": 53}
TEXTS = ("str", "String")


class MisfitError(Exception):
    """A value that a type does not have."""


@dataclass(frozen=True)
class Kind:
    """A Rust type: its name without references, whether it is borrowed, and the types in it.

    `list` stands for `Vec` and slices, `any` for `Box<dyn Any>` and `&dyn Any`.
    """

    name: str
    rust: str
    borrowed: bool = False
    parts: tuple[Kind, ...] = ()

    @property
    def is_float(self) -> bool:
        """Whether values are compared with a tolerance, themselves or in a list."""
        return self.name in ("f32", "f64") or (self.name == "list" and self.parts[0].is_float)

    @property
    def owned(self) -> str:
        """The type that a variable has which an argument of this type is made of."""
        if self.name == "any":
            return "Box<dyn Any>"
        if self.name == "str":
            return "&'static str"
        inner = ", ".join(part.owned for part in self.parts)
        if self.name == "tuple":
            return f"({inner})"
        outer = {"list": "Vec", "map": "HashMap", "option": "Option"}
        name = outer.get(self.name, self.name)
        return f"{name}<{inner}>" if inner else name

    def passed(self, variable: str) -> str:
        """The argument that is made of a variable of the type `owned`."""
        if self.name == "any" and not self.rust.startswith("&Box"):
            return f"&*{variable}" if self.borrowed else variable
        return f"&{variable}" if self.borrowed and self.name != "str" else variable


def kind_of(rust: str) -> Kind:
    """Read a type off its Rust text. Raises MisfitError for one that is not known here."""
    text = re.sub(r"\s+", " ", re.sub(r"'\w+\s*", "", rust)).strip()
    bare = text.removeprefix("&").removeprefix("mut ").strip()
    borrowed = text.startswith("&")
    if bare in ("dyn Any", "Box<dyn Any>"):
        return Kind("any", text, borrowed)
    if bare in (*_INTEGERS, *TEXTS, "f32", "f64", "bool", "char"):
        return Kind(bare, text, borrowed)
    if bare.startswith(("(", "[")):
        name, inner = ("tuple" if bare.startswith("(") else "list"), bare[1:-1]
    else:
        head, _, inner = bare.partition("<")
        names = {"Vec": "list", "Option": "option", "HashMap": "map", "RtnType": "variant"}
        if head not in names or not inner.endswith(">"):
            raise MisfitError(f"the type {rust}")
        name, inner = names[head], inner[:-1]
    return Kind(name, text, borrowed, tuple(map(kind_of, _split(inner))))


def _split(inner: str) -> list[str]:
    """The parts between commas that stand in no brackets."""
    parts, depth = [""], 0
    for letter in inner:
        depth += (letter in "<([") - (letter in ">)]")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts if part.strip()]


def fitted(value: Any, kind: Kind) -> Any:
    """`value` as `kind` has it; 2.0 is an integer, and a tuple a list. Raises MisfitError."""
    name = kind.name
    if name in _INTEGERS:
        lowest = 0 if name.startswith("u") else -(1 << _INTEGERS[name])
        if _is_number(value) and lowest <= value < 1 << _INTEGERS[name] and value == int(value):
            return int(value)
    if name in ("f32", "f64") and _is_number(value):
        return float(value)
    if name == "bool" and isinstance(value, bool):
        return value
    if name in (*TEXTS, "char") and isinstance(value, str):
        printable = all(" " <= letter <= "~" for letter in value)
        if printable and (name != "char" or len(value) == 1):
            return value
    if name == "any" and (isinstance(value, str) or _is_number(value)):
        return value
    if name == "variant":
        return value
    if name == "option":
        return None if value is None else fitted(value, kind.parts[0])
    if name == "list" and isinstance(value, list | tuple):
        return [fitted(item, kind.parts[0]) for item in value]
    if name == "tuple" and isinstance(value, list | tuple) and len(value) == len(kind.parts):
        return [fitted(item, part) for item, part in zip(value, kind.parts, strict=True)]
    if name == "map" and isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else value
        key, held = kind.parts
        return {fitted(k, key): fitted(v, held) for k, v in sorted(pairs)}
    raise MisfitError(f"{value!r} as {name}")


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def same(one: Any, other: Any, kind: Kind, within: float) -> bool:
    """Whether two values that fit `kind` are equal; floats `within` so much of each other."""
    if kind.name in ("f32", "f64"):
        return bool(abs(one - other) <= within)
    if kind.is_float:
        return len(one) == len(other) and all(
            same(a, b, kind.parts[0], within) for a, b in zip(one, other, strict=True)
        )
    return type(one) is type(other) and bool(one == other)


def words_of(value: Any, kind: Kind) -> list[str]:
    """`value` as words that answers.rs reads: a list is its length and its items."""
    if kind.name in (*TEXTS, "char"):
        return ["x" + value.encode().hex()]
    if kind.name == "any":
        if isinstance(value, str):
            return [("x" if "Box" in kind.rust else "s") + value.encode().hex()]
        return [("f" if isinstance(value, float) else "i") + repr(value)]
    if kind.name == "list":
        items = [word for item in value for word in words_of(item, kind.parts[0])]
        return [str(len(value)), *items]
    if kind.name == "map":
        key, held = kind.parts
        pairs = [w for k, v in value.items() for w in (*words_of(k, key), *words_of(v, held))]
        return [str(len(value)), *pairs]
    return [repr(value).lower()]


def quoted(text: str) -> str:
    """A text of printable ASCII as a literal in Rust."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def literal(value: Any, kind: Kind) -> str:
    """`value` as an expression of the type `kind` in Rust."""
    name, amp = kind.name, "&" if kind.borrowed else ""
    if name in TEXTS:
        return quoted(value) if name == "str" else f"{amp}{quoted(value)}.to_string()"
    if name == "char":
        escape = "\\" if value in "'\\" else ""
        return f"'{escape}{value}'"
    if name == "any":
        boxed = "Box" in kind.rust
        text = quoted(value) if isinstance(value, str) else repr(value)
        if not boxed:
            return f"&{text}"
        return f"Box::new({text}.to_string())" if isinstance(value, str) else f"Box::new({text})"
    if name == "list":
        items = ", ".join(literal(item, kind.parts[0]) for item in value)
        return f"{amp}vec![{items}]"
    if name == "tuple":
        members = zip(value, kind.parts, strict=True)
        return f"({', '.join(literal(item, part) for item, part in members)})"
    if name == "option":
        return "None" if value is None else f"Some({literal(value, kind.parts[0])})"
    if name == "map":
        key, held = kind.parts
        pairs = ", ".join(f"({literal(k, key)}, {literal(v, held)})" for k, v in value.items())
        return f"{amp}HashMap::from([{pairs}])" if pairs else f"{amp}HashMap::new()"
    return amp + (str(value).lower() if isinstance(value, bool) else repr(value))
