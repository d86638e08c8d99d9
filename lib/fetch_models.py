"""Bring hub models into the cache, and print size and path of every file of theirs.

Usage: fetch_models.py MODEL...
"""

from __future__ import annotations

import sys

from sigil_eval.errors import SigilEvalError
from sigil_eval.generation.source import fetch_weights, resolve_source


def main() -> int:
    """Fetch the named models; 0, or the exit code of what went wrong."""
    try:
        for name in sys.argv[1:]:
            source = fetch_weights(resolve_source(name, None))
            for file in source.files:
                path = source.folder / file
                print(path.stat().st_size, path, sep="\t")
    except SigilEvalError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
