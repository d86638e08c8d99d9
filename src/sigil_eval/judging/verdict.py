"""What the judge says of one program, and the names of the ways to fail."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Self

from sigil_eval.documents.rows import ErrorType, Outcome


@dataclass(frozen=True)
class PlusEnding:
    """How the plus cases ended of a program that passes its tests; no `error_type`: all hold."""

    error_type: ErrorType | None = None
    detail: str = ""
    stderr: str = ""


@dataclass(frozen=True)
class Verdict:
    """The judgement of one program. Holds nothing that differs between two honest runs.

    `compile_ok` and `test_ok` are None where the step was not reached. `stderr` is what rustc
    or the panicking test said, bounded. `uses_unsafe` is true where there is unsafe code and None
    where that is not known, `one_process` true where the tests shared a process with the answer,
    because something of the problem's cannot be sent: there a pass is worth less. `plus` is there
    where the program passed and its problem has plus cases.
    """

    outcome: Outcome
    error_type: ErrorType | None = None
    compile_ok: bool | None = None
    test_ok: bool | None = None
    detail: str = ""
    stderr: str = ""
    error_codes: tuple[str, ...] = ()
    uses_unsafe: bool | None = False
    one_process: bool = False
    plus: PlusEnding | None = None

    @property
    def passed(self) -> bool:
        """Whether the program passed every test."""
        return self.outcome == "passed"

    @property
    def with_plus(self) -> Verdict:
        """The verdict where the plus cases are tests like the others."""
        if not self.passed or self.plus is None or self.plus.error_type is None:
            return self
        ending = asdict(self.plus)
        return replace(self, outcome="failed", test_ok=False, **ending)

    def to_row(self) -> dict[str, Any]:
        """As a JSON-ready dictionary."""
        return {**asdict(self), "error_codes": list(self.error_codes)}

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Self:
        """The inverse of `to_row`."""
        plus = PlusEnding(**row["plus"]) if row["plus"] else None
        return cls(**{**row, "error_codes": tuple(row["error_codes"]), "plus": plus})


def passed() -> Verdict:
    """Every test passed."""
    return Verdict(outcome="passed", compile_ok=True, test_ok=True, detail="passed")


def not_compiled(
    kind: Literal["compile_error", "compile_timeout"],
    detail: str,
    stderr: str = "",
    codes: tuple[str, ...] = (),
    *,
    uses_unsafe: bool | None = False,
) -> Verdict:
    """rustc refused the program, or did not finish in time."""
    return Verdict(
        outcome="failed",
        error_type=kind,
        compile_ok=False,
        detail=detail,
        stderr=stderr,
        error_codes=codes,
        uses_unsafe=uses_unsafe,
    )


def not_passed(
    kind: Literal["runtime_error", "assertion_failure", "test_timeout"],
    detail: str,
    stderr: str = "",
) -> Verdict:
    """The program compiled, and a test failed, crashed or did not end."""
    return Verdict(
        outcome="failed",
        error_type=kind,
        compile_ok=True,
        test_ok=False,
        detail=detail,
        stderr=stderr,
    )


def infrastructure(detail: str, stderr: str = "") -> Verdict:
    """The machinery failed; this says nothing about the program."""
    return Verdict(
        outcome="infrastructure",
        error_type="infra_sandbox",
        detail=detail,
        stderr=stderr,
        uses_unsafe=None,
    )


def unscorable(detail: str) -> Verdict:
    """The problem cannot be judged on this machine; this says nothing about the program."""
    return Verdict(outcome="unscorable", detail=detail, uses_unsafe=None)
