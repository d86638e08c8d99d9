"""What the figures do not show, in a few lines, for whoever reads only those."""

from __future__ import annotations

from collections.abc import Iterator

from sigil_eval.reporting.blocks import Block, Listing, titled
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.run_folder import BASE

TITLE = "What this does not show"


def limits(run: Run) -> list[str]:
    """The limits of any run on such a benchmark, with this run's figures."""
    models = run.first_metrics["models"].values()
    unsafe = [model["rates"]["uses_unsafe"] for model in models]
    count, known = sum(rate["count"] for rate in unsafe), sum(rate["of"] for rate in unsafe)
    compared = BASE in run.labels and len(run.labels) > 1
    return [
        "The problems are public: a model may have met them, or answers to them, in its training, "
        "and a fine-tune in its own data.",
        "One training run is compared with its base: another run of the same training, with other "
        "seeds or data, may come out otherwise."
        if compared
        else "One model is measured as it is: nothing is said of how it was trained.",
        "Each problem is one short function with its signature given. Programs of many files, "
        "changes to existing code, async or embedded Rust are another matter.",
        "A pass means that the problem's tests found nothing. They are few, and some wrong answers "
        "pass them; `python benchmarks/scoring/strength.py` says how many.",
        f"Answers with unsafe code ({count} of {known} here) pass by what they return; that says "
        "nothing of whether their unsafe code is sound.",
    ]


def _blocks(run: Run) -> Iterator[Block]:
    return titled(TITLE, Listing(limits(run)))


SECTION = Section("limits", lambda run, _: _blocks(run), _blocks, _blocks)
