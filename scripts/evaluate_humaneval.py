#!/usr/bin/env python3
"""The evaluation driver: `sigil-eval run` under the name that ADR-002 gives it; and `sigil-eval
sweep` or `sigil-eval loop`, where that is its first word."""

from __future__ import annotations

import sys
from pathlib import Path

# The package of this checkout, also where another one is installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from sigil_eval.cli import main

if __name__ == "__main__":
    words = sys.argv[1:]
    sys.exit(main(words if words[:1] in (["sweep"], ["loop"]) else ["run", *words]))
