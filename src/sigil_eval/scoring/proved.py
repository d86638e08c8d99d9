"""Proofs of the judge, kept for a day: what was proved of the same judge need not be proved again.

The same is one with the same code, compiler, sandbox, crates, limits and problems, on the same
machine. The sandbox's self-test is no part of it: that is done at every start.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import sys
import time
from pathlib import Path

from sigil_eval.documents.metadata import ProofRow
from sigil_eval.documents.shape import check
from sigil_eval.errors import UsageError
from sigil_eval.files import dump_row, json_value
from sigil_eval.judging.judge import Judge
from sigil_eval.kept import Kept, kept_folder
from sigil_eval.problems import ProblemSet
from sigil_eval.scoring.proof import Proof, prove

LASTS_SECONDS = 24 * 3600
# They read answers, as our own code does.
_READERS = ("tree-sitter", "tree-sitter-rust")


class ProvedBefore:
    """The proof of one judge on one problem set, as it was kept. `code` is the hash of our code."""

    def __init__(self, judge: Judge, problem_set: ProblemSet, code: str) -> None:
        self._kept = Kept(kept_folder("proved", judge.settings.sandbox_mode))
        self._sandbox = tuple(judge.self_test)
        self._key = verdicts_key(judge, problem_set, code)

    def find(self) -> tuple[Proof, int] | None:
        """The proof, with the seconds that have passed since; None where it is to be given anew."""
        data = self._kept.find(self._key)
        try:
            known = json_value(data) if data else None
            row = check(known["proof"], ProofRow, "kept proof") if known else None
            ago = int(time.time() - known["proved"]) if known else -1
        except (UsageError, ValueError, KeyError, TypeError):
            return None
        if row is None or not 0 <= ago <= LASTS_SECONDS:
            return None
        return Proof.from_row({**row, "sandbox": list(self._sandbox)}), ago

    def keep(self, proof: Proof) -> None:
        """Keep a proof that has just been given."""
        row = {"proved": int(time.time()), "proof": proof.to_row()}
        self._kept.keep(self._key, dump_row(row).encode())


def proved(
    judge: Judge, problem_set: ProblemSet, code: str, *, again: bool = False
) -> tuple[Proof, int | None]:
    """The proof as it was kept, with the seconds since, or, where there is none or it is to be
    done `again`, a new one. Raises PreflightError when the judge does not hold."""
    before = ProvedBefore(judge, problem_set, code)
    found = None if again else before.find()
    if found is not None:
        return found
    proof = prove(judge, problem_set)
    before.keep(proof)
    return proof, None


def verdicts_key(judge: Judge, problem_set: ProblemSet, code: str) -> str:
    """A hash of all that verdicts depend on besides the programs; `code` is that of our code."""
    said = [code, sys.version, *readers_versions(), _machine()]
    said += [judge.identity(), problem_set.headline, repr(problem_set.problems)]
    return hashlib.sha256("\0".join(said).encode("utf-8", "replace")).hexdigest()


def readers_versions() -> tuple[str, ...]:
    """What else decides how answers are read, besides our own code, each with its version."""
    packages = (f"{name} {importlib.metadata.version(name)}" for name in _READERS)
    return (f"Python {'.'.join(map(str, sys.version_info[:3]))}", *packages)


def _machine() -> str:
    """What tells this machine, as it was started and whoever uses it, from another."""
    try:
        name = Path("/etc/machine-id").read_text("utf-8", "replace")
    except OSError:
        name = ""
    return json.dumps([name, *os.uname(), os.geteuid()])
