"""From base to fine-tuned: from which outcome to which the problems went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sigil_eval.documents import Metrics
from sigil_eval.reporting.blocks import Block, Code, Table, linked, titled
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.run_folder import Mode

LISTED_STATES = 9
OTHER = "other"
SHOWN = 0.05


def migration_table(metrics: Metrics) -> Table | None:
    """From which outcome to which the problems went, the most frequent outcomes by name."""
    comparison = metrics["comparison"]
    flows = comparison["migration"] if comparison else []
    if not flows:
        return None
    weight: defaultdict[str, float] = defaultdict(float)
    for flow in flows:
        for outcome in (flow["base"], flow["finetuned"]):
            weight[outcome] += flow["problems"]
    ranked = sorted(weight, key=lambda name: (name != "passed", -round(weight[name], 6), name))
    named = ranked if len(ranked) <= LISTED_STATES else ranked[: LISTED_STATES - 1]
    states = [*named, *([OTHER] if len(named) < len(ranked) else [])]
    cells: defaultdict[tuple[str, str], float] = defaultdict(float)
    for flow in flows:
        before, after = (
            outcome if outcome in named else OTHER for outcome in (flow["base"], flow["finetuned"])
        )
        cells[before, after] += flow["problems"]
    rows = []
    for before in states:
        found = [_cell(metrics["mode"], before, after, cells[before, after]) for after in states]
        total = sum(cells[before, after] for after in states)
        rows.append([Code(before), *found, f"{total:.1f}"])
    sums = [f"{sum(cells[before, after] for before in states):.1f}" for after in states]
    rows.append(["All", *sums, f"{sum(cells.values()):.1f}"])
    note = (
        "In problems: rows are what base answers came to, columns what fine-tuned ones did, by the "
        "first rustc code where they did not compile. Of each problem, every base sample is set "
        "against every fine-tuned one."
    )
    return Table(["Base ↓  Fine-tuned →", *states, "All"], rows, 1, note)


def _cell(mode: Mode, before: str, after: str, problems: float) -> str:
    """How many problems, with which they are, as far as the outcomes have names."""
    text = _problems_text(problems)
    named = {"from": before, "to": after}
    filters = {name: outcome for name, outcome in named.items() if outcome != OTHER}
    return linked(text, mode=mode, **filters) if filters and problems >= SHOWN else text


def _problems_text(problems: float) -> str:
    return f"{problems:.1f}" if problems >= SHOWN else "·"


def _in_comparison(run: Run, mode: Mode) -> Iterator[Block]:
    return titled("From base to fine-tuned", migration_table(run.metrics[mode]))


SECTION = Section("migration", _in_comparison)
