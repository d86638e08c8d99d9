"""The sections in the order in which they are read."""

from __future__ import annotations

from sigil_eval.reporting.sections import (
    answers,
    certificate,
    deviations,
    environment,
    errata,
    failures,
    further,
    limits,
    migration,
    policy,
    problems,
    scores,
    sweep,
    training_data,
    verdict,
)

SECTIONS = [
    deviations.SECTION,
    verdict.SECTION,
    sweep.SECTION,
    scores.SECTION,
    training_data.SECTION,
    answers.SECTION,
    failures.SECTION,
    policy.SECTION,
    migration.SECTION,
    problems.SECTION,
    errata.SECTION,
    limits.SECTION,
    further.SECTION,
    certificate.SECTION,
    environment.SECTION,
]
