"""A configuration from its YAML file; what is wrong is named by file, line and key.

Keys are taken from the file as it is written, so that one that is misspelt, or stands in the wrong
section, is refused instead of vanishing.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, NoReturn, get_args, get_type_hints

import yaml

from sigil_eval.documents.shape import check
from sigil_eval.errors import UsageError
from sigil_eval.files import open_file
from sigil_eval.training.configuration import Configuration
from sigil_eval.training.refusals import KNOWN_AND_REFUSED, refuse

LONGEST_FILE = 1 << 20
LARGEST_NUMBER = 10**12
# What other trainers call the same.
OTHERS_NAMES = {
    "base_model": "model_name",
    "batch_size": "train.micro_batch_size",
    "dataset_name": "dataset.names",
    "gradient_accumulation_steps": "train.gradient_accumulation",
    "gradient_checkpointing": "train.grad_checkpointing",
    "learning_rate": "train.lr",
    "lora_alpha": "lora.alpha",
    "lora_dropout": "lora.dropout",
    "max_seq_length": "max_seq_len",
    "max_steps": "train.num_steps",
    "optim": "train.optimizer",
    "packing": "pack",
    "per_device_train_batch_size": "train.micro_batch_size",
    "rank": "lora.r",
    "save_steps": "train.save_every",
}

type _Place = tuple[str, yaml.Node]


def read_configuration(path: Path) -> Configuration:
    """The configuration in a YAML file.

    Raises UsageError with file, line, key and reason for what cannot be read, is unknown, has
    another type, contradicts itself, or is the finetuner's and not done here.
    """
    try:
        return _Reader(path).read()
    except (RecursionError, yaml.constructor.ConstructorError):
        raise UsageError(f"{path}: nested too deep, or in itself") from None


class _Reader:
    """Of one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._construct = yaml.SafeLoader("").construct_object
        self._lines: dict[str, int] = {}

    def read(self) -> Configuration:
        """The configuration."""
        configuration: Configuration = self._section(Configuration, self._root(), "")
        for key, reason in refuse(configuration, frozenset(self._lines)):
            self._fail(key, reason)
        return configuration

    def _root(self) -> yaml.Node:
        try:
            with open_file(self._path) as stream:
                data = stream.read(LONGEST_FILE + 1)
        except OSError as error:
            raise UsageError(f"{self._path}: cannot be read: {error.strerror}") from None
        if len(data) > LONGEST_FILE:
            raise UsageError(f"{self._path}: larger than any configuration")
        try:
            root = yaml.compose(data.decode("utf-8-sig"), Loader=yaml.SafeLoader)
        except UnicodeDecodeError as error:
            raise UsageError(f"{self._path}: not UTF-8 text (byte {error.start})") from None
        except yaml.MarkedYAMLError as error:
            line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
            raise UsageError(f"{self._path}{line}: not valid YAML: {error.problem}") from None
        except yaml.YAMLError as error:
            reason = getattr(error, "reason", "not valid")
            raise UsageError(f"{self._path}: not valid YAML: {reason}") from None
        if root is None:
            raise UsageError(f"{self._path}: empty")
        return root

    def _section(self, kind: Any, node: yaml.Node, name: str) -> Any:
        """A section, with those in it."""
        found: dict[str, Any] = {}
        hints = get_type_hints(kind)
        for key, inner in self._pairs(node, name):
            full = f"{name}.{key}".strip(".")
            if key not in hints:
                self._unknown(full, key, name)
            section = _SECTIONS.get(full)
            if section is None:
                found[key] = self._value(full, inner)
            elif not _is_null(inner):
                found[key] = self._section(section, inner, full)
            elif type(None) in get_args(hints[key]):
                found[key] = None
        for needed in fields(kind):
            no_default = needed.default is MISSING and needed.default_factory is MISSING
            if no_default and needed.name not in found:
                self._fail(name, f"has no {needed.name}" if name else f"{needed.name} is missing")
        return kind(**found)

    def _pairs(self, node: yaml.Node, name: str) -> Iterator[_Place]:
        if not isinstance(node, yaml.MappingNode):
            where = f"{self._path}:{node.start_mark.line + 1}"
            raise UsageError(f"{where}: {name or 'it'} must be a mapping of keys to values")
        for key_node, inner in node.value:
            key = key_node.value
            if not isinstance(key, str):
                self._fail(
                    name, f"has a key that is no word, in line {key_node.start_mark.line + 1}"
                )
            full = f"{name}.{key}".strip(".")
            again = full in self._lines
            self._lines[full] = key_node.start_mark.line + 1
            if again:
                self._fail(full, "stands twice")
            yield key, inner

    def _unknown(self, full: str, key: str, section: str) -> NoReturn:
        if full in KNOWN_AND_REFUSED:
            self._fail(full, KNOWN_AND_REFUSED[full])
        if full in _PATHS:  # `misc.load_from: x`, at the top
            above, _, last = full.rpartition(".")
            self._fail(full, f"is no key; write `{last}` under `{above}`")
        names = [key] if key in _CALLED else difflib.get_close_matches(key, _CALLED, 3, 0.6)
        near = sorted(
            map(_CALLED.__getitem__, names), key=lambda path: path.rpartition(".")[0] != section
        )
        hint = f"; did you mean {near[0]}?" if near else ""
        self._fail(full, f"is no key of a training configuration{hint}")

    def _value(self, full: str, node: yaml.Node) -> Any:
        """The value of a key, which has the key's type."""
        value = _as_meant(full, self._construct(node, deep=True))
        nested: Any = value
        for part in reversed(full.split(".")):
            nested = {part: nested}
        place = f"{self._path}:{self._lines[full]}"
        check(nested, Configuration, place, lacking=_EVERY_FIELD)
        numbers = value.values() if isinstance(value, Mapping) else [value]
        for number in numbers:
            if isinstance(number, int | float) and not abs(number) <= LARGEST_NUMBER:
                raise UsageError(f"{place}: {full}: {number} is beyond all bounds")
        return value

    def _fail(self, key: str, reason: str) -> NoReturn:
        line = f":{self._lines[key]}" if key in self._lines else ""
        raise UsageError(f"{self._path}{line}: {f'{key} {reason}'.strip()}")


def _as_meant(full: str, value: Any) -> Any:
    """A number that YAML 1.1 takes for text (`1e-4`), modules with semicolons between, and a word
    as the ecosystem's documents spell it."""
    if full == "dataset.interleave_mode" and value == "round-robin":
        return "round_robin"
    if isinstance(value, str) and _KINDS.get(full) is float:
        try:
            number = float(value) if value.isascii() and "_" not in value else math.nan
        except ValueError:
            return value
        return number if math.isfinite(number) else value
    if full == "lora.target_modules":
        items = value if isinstance(value, list) else [value]
        if all(isinstance(item, str) for item in items):
            return [part.strip() for item in items for part in item.split(";") if part.strip()]
    return value


def _is_null(node: yaml.Node) -> bool:
    return str(node.tag) == "tag:yaml.org,2002:null"


def _kinds(kind: Any) -> dict[str, Any]:
    """The type of every key by its full name; of a section, the section's."""
    found: dict[str, Any] = {}
    for name, hint in get_type_hints(kind).items():
        options = [*get_args(hint), hint]
        section = next((option for option in options if is_dataclass(option)), None)
        found[name] = section or _bare(hint)
        if section is not None:
            found |= {f"{name}.{key}": inner for key, inner in _kinds(section).items()}
    return found


def _bare(hint: Any) -> Any:
    """A type without its alias and its constraints."""
    while hasattr(hint, "__value__"):
        hint = hint.__value__
    return getattr(hint, "__origin__", hint) if hasattr(hint, "__metadata__") else hint


_KINDS = _kinds(Configuration)
_SECTIONS = {name: kind for name, kind in _KINDS.items() if is_dataclass(kind)}
_PATHS = sorted(_KINDS)
_CALLED = OTHERS_NAMES | {path.rpartition(".")[2]: path for path in _PATHS}
_EVERY_FIELD = frozenset(path.rpartition(".")[2] for path in _PATHS)
