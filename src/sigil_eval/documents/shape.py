"""Whether what was read from a file has the shape of a document's type.

The check is made of the type once, and is then a few calls for each value; fields that the type
does not have are nobody's business. A dataclass stands for the object of its fields, a tuple for a
list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    TypeAliasType,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from sigil_eval.documents.constraints import Constraint
from sigil_eval.documents.rows import ResultRow, SampleRow
from sigil_eval.errors import UsageError, quoted
from sigil_eval.files import LONGEST_OWN_LINE, read_json, read_jsonl

type Check = Callable[[Any], str | None]
"""What is wrong with a value, as ` of FIELD: reason`; None where nothing is."""

_MISSING = object()
_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
    NoneType: "null",
}


def check[T](value: Any, kind: type[T], place: str, *, lacking: Iterable[str] = ()) -> T:
    """`value`, which has the shape of `kind`, but that it may be `lacking` some fields wherever
    they belong. Raises UsageError with place, field and reason."""
    wrong = _check_of(cast(Hashable, kind), frozenset(lacking))(value)
    if wrong is not None:
        raise UsageError(f"{place}: {wrong.removeprefix('.')}")
    return cast(T, value)


def read_document[T](path: Path, kind: type[T]) -> T:
    """The document in a JSON file. Raises UsageError with file, field and reason."""
    return check(read_json(path), kind, str(path))


def read_results(path: Path) -> Iterator[tuple[int, ResultRow]]:
    """Line numbers and result rows. Raises UsageError with file, line, field and reason.

    What a samples file from elsewhere has besides the two fields that it must have is passed on as
    it stands, and not asked about.
    """
    passed_on = get_type_hints(SampleRow).keys() - {"task_id", "completion"}
    look = _fields_of(ResultRow, frozenset(), passed_on)
    for number, row in read_jsonl(path, LONGEST_OWN_LINE):
        wrong = look(row)
        if wrong is not None:
            raise UsageError(f"{path}:{number}: {wrong.removeprefix('.')}")
        yield number, cast(ResultRow, row)


@cache
def _check_of(kind: Hashable, lacking: frozenset[str]) -> Check:
    """The check that a type comes to."""
    origin, arguments = get_origin(kind), get_args(kind)
    if isinstance(kind, TypeAliasType):
        return _check_of(kind.__value__, lacking)
    if origin is Annotated:
        return _with_constraints(_check_of(arguments[0], lacking), arguments[1:])
    if origin is Literal:
        return _one_of(arguments)
    if origin in (Union, UnionType):
        return _any_of([_check_of(argument, lacking) for argument in arguments], _types_of(kind))
    if is_typeddict(kind) or is_dataclass(kind):
        return _fields_of(kind, lacking)
    if origin in (list, tuple):
        return _list_of(_check_of(arguments[0], lacking))
    if origin is dict:
        return _values_of(_check_of(arguments[1], lacking))
    if kind in (Any, object):
        return lambda value: None
    return _plain(NoneType if kind is None else cast(type, kind))


@cache
def _types_of(kind: Hashable) -> frozenset[type]:
    """The types of which every value is of a kind, so that most values need no look."""
    if isinstance(kind, TypeAliasType):
        return _types_of(kind.__value__)
    if get_origin(kind) in (Union, UnionType):
        return frozenset().union(*map(_types_of, get_args(kind)))
    if kind is float:
        return frozenset({int, float})
    plain = NoneType if kind is None else kind
    return frozenset({plain}) if plain in (str, int, bool, NoneType) else frozenset()


def _plain(kind: type) -> Check:
    allowed = (int, float) if kind is float else (kind,)

    def look(value: Any) -> str | None:
        # A truth value is a whole number to Python alone.
        if isinstance(value, allowed) and (kind is bool or not isinstance(value, bool)):
            return None
        return f": expected {_WORDS[kind]}, found {_named(value)}"

    return look


def _named(value: Any) -> str:
    if isinstance(value, str):
        return quoted(value)
    return _WORDS[type(value)] if isinstance(value, list | dict) else json.dumps(value)


def _one_of(values: tuple[Any, ...]) -> Check:
    told = " or ".join("null" if value is None else str(value) for value in values)
    allowed = {(type(value), value) for value in values}

    def look(value: Any) -> str | None:
        if isinstance(value, str | int | None) and (type(value), value) in allowed:
            return None
        return f": expected {told}, found {_named(value)}"

    return look


def _any_of(checks: list[Check], types: frozenset[type]) -> Check:
    def look(value: Any) -> str | None:
        if type(value) in types:
            return None
        wrong = None
        for one in checks:
            found = one(value)
            if found is None:
                return None
            # What is wrong inside says more than that the whole is no null.
            wrong = found if wrong is None or not found.startswith(":") else wrong
        return wrong

    return look


def _list_of(inner: Check) -> Check:
    whole = _plain(list)

    def look(value: Any) -> str | None:
        if not isinstance(value, list):
            return whole(value)
        if not value:
            return None
        found = ((number, inner(item)) for number, item in enumerate(value))
        return next((f".{number}{wrong}" for number, wrong in found if wrong), None)

    return look


def _values_of(inner: Check) -> Check:
    whole = _plain(dict)

    def look(value: Any) -> str | None:
        if not isinstance(value, dict):
            return whole(value)
        found = ((key, inner(item)) for key, item in value.items())
        return next((f".{quoted(key)}{wrong}" for key, wrong in found if wrong), None)

    return look


def _fields_of(kind: Any, lacking: frozenset[str], unasked: Collection[str] = ()) -> Check:
    whole = _plain(dict)
    needed: dict[str, tuple[frozenset[type], Check]] = {}
    optional: dict[str, Check] = {}
    for name, field in get_type_hints(kind, include_extras=True).items():
        if name in unasked:
            continue
        if get_origin(field) is NotRequired:
            optional[name] = _check_of(get_args(field)[0], lacking)
        elif name in lacking:
            optional[name] = _check_of(field, lacking)
        else:
            needed[name] = _types_of(field), _check_of(field, lacking)

    def look(value: Any) -> str | None:
        if not isinstance(value, dict):
            return whole(value)
        for name, (types, inner) in needed.items():
            found = value.get(name, _MISSING)
            if type(found) in types:
                continue
            wrong = ": is missing" if found is _MISSING else inner(found)
            if wrong is not None:
                return f".{name}{wrong}"
        for name in optional.keys() & value.keys():
            wrong = optional[name](value[name])
            if wrong is not None:
                return f".{name}{wrong}"
        return None

    return look


def _with_constraints(inner: Check, found: tuple[Any, ...]) -> Check:
    keywords: dict[str, Any] = {}
    for constraint in found:
        if isinstance(constraint, Constraint):
            keywords |= constraint.keywords
    least, most = keywords.get("minimum"), keywords.get("maximum")
    above = keywords.get("exclusiveMinimum")
    pattern, shortest = keywords.get("pattern"), keywords.get("minLength", 0)

    def look(value: Any) -> str | None:
        wrong = inner(value)
        if wrong is not None:
            return wrong
        if least is not None and value < least:
            return f": {value} is below {least}"
        if most is not None and value > most:
            return f": {value} is above {most}"
        if above is not None and value <= above:
            return f": {value} is not above {above}"
        if isinstance(value, str) and len(value) < shortest:
            return ": is empty"
        if pattern is not None and not re.search(pattern, value):
            return f": {quoted(value)} is not of the form {pattern}"
        return None

    return look
