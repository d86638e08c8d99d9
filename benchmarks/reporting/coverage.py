#!/usr/bin/env python3
"""How often does the 95 % interval of a score hold the true score? Ours, and the plain t interval.

Each run draws 164 problems, whose chances to be solved follow a Beta distribution with the given
mean, and n samples of each. `alike` is how much samples of one problem are alike: the share of a
single sample's variance that lies between problems (0: all problems are as hard, 1: each is
solved always or never). With one sample a problem that makes no difference.

    python benchmarks/reporting/coverage.py

prints a Markdown table; in brackets, how often the whole interval lies below and above the truth.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))

from sigil_eval.statistics import Estimate, mean_interval, share_interval

ALIKE = (0.2, 0.7)
SAMPLES = (1, 5, 100)
MEANS = (0.01, 0.02, 0.05, 0.10, 0.20, 0.35, 0.50)


def t_interval(values: list[float]) -> Estimate:
    """The interval that scores had before: t on the problems' shares."""
    return mean_interval(values, 0.0, 1.0)


def simulate(mean: float, alike: float, samples: int, runs: int, seed: int) -> list[str]:
    """The cells of one row: the coverage of both intervals."""
    generator = np.random.default_rng(seed)
    weight = 1 / alike - 1
    chances = generator.beta(mean * weight, (1 - mean) * weight, (runs, 164))
    shares = generator.binomial(samples, chances) / samples
    return [
        coverage([method(run) for run in shares.tolist()], mean)
        for method in (share_interval, t_interval)
    ]


def coverage(intervals: list[Estimate], truth: float) -> str:
    """How many intervals hold the truth, and how many lie below and above it."""
    sides = Counter(
        "below" if found.high < truth else "above" if found.low > truth else "holds"
        for found in intervals
    )
    held, below, above = (
        100 * sides[side] / len(intervals) for side in ("holds", "below", "above")
    )
    return f"{held:.1f} ({below:.1f}, {above:.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=4000, help="runs for each row (default 4000)")
    parser.add_argument("--seed", type=int, default=1, help="of the first row (default 1)")
    options = parser.parse_args()
    print("| samples | alike | true score | ours, % | t, % |")
    print("| --: | --: | --: | --: | --: |")
    seed = options.seed
    for samples in SAMPLES:
        for alike in ALIKE:
            for mean in MEANS:
                cells = simulate(mean, alike, samples, options.runs, seed)
                print(f"| {samples} | {alike} | {mean:.0%} | {' | '.join(cells)} |", flush=True)
                seed += 1


if __name__ == "__main__":
    main()
