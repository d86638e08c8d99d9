"""Read what a loop is to be made of; exit code 2 where that cannot be, with the reason.

Usage: read_loop.py CRATES TRAIN_CONFIG
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from sigil_eval.errors import UsageError
from sigil_eval.loop import read_inputs


def main() -> int:
    """Read both; 0, or 2."""
    crates, configuration = map(Path, sys.argv[1:])
    try:
        read_inputs(crates, configuration)
    except UsageError as error:
        print(error)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
