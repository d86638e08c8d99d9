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


def test_each_way_is_measured_and_what_is_not_here_is_said() -> None:
    command = [sys.executable, str(COMPARE), "--model", "tiny", "--problems", "1"]
    command += ["--samples", "2", "--only", "static", "hf", "vllm", "--unchecked"]
    finished = subprocess.run(
        command,
        env={**os.environ, "SIGIL_VLLM_PYTHON": "/nowhere/python"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=600,
    )
    assert finished.returncode == 0
    found = re.findall(
        r"^(\w+) +\d+ tokens/s +[\d.]+ x .*batch (\d+)  \((\d+) tokens.*", finished.stdout, re.M
    )
    assert [(name, batch) for name, batch, _ in found] == [("static", "32"), ("hf", "2")]
    assert found[0][2] == found[1][2] != "0"  # the same requests, with the same limits
    (hf,) = re.findall(r"^hf .*", finished.stdout, re.M)
    assert re.search(r"goals: 15 x (reached|missed), 60 % (reached|missed)$", hf)
    assert re.search(r"^vllm +left out: the vllm engine needs vLLM", finished.stdout, re.M)
