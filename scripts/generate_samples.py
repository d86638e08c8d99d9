#!/usr/bin/env python3
"""Generation alone: `sigil-eval generate` under the name that ADR-002 gives it."""

from __future__ import annotations

import sys
from pathlib import Path

try:
    from sigil_eval.cli import main
except ModuleNotFoundError:  # run from a checkout that is not installed
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))
    from sigil_eval.cli import main

if __name__ == "__main__":
    sys.exit(main(["generate", *sys.argv[1:]]))
