"""docs/errata.md, made of the errata files: every erratum of every problem set in a table.

`python tests/python/errata_page.py` makes it anew.
"""

from __future__ import annotations

import html
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sigil_eval.problems import PINNED_SETS, Erratum, load_problem_set

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errata.md"


def page() -> str:
    """The whole page."""
    return "\n".join([*_head(), *(line for name in PINNED_SETS for line in _set(name))]) + "\n"


def _head() -> Iterator[str]:
    yield "# Errata\n"
    yield "`python tests/python/errata_page.py` makes this page of the errata files;"
    yield "`sigil-eval problems TASK` shows a problem as it is with them. What an erratum may hold"
    yield "is in [problem-sets.md](problem-sets.md#errata), and how they were found in"
    yield "[benchmark.md](benchmark.md)."


def _set(name: str) -> Iterator[str]:
    errata = load_problem_set(name).errata
    yield f"\n## {name}\n"
    yield "| problem | changed | why | shown by |\n| :-- | :-- | :-- | :-- |"
    for erratum in errata:
        cells = (_tasks(erratum), _changed(erratum), _cell(erratum["why"]), _shown(erratum))
        yield f"| {' | '.join(cells)} |"


def _tasks(erratum: Erratum) -> str:
    named = erratum.get("task_ids") or [erratum["task_id"]]
    return "all" if named == ["*"] else ", ".join(named)


def _changed(erratum: Erratum) -> str:
    edited = [edit["field"] for edit in erratum.get("edit", ())]
    return ", ".join(dict.fromkeys([*erratum.get("set", {}), *edited])).replace("_", " ")


def _shown(erratum: Erratum) -> str:
    """Its first call, with what is right and who says otherwise."""
    evidence: list[dict[str, Any]] = erratum.get("shown_by", [])
    if not evidence:
        return ""
    first = evidence[0]
    wrong = [f"{voter} {said}" for voter, said in first["votes"].items() if said != first["right"]]
    told = f"{first['call']} is {first['right']}"
    return _cell(f"{told}, not as {', '.join(wrong)}" if wrong else told)


def _cell(text: str) -> str:
    escaped = html.escape(text, quote=False)
    for character in "|*_`[]~\\$":
        escaped = escaped.replace(character, f"&#{ord(character)};")
    return escaped.replace("\n", "<br>")


if __name__ == "__main__":
    sys.stdout.write(f"{PAGE.write_text(page(), encoding='utf-8')} characters\n")
