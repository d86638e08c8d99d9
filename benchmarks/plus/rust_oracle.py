"""Ask answers in Rust, in the judge's sandbox, with steps counted."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kinds import Kind, words_of
from tree_sitter import Node

from sigil_eval.errors import PreflightError
from sigil_eval.judging.crates import BENCHMARK_CRATES, find_crates
from sigil_eval.judging.limits import Limits
from sigil_eval.judging.sandbox import FirejailSandbox
from sigil_eval.judging.toolchain import find_toolchain
from sigil_eval.judging.workplace import Workplace, new_workplace, shared_folder, write_source
from sigil_eval.rust.syntax import own_text, parse, walk

_RUNTIME = Path(__file__).with_name("answers.rs")
_LIMITS = Limits(compile_seconds=60, run_seconds=20)
_LOOPS = ("for_expression", "while_expression", "loop_expression")


@dataclass(frozen=True)
class Signature:
    """A function: its parameters, as names and types in Rust, and the type of its result."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    result: str


def signatures(source: str) -> dict[str, Signature]:
    """The functions at the top of a source, by name, in order."""
    found = {}
    for node in _root(source).children:
        if node.type == "function_item":
            parameters = node.child_by_field_name("parameters")
            pairs = [
                (
                    own_text(one.child_by_field_name("pattern")).removeprefix("mut "),
                    own_text(one.child_by_field_name("type")),
                )
                for one in (parameters.named_children if parameters else [])
                if one.type == "parameter"
            ]
            name = own_text(node.child_by_field_name("name"))
            result = own_text(node.child_by_field_name("return_type"))
            found[name] = Signature(name, tuple(pairs), result)
    return found


def counting(source: str) -> str:
    """The source with a step counted in each round of a loop and each call of what it defines."""
    added: list[tuple[int, str]] = []
    for node in walk(_root(source)):
        body = node.child_by_field_name("body")
        if body is None:
            continue
        if node.type == "closure_expression" and body.type != "block":
            added += [(body.start_byte, "{ crate::step(); "), (body.end_byte, " }")]
        elif node.type in (*_LOOPS, "function_item", "closure_expression"):
            added.append((body.start_byte + 1, " crate::step();"))
    data = source.encode()
    for at, text in sorted(added, key=lambda one: one[0], reverse=True):
        data = data[:at] + text.encode() + data[at:]
    return data.decode()


def _root(source: str) -> Node:
    tree = parse(source.encode())
    assert tree is not None
    return tree.root_node


@dataclass(frozen=True)
class RustAnswer:
    """Source of an answer, with the function of it that is called, and the types it takes."""

    source: str
    prelude: str
    crates: tuple[str, ...]
    function: str
    kinds: tuple[Kind, ...]

    def program(self) -> str:
        """The answer, in a module with what calls its function, behind answers.rs."""
        numbered = list(enumerate(self.kinds))
        lets = "".join(f"let a{at}: {kind.owned} = crate::get(words); " for at, kind in numbered)
        passed = ", ".join(kind.passed(f"a{at}") for at, kind in numbered)
        return (
            f"#![allow(warnings)]\n{_RUNTIME.read_text('utf-8')}\n"
            f"mod answer {{\n{self.prelude}\n{counting(self.source)}\n"
            f"pub fn call(words: &mut crate::Words) -> String "
            f"{{ {lets}crate::Put::put(&{self.function}({passed})) }}\n}}\n"
            "fn main() { serve(answer::call) }\n"
        )


class RustOracles:
    """Compiles answers and asks them, in the sandbox. Use as a context manager."""

    def __init__(self) -> None:
        """Raises PreflightError when the compiler, the sandbox or a crate is missing."""
        self._toolchain = find_toolchain()
        crates = find_crates(self._toolchain)
        if crates.directory is None or not crates.has(BENCHMARK_CRATES):
            raise PreflightError(f"crates are missing: {crates.fault or crates.directory}")
        self._rlibs = crates.rlibs
        self._claimed = new_workplace()
        root = self._claimed.folder
        self._sandbox = FirejailSandbox(self._toolchain, _LIMITS, shared_folder(root))
        self._workplace = Workplace(root, self._sandbox.identity)
        self._crates = self._workplace.shared / "crates"
        shutil.copytree(crates.directory, self._crates)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._claimed.remove()

    def call(self, answer: RustAnswer, calls: Sequence[list[Any]]) -> list[list[Any] | None]:
        """For the arguments of each call a list with what was returned; None where the answer
        panicked, took too many steps, or ended the process.

        Raises RuntimeError with the compiler's words for an answer that does not compile.
        """
        lines = []
        for arguments in calls:
            pairs = zip(arguments, answer.kinds, strict=True)
            words = [word for value, kind in pairs for word in words_of(value, kind)]
            lines.append(" ".join(words) + "\n")
        with self._workplace.job("answers") as folder:
            self._compile(answer, folder)
            write_source(folder / "cases", "".join(lines))
            returned: list[list[Any] | None] = []
            while len(returned) < len(calls):
                returned += self._run(folder, len(returned), len(calls))
            return returned

    def _compile(self, answer: RustAnswer, folder: Path) -> None:
        write_source(folder / "answers.rs", answer.program())
        externs = [
            f"--extern={name}={self._crates}/{self._rlibs[name].name}" for name in answer.crates
        ]
        options = [
            *("--edition=2021", "-Copt-level=0", "-Cdebuginfo=0"),
            f"-Ldependency={self._crates}",
        ]
        command = [str(self._toolchain.rustc), *options, *externs, "answers.rs"]
        done = self._sandbox.run(
            "compile", command, folder=folder, timeout=_LIMITS.compile_wall, stdin=b""
        )
        if done.status:
            raise RuntimeError(done.stderr.decode("utf-8", "replace"))

    def _run(self, folder: Path, start: int, total: int) -> list[list[Any] | None]:
        """What was returned from the call `start` on, up to one that ends the process."""
        command = [str(folder / "answers"), "cases", str(start)]
        done = self._sandbox.run("run", command, folder=folder, timeout=_LIMITS.run_wall, stdin=b"")
        lines = done.stdout.decode().split("\n")[:-1]
        found = [[json.loads(line)] if line else None for line in lines]
        return found if len(found) == total - start else [*found, None]
