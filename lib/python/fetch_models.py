"""Bring hub models into the cache, and print size and path of every file of theirs.

Usage: fetch_models.py MODEL...
"""

from __future__ import annotations

import sys
from pathlib import Path

from sigil_eval.errors import PreflightError, SigilEvalError
from sigil_eval.generation.hub import fetch_weights, is_damaged
from sigil_eval.generation.models import resolve_files


def check_content(file: Path) -> None:
    """Take a damaged file away so that it is fetched anew, and raise PreflightError."""
    if is_damaged(file):
        content = file.resolve()
        file.unlink()
        content.unlink()
        raise PreflightError(
            f"{file.name} did not arrive as it was sent: its sha256 is not {content.name}. "
            "It was taken away; the next run fetches it again"
        )


def main() -> int:
    """Fetch the named models; 0, or the exit code of what went wrong."""
    try:
        for name in sys.argv[1:]:
            source = fetch_weights(resolve_files(name, None))
            for file in source.files:
                path = source.folder / file
                check_content(path)
                print(path.stat().st_size, path, sep="\t")
    except SigilEvalError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
