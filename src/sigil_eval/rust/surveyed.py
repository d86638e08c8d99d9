"""What a survey of Rust source notes: paths, macro calls, attributes, and their scopes."""

from __future__ import annotations

from dataclasses import dataclass, field

from sigil_eval.rust.names import Path, Resolver, Scope

# From one byte offset to another.
Span = tuple[int, int]


@dataclass(frozen=True)
class Use:
    """A path that stands somewhere in the source, or that is imported there."""

    path: Path
    scope: Scope
    span: Span

    @property
    def is_assembled(self) -> bool:
        """Whether pieces of the path are given to a macro (`std::$name`)."""
        return any(is_hole(segment) for segment in self.path)


@dataclass(frozen=True)
class MacroCall(Use):
    """A call of the macro at `path`."""

    in_macro: bool = False


@dataclass(frozen=True)
class MacroDefinition:
    """A `macro_rules!` whose name holds from `start` to `end`."""

    name: str
    start: int
    end: int


@dataclass
class Survey:
    """What a source says, in byte offsets; whether any of it is forbidden is for policy.

    `loose` are single names that a macro of this source gets to see and can build paths from, or
    items of that name (`macro_made`); `macro_words` are all words that it gets to see.
    `macro_holes` and `attribute_holes` say that a macro puts a name it is given in the place of a
    macro's or attribute's name.
    """

    root: Scope
    resolver: Resolver
    uses: list[Use] = field(default_factory=list)
    calls: list[MacroCall] = field(default_factory=list)
    definitions: list[MacroDefinition] = field(default_factory=list)
    attributes: list[tuple[str, Span]] = field(default_factory=list)
    unsafe: list[Span] = field(default_factory=list)
    externs: list[Span] = field(default_factory=list)
    module_files: list[Span] = field(default_factory=list)
    loose: set[tuple[str, Scope]] = field(default_factory=set)
    macro_words: dict[str, Span] = field(default_factory=dict)
    macro_made: frozenset[str] = frozenset()
    macro_holes: bool = False
    attribute_holes: bool = False

    def import_crate(self, crate: str, name: str, scope: Scope, span: Span) -> None:
        """Take note of `extern crate crate as name`."""
        self.resolver.extern_names.setdefault(name, crate)
        path = ("crate",) if crate == "self" else ("", crate)
        scope.bind(name, path)
        self.uses.append(Use(path, scope, span))


def is_hole(segment: str) -> bool:
    """Whether a path segment stands for something a macro is given."""
    return segment.startswith("$") and segment != "$crate"


def without_self(path: Path) -> Path:
    """`a::b::{self}` imports `a::b`."""
    return path[:-1] if path[-1] == "self" and len(path) > 1 else path
