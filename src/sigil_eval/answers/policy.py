"""Policy mode: what a candidate may not use, decided on its syntax tree before it is compiled.

Covered: file system, network, process, environment, unsafe code, foreign and exported symbols,
compile-time file and environment access, inline assembly, external crates, and attributes that
change the language, by any path, import, rename, glob or macro that can be followed. Strings,
comments, and names that merely contain a word are free; so are local items, whatever their name.
Not covered: what a program does with what it may use (memory, time, threads, output). That is
for the sandbox, and policy is no substitute for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import product
from math import prod

from sigil_eval.answers.harmless import is_harmless
from sigil_eval.answers.policy_tables import (
    ATTRIBUTES,
    GUARDED_STD_MODULES,
    MACROS,
    UNMISTAKABLE_ATTRIBUTES,
    attribute_category,
    outside_category,
    std_category,
)
from sigil_eval.rust.names import Path, TangledError, Target
from sigil_eval.rust.survey import survey
from sigil_eval.rust.surveyed import MacroCall, Span, Survey, Use, is_hole
from sigil_eval.rust.vocabulary import STD_CRATES

MAX_FINDINGS = 100


@dataclass(frozen=True)
class PolicyFinding:
    """One use of something forbidden.

    `line` and `column` count from 1, the column in characters; `start` and `end` are byte
    offsets. `category` is filesystem, network, process, environment, unsafe, ffi,
    compile_time_io, inline_asm, external_crate, attribute, or unresolvable (the source is too
    tangled to be decided).
    """

    category: str
    message: str
    line: int
    column: int
    start: int
    end: int


def find_violations(source: str, allowed_crates: Collection[str] = ()) -> list[PolicyFinding]:
    """Everything in a candidate's source that policy forbids, in order, at most MAX_FINDINGS.

    `allowed_crates` are the external crates that the problem itself needs.
    """
    return [] if is_harmless(source) else survey_violations(source, allowed_crates)


def survey_violations(source: str, allowed_crates: Collection[str] = ()) -> list[PolicyFinding]:
    """The same, whatever the source looks like at first sight."""
    text = re.sub("[\ud800-\udfff]", "\ufffd", source)
    found: dict[tuple[str, int], tuple[str, int]] = {}
    try:
        _Judge(survey(text, GUARDED_STD_MODULES), allowed_crates, found).judge()
    except TangledError:
        found["unresolvable", 0] = ("names that are too tangled to follow", 0)
    data = text.encode()
    in_order = sorted(found.items(), key=lambda item: (item[0][1], item[0][0]))
    return [
        PolicyFinding(category, message, *_place(data, start), start, end)
        for (category, start), (message, end) in in_order[:MAX_FINDINGS]
    ]


def _place(data: bytes, start: int) -> tuple[int, int]:
    """Line and column, from 1, of a byte offset."""
    line_start = data.rfind(b"\n", 0, start) + 1
    column = len(data[line_start:start].decode("utf-8", "replace")) + 1
    return data.count(b"\n", 0, start) + 1, column


# Enough for every honest macro; a macro that needs more trials is called unresolvable.
_MAX_COMBINATIONS = 20_000


class _Judge:
    """Turns what a survey found into findings: (category, start) to (message, end)."""

    def __init__(
        self,
        surveyed: Survey,
        allowed_crates: Collection[str],
        found: dict[tuple[str, int], tuple[str, int]],
    ) -> None:
        self._survey = surveyed
        self._resolver = surveyed.resolver
        self._allowed = allowed_crates
        self._found = found

    def judge(self) -> None:
        """Judge everything surveyed. Raises TangledError."""
        for span in self._survey.unsafe:
            self._report("unsafe", "unsafe code", span)
        for span in self._survey.externs:
            self._report("ffi", "an extern declaration", span)
        for span in self._survey.module_files:
            self._report("compile_time_io", "a module in a file", span)
        for name, span in self._survey.attributes:
            self._judge_attribute(name, span)
        for use in self._survey.uses:
            self._judge_use(use)
        for call in self._survey.calls:
            self._judge_call(call)
        self._judgewords()

    def _report(self, category: str, message: str, span: Span) -> None:
        self._found.setdefault((category, span[0]), (message, span[1]))

    def _judge_attribute(self, name: str, span: Span) -> None:
        category = attribute_category(name)
        if category is not None:
            self._report(category, f"attribute {name}", span)

    def _judge_use(self, use: Use) -> None:
        if use.is_assembled:
            self._judge_assembled(use)
            return
        for target in self._resolver.resolve(use.path, use.scope):
            self._judge_target(target, use)

    def _judge_target(self, target: Target, use: Use) -> None:
        shown = "::".join(use.path[:8])
        if target.kind == "std":
            category = std_category(target.path)
            name = "::".join(("std", *target.path))
            message = name if shown == name else f"{shown}, which is {name}"
        elif target.kind in ("crate", "unknown"):
            category = self._outside_category(target.path, use)
            message = shown
        else:
            return
        if category is not None:
            self._report(category, message, use.span)

    def _outside_category(self, path: Path, use: Use) -> str | None:
        """The category of a path that begins with a name this source doesn't define."""
        head = path[0]
        made_by_macro = head in self._survey.macro_made and use.path[0] == head
        if made_by_macro or head in self._allowed:
            return None
        return outside_category(path)

    def _judge_assembled(self, use: Use) -> None:
        """A path with pieces that a macro is given: try every word that macros get to see."""
        known = GUARDED_STD_MODULES | STD_CRATES | self._bound_names()
        words = sorted(known & set(self._survey.macro_words))
        choices = [words if is_hole(segment) else [segment] for segment in use.path]
        if prod(len(choice) for choice in choices) > _MAX_COMBINATIONS:
            raise TangledError
        for path in product(*choices):
            for target in self._resolver.resolve(path, use.scope):
                if target.kind == "std":
                    self._judge_target(target, Use(path, use.scope, use.span))

    def _bound_names(self) -> set[str]:
        names = set(self._resolver.floating) | set(self._resolver.extern_names)
        for use in self._survey.uses:
            names.update(use.scope.imports, use.scope.names)
        return names

    def _judge_call(self, call: MacroCall) -> None:
        category = MACROS.get(call.path[-1])
        if category is not None and not self._is_local_macro(call):
            self._report(category, f"{'::'.join(call.path)}!", call.span)
        elif len(call.path) > 1:
            self._judge_use(call)

    def _is_local_macro(self, call: MacroCall) -> bool:
        """Whether a `macro_rules!` of this source surely has the name at this place."""
        return (
            len(call.path) == 1
            and not call.in_macro
            and any(
                one.name == call.path[0] and one.start <= call.span[0] < one.end
                for one in self._survey.definitions
            )
        )

    def _judgewords(self) -> None:
        """Macros can put paths, macro names and attributes together from single words."""
        root_is_loose = any(
            target.kind == "std" and not target.path
            for word, scope in self._survey.loose
            if not is_hole(word)
            for target in self._resolver.resolve((word,), scope)
        )
        for word, span in self._survey.macro_words.items():
            category = None
            if root_is_loose and word in GUARDED_STD_MODULES:
                category = std_category((word,))
            elif self._survey.macro_holes and word in MACROS:
                category = MACROS[word]
            elif self._survey.attribute_holes and word in UNMISTAKABLE_ATTRIBUTES:
                category = ATTRIBUTES[word]
            if category is not None:
                self._report(category, f"{word}, which a macro puts to use", span)
