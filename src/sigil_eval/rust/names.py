"""What a path in Rust source can mean: scopes, imports, globs, renames, and where they lead.

Where the answer depends on what cannot be known here (a `cfg`, a macro's output), every meaning
is returned, so that whoever judges can fear the worst.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from sigil_eval.rust.vocabulary import PRIMITIVE_TYPES, STD_CRATES

# Segments of a path as written; a leading "" stands for a leading `::`.
Path = tuple[str, ...]

_MAX_DEPTH = 64
MAX_STEPS = 50_000
# More segments than any path has; what comes after them can't change what a path is judged by.
_MAX_SEGMENTS = 32


class TangledError(Exception):
    """Following a name took more steps than any honest program needs."""


@dataclass(frozen=True)
class Target:
    """What a path leads to.

    `kind` is "std" (`path` below the root of the standard library), "crate" (`path` begins with
    an external crate's name), "local" (an item of this source), or "unknown" (`path` begins with
    a name that nothing here defines). `is_type` is set where it is surely a local type or module
    and not a function, which may share its name with a module from elsewhere.
    """

    kind: Literal["std", "crate", "local", "unknown"]
    path: Path = ()
    scope: Scope | None = None
    is_type: bool = False


_LOCAL = Target("local")


@dataclass(eq=False)
class Scope:
    """A module, a block, or the type parameters of an item.

    `names` are the types and modules defined here, with the scope of a module; names in
    `uncertain` stand under a `cfg` and may not exist.
    """

    parent: Scope | None
    is_module: bool
    end: int = 0
    names: dict[str, Scope | None] = field(default_factory=dict)
    imports: dict[str, list[Path]] = field(default_factory=dict)
    globs: list[Path] = field(default_factory=list)
    uncertain: set[str] = field(default_factory=set)

    def module(self) -> Scope:
        """The module this scope stands in."""
        scope = self
        while not scope.is_module and scope.parent is not None:
            scope = scope.parent
        return scope

    def define(self, name: str, scope: Scope | None = None, *, uncertain: bool = False) -> None:
        """Record that an item defines `name`."""
        if uncertain and name not in self.names:
            self.uncertain.add(name)
        elif not uncertain:
            self.uncertain.discard(name)
        self.names[name] = scope

    def bind(self, name: str, path: Path, *, uncertain: bool = False) -> None:
        """Record that `use path as name` stands here; the name "*" is a glob."""
        if name == "*":
            self.globs.append(path)
            return
        if uncertain and name not in self.names and name not in self.imports:
            self.uncertain.add(name)
        self.imports.setdefault(name, []).append(path)


@dataclass
class Resolver:
    """Follows paths through scopes.

    `floating` and `floating_globs` are imports inside macros, which may come to stand anywhere;
    `std_names` are the names that a glob import of the standard library's root would bring.
    """

    root: Scope
    std_names: frozenset[str]
    floating: dict[str, list[tuple[Path, Scope]]] = field(default_factory=dict)
    floating_globs: dict[tuple[Path, Scope], None] = field(default_factory=dict)
    extern_names: dict[str, str] = field(default_factory=dict)
    _active: set[tuple[int, str]] = field(default_factory=set)
    _memo: dict[tuple[int, str], tuple[tuple[Target, ...], bool]] = field(default_factory=dict)
    _resolved: dict[tuple[int, Path], tuple[Target, ...]] = field(default_factory=dict)
    _steps: int = 0

    def resolve(self, path: Path, scope: Scope) -> tuple[Target, ...]:
        """Everything that `path`, written in `scope`, can lead to. Raises TangledError."""
        key = (id(scope), path[:_MAX_SEGMENTS])
        if key not in self._resolved:
            found = self._resolve(key[1], scope)
            if self._active:  # inside a cycle, what was found may be only part
                return found
            self._resolved[key] = found
        return self._resolved[key]

    def _resolve(self, path: Path, scope: Scope) -> tuple[Target, ...]:
        head, rest = path[0], path[1:]
        if head == "":
            if not rest:
                return (_LOCAL,)
            head, rest = rest[0], rest[1:]
            return self._follow(self._crates(head), rest)
        if head in ("crate", "$crate"):
            return self._follow((Target("local", (), self.root),), rest)
        if head in ("self", "super"):
            return self._follow((Target("local", (), scope.module()),), path)
        if head == "Self":
            return (_LOCAL,)
        return self._follow(self._lexical(head, scope), rest)

    def _follow(self, targets: Iterable[Target], rest: Path) -> tuple[Target, ...]:
        current = tuple(targets)
        for segment in rest:
            current = tuple(dict.fromkeys(self._step(current, segment)))
        return current

    def _step(self, targets: Iterable[Target], segment: str) -> Iterator[Target]:
        for target in targets:
            scope = target.scope
            if target.kind in ("std", "crate"):
                yield Target(target.kind, (*target.path, segment))
            elif target.kind == "unknown" or (scope is None and not target.is_type):
                # Perhaps a module that a macro makes, with what macros import in it.
                yield Target(target.kind, (*target.path, segment) if target.path else ())
                yield from self._floating_meanings(segment)
            elif scope is None or segment == "self":
                yield target
            elif segment == "super":
                yield Target("local", (), scope.parent.module() if scope.parent else scope)
            else:
                found, _ = self._within(scope, segment)
                yield from found
                yield from self._floating_meanings(segment)
                if not found:
                    yield _LOCAL

    def _lexical(self, name: str, scope: Scope) -> tuple[Target, ...]:
        """Meanings of a bare name: scopes outwards to the module, then the crates."""
        meanings: list[Target] = [*self._floating_meanings(name)]
        at: Scope | None = scope
        while at is not None:
            found, certain = self._within(at, name)
            meanings.extend(found)
            if certain:
                return tuple(meanings)
            at = None if at.is_module else at.parent
        outer = self._crates(name)
        if not meanings or any(target.kind != "unknown" for target in outer):
            meanings.extend(outer)
        return tuple(meanings)

    def _crates(self, name: str) -> list[Target]:
        found = [Target("std")] if name in STD_CRATES else []
        renamed = self.extern_names.get(name)
        if renamed == "self":
            found.append(Target("local", (), self.root))
        elif renamed in STD_CRATES:
            found.append(Target("std"))
        elif renamed is not None:
            found.append(Target("crate", (renamed,)))
        if not found and name in PRIMITIVE_TYPES:
            found.append(_LOCAL)
        return found or [Target("unknown", (name,))]

    def _within(self, scope: Scope, name: str) -> tuple[tuple[Target, ...], bool]:
        """What one scope gives for a name, and whether that hides what lies outside."""
        key = (id(scope), name)
        if key in self._active:
            return (), False
        if key in self._memo:
            return self._memo[key]
        self._count(1)
        self._active.add(key)
        try:
            found: list[Target] = []
            if name in scope.names:
                found.append(Target("local", (), scope.names[name], is_type=True))
            for path in scope.imports.get(name, ()):
                found.extend(self.resolve(path, scope))
            certain = name not in scope.uncertain and any(one.is_type for one in found)
            if not certain:
                for path in scope.globs:
                    found.extend(self._from_glob(self.resolve(path, scope), name))
        finally:
            self._active.discard(key)
        result = (tuple(dict.fromkeys(found)), certain)
        if not self._active:
            self._memo[key] = result
        return result

    def _count(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS or len(self._active) > _MAX_DEPTH:
            raise TangledError

    def _from_glob(self, targets: Iterable[Target], name: str) -> Iterator[Target]:
        for target in targets:
            if target.kind == "std" and not target.path and name in self.std_names:
                yield Target("std", (name,))
            elif target.scope is not None:
                yield from self._within(target.scope, name)[0]

    def _floating_meanings(self, name: str) -> Iterator[Target]:
        key = (0, name)
        if key in self._active or not (self.floating or self.floating_globs):
            return
        self._count(1 + len(self.floating_globs))
        self._active.add(key)
        try:
            for path, scope in self.floating.get(name, ()):
                yield from self.resolve(path, scope)
            for path, scope in self.floating_globs:
                yield from self._from_glob(self.resolve(path, scope), name)
        finally:
            self._active.discard(key)
