"""Read rustc's JSON diagnostics: which file is at fault, with what code, and how to show it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sigil_eval.rust.lexer import tokens
from sigil_eval.rust.vocabulary import words

STDERR_LIMIT = 4000
_ERROR_CODE = re.compile(r"E[0-9]{4}")
# What is unsafe code without that word, or may bring some from elsewhere.
_UNSAFE_BY_ITSELF = words("no_mangle export_name link_section global_asm include")
_STD_NAME = re.compile(r"\b(?:std|core|alloc)::(?:\w+::)*(\w+)")


@dataclass(frozen=True)
class Diagnostic:
    """One message of rustc; `file` is None where it points nowhere."""

    level: str
    message: str
    code: str | None
    file: str | None
    line: int
    column: int
    source: str
    # What is said besides, where it points nowhere: of the linker, say.
    notes: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def is_error(self) -> bool:
        """Errors stop a compilation; warnings and notes do not."""
        return self.level.startswith("error")

    @property
    def is_lint(self) -> bool:
        """Whether it comes from a lint, which an attribute may deny or allow."""
        return self.code is not None and not _ERROR_CODE.fullmatch(self.code)

    def shown(self, name: str) -> str:
        """As text for people, with `name` for the file; the same whatever else was compiled."""
        code = f"[{self.code}]" if self.code else ""
        text = f"error{code}: {self.message}\n --> {name}:{self.line}:{self.column}\n"
        if self.source:
            marker = " " * (self.column - 1) + "^"
            text += f"  | {self.source}\n  | {marker}\n"
        return text


def read_diagnostics(output: bytes) -> Iterator[Diagnostic]:
    """The diagnostics in rustc's `--error-format=json` output; other lines are passed over.

    Only a line feed ends a line: the rest of what Python takes for one may stand in a message.
    """
    for line in output.decode("utf-8", "replace").split("\n"):
        if not line.startswith("{"):
            continue
        try:
            message = json.loads(line)
        except json.JSONDecodeError:
            continue  # cut off by the cap on output
        if message.get("$message_type", "diagnostic") == "diagnostic" and "level" in message:
            yield _diagnostic(message)


def _diagnostic(message: dict[str, Any]) -> Diagnostic:
    span = _origin(message.get("spans", []))
    code = message.get("code") or {}
    text = span["text"][0]["text"] if span and span.get("text") else ""
    return Diagnostic(
        level=message["level"],
        message=_as_if_alone(message["message"])[:500],
        code=code.get("code"),
        file=span["file_name"] if span else None,
        line=span["line_start"] if span else 0,
        column=span["column_start"] if span else 0,
        source=text[:200],
        notes=() if span else tuple(child["message"] for child in message.get("children", [])),
    )


def _as_if_alone(text: str) -> str:
    """A message, the same whether the candidate was a crate or a module in a file of its own.

    What it defines goes by its name alone: rustc puts the module before it where a neighbour has
    something of that name.
    """
    text = re.sub(r"\b(?:answers?::)?(?:c\d+::)|\banswer::", "", text)
    text = re.sub(r"\bc\d+-(answer|tests)\.rs\b", r"\1.rs", text)
    return text.replace("crate `candidate`", "module `candidate`")


def depends_on_neighbours(errors: Iterable[Diagnostic], codes: Iterable[str]) -> bool:
    """Whether rustc might put one of these errors otherwise without the neighbours' `codes`.

    It puts a path before a name of the standard library that anybody else has defined, too, and
    shortens a type by the length of all that is in it.
    """
    messages = [error.message for error in errors]
    if any("..." in message for message in messages):
        return True
    names = {name for message in messages for name in _STD_NAME.findall(message)}
    defined = rf"\b(?:struct|enum|type|trait|fn|const)\s+(?:{'|'.join(map(re.escape, names))})\b"
    return bool(names) and any(re.search(defined, code) for code in codes)


def _origin(spans: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The primary span, followed out of macro expansions to code that somebody wrote."""
    span = next((span for span in spans if span["is_primary"]), spans[0] if spans else None)
    while span and span.get("expansion") and not span["file_name"].endswith("answer.rs"):
        span = span["expansion"]["span"]
    return span


def errors_among(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Those that stop a compilation."""
    return [d for d in diagnostics if d.is_error]


def uses_unsafe(code: str, found: Iterable[Diagnostic] | None) -> bool | None:
    """Whether `code` has the word `unsafe`, or rustc, asked to warn of it, has `found` such code.

    rustc knows what is unsafe without that word (`no_mangle`), and does not warn of some that has
    it (`unsafe(naked)`). None where there may be the former and rustc has not come that far: it
    was not asked, was ended, or has refused the program before.
    """
    found = None if found is None else list(found)
    if found is not None and any(d.code == "unsafe_code" for d in found):
        return True
    if not any(word in code for word in ("unsafe", *_UNSAFE_BY_ITSELF)):
        return False
    named = {token.text for token in tokens(code) if token.kind == "ident"}
    if "unsafe" in named:
        return True
    is_settled = found is not None and not errors_among(found)
    return False if is_settled or named.isdisjoint(_UNSAFE_BY_ITSELF) else None


def show_errors(errors: Sequence[Diagnostic], name: str) -> str:
    """Errors as bounded text for people."""
    placed = [d for d in errors if d.file] or errors  # "aborting due to …" points nowhere
    return "\n".join(d.shown(name) for d in placed)[:STDERR_LIMIT]


def error_codes(errors: Iterable[Diagnostic]) -> tuple[str, ...]:
    """The distinct error codes, sorted."""
    return tuple(sorted({d.code for d in errors if d.code}))
