"""Work for a cluster that takes a while, and what disturbs it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sigil_eval.judging.toolchain import find_toolchain

PROBLEM = {
    "task_id": "Own/add",
    "prompt": "fn add(x: i32, y: i32) -> i32 {\n",
    "canonical_solution": "    x + y\n}\n",
    "test": "#[test] fn t() { assert_eq!(add(9, 2), 11); }\n",
    "entry_point": "add",
}


def write_work(folder: Path, programs: int, talk: int = 0) -> tuple[Path, Path]:
    """A file of samples, each a task by itself, and the file of their problem; some are `talk`,
    without code."""
    samples, problems = folder / "samples.jsonl", folder / "problems.jsonl"
    texts = [*map(_answer, range(programs)), *(f"I cannot say {n}." for n in range(talk))]
    rows = [{"task_id": "Own/add", "completion": text} for text in texts]
    samples.write_text("".join(json.dumps(row) + "\n" for row in rows))
    problems.write_text(json.dumps(PROBLEM) + "\n")
    return samples, problems


def _answer(number: int) -> str:
    """One that is compiled alone, because of its static; every third is wrong."""
    wrong = 1 if number % 3 == 0 else 0
    return f"    static N: i32 = {number};\n    x + y + {wrong} * N.max(1)\n}}\n"


def results(output: Path) -> dict[str, bytes]:
    """What a run has found, by policy mode."""
    files = {mode: output / mode / "samples_results.jsonl" for mode in ("policy", "no-policy")}
    return {mode: path.read_bytes() for mode, path in files.items()}


def await_begin(
    journal: Path, over: Callable[[], bool] = lambda: False, seconds: float = 300
) -> None:
    """Wait until something that was done is in a journal, or until the work is `over`."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and not over():
        if journal.exists() and journal.read_bytes().count(b"\n") > 1:
            return
        time.sleep(0.02)


def when_begun(journal: Path, then: Callable[[], object]) -> threading.Thread:
    """Do something, in a thread, as soon as something that was done is in a journal."""

    def watch() -> None:
        await_begin(journal)
        then()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def other_rustc(folder: Path) -> Path:
    """A compiler that is the real one, and says that it is another."""
    path = folder / "rustc"
    path.write_text(
        f"""#!/bin/sh
case $1 in
  --version) echo 'rustc 1.94.0 (4a4ef493e 2026-03-02)' ;;
  *) exec {find_toolchain().rustc} "$@" ;;
esac
"""
    )
    path.chmod(0o755)
    return path
