"""Options in a file: TOML whose keys are the options' names."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from sigil_eval.cli.option import Option
from sigil_eval.errors import UsageError, did_you_mean, quoted
from sigil_eval.files import open_file

_LONGEST_FILE = 1 << 20
_NOT_IN_A_FILE = ("config", "help")

type Options = dict[str, click.Option]
"""Options by the keys that they have in a file: their names without hyphens in front."""


@dataclass(frozen=True)
class FromFile:
    """What a file gives an option: key, value as click wants it, and what one would type."""

    key: str
    value: Any
    words: list[str]


def read_config(path: Path, ctx: click.Context) -> dict[str, FromFile]:
    """What a file says of the options of a command, by their parameters' names.

    Keys outside of a table hold for every command that has such an option; those in a table, for
    the command of its name. Raises UsageError for a file, a key or a value that will not do,
    whichever command it is for.
    """
    known = {name: _options_of(command) for name, command in _commands(ctx.find_root().command)}
    shared, tables = _content(path)
    _check_keys(
        path, "", shared, {key: of for options in known.values() for key, of in options.items()}
    )
    for name, table in tables.items():
        if name not in known:
            raise UsageError(f"{path}: no command {quoted(name)}.{did_you_mean(name, known)}")
        _check_keys(path, f" of {name}", table, known[name])
    own = _options_of(ctx.command)
    wanted = {key: value for key, value in shared.items() if key in own}
    found = dict(_given(path, wanted | tables.get(_name(ctx), {}), own))
    _check_pairs(path, found, own)
    return found


def _commands(group: click.Command, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """All commands by their names, `dataset check`."""
    for name, command in group.commands.items() if isinstance(group, click.Group) else ():
        yield before + name, command
        yield from _commands(command, f"{before}{name} ")


def _name(ctx: click.Context) -> str:
    """A command's name among them."""
    names = ctx.command_path.split(" ")
    return " ".join(names[1:]) if ctx.parent else names[0]


def _content(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The keys outside of tables, and the tables."""
    try:
        with open_file(path) as stream:
            data = stream.read(_LONGEST_FILE + 1)
        if len(data) > _LONGEST_FILE:
            raise UsageError(f"{path}: longer than {_LONGEST_FILE >> 20} MiB")
        content = tomllib.loads(data.decode())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: no TOML: {error}") from None
    tables = {key: value for key, value in content.items() if isinstance(value, dict)}
    return {key: value for key, value in content.items() if key not in tables}, tables


def _options_of(command: click.Command) -> Options:
    named = [param for param in command.params if isinstance(param, click.Option)]
    return {
        spelling.removeprefix("--"): param
        for param in named
        if param.name not in _NOT_IN_A_FILE
        for spelling in (*param.opts, *getattr(param, "aliases", ()))
        if spelling.startswith("--")
    }


def _check_keys(path: Path, of: str, keys: Mapping[str, Any], known: Options) -> None:
    for key in keys:
        if key not in known:
            raise UsageError(f"{path}: no option{of} {quoted(key)}.{did_you_mean(key, known)}")


def _given(path: Path, wanted: Mapping[str, Any], own: Options) -> Iterator[tuple[str, FromFile]]:
    for key, value in wanted.items():
        param, option = own[key], f"--{key}"
        if param.is_flag:
            if not isinstance(value, bool):
                raise UsageError(f"{path}: {key} must be true or false")
            if value:
                yield str(param.name), FromFile(key, param.flag_activation_value, [option])
            elif param.secondary_opts:
                yield str(param.name), FromFile(key, False, [param.secondary_opts[0]])
            continue
        texts = [_text(path, key, item) for item in (value if isinstance(value, list) else [value])]
        if param.multiple:
            words = [word for text in texts for word in (option, text)]
            yield str(param.name), FromFile(key, texts, words)
        else:
            text = ",".join(texts)
            yield str(param.name), FromFile(key, text, [option, text])


def _text(path: Path, key: str, value: Any) -> str:
    """A value as it would be typed."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(f"{path}: {key} must be a text, a number, or a list of them")
    return str(value)


def _check_pairs(path: Path, found: Mapping[str, FromFile], own: Options) -> None:
    for given in found.values():
        param = own[given.key]
        for other in param.instead_of if isinstance(param, Option) else ():
            if other in found:
                raise UsageError(
                    f"{path}: {given.key} and {found[other].key} cannot stand together"
                )
