"""`python -m sigil_eval.cli`."""

import sys

from sigil_eval.cli import main

if __name__ == "__main__":
    sys.exit(main())
