#!/usr/bin/env python3
"""Generation alone: `sigil-eval generate` under the name that ADR-002 gives it."""

from __future__ import annotations

import sys
from pathlib import Path

# The package of this checkout, also where another one is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from sigil_eval.cli import main

if __name__ == "__main__":
    sys.exit(main(["generate", *sys.argv[1:]]))
