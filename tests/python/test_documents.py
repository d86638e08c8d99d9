"""What leaves a room: the schemas follow from the types, and hold what they must."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

from results_fixture import finding, good_results, make_metadata, make_row, make_run, validate
from schemas import FOLDER, generated
from sigil_eval.documents.metrics import RateName
from sigil_eval.reporting.tally import RATES


def test_the_schemas_are_those_of_the_types() -> None:
    """After a change of the types: `PYTHONPATH=src python tests/python/schemas.py`."""
    assert {path.name: path.read_text() for path in FOLDER.iterdir()} == generated()


def test_a_rate_that_is_counted_is_one_of_the_document_s() -> None:
    assert tuple(RATES) == get_args(RateName)


def test_rows_follow_their_schemas() -> None:
    row = make_row("T/0", 0, policy_findings=[finding()])
    validate(row, "result_row")
    validate(row, "sample_row")
    validate({"task_id": "T/0", "completion": ""}, "sample_row")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema_version", 1),
        ("mode", "strict"),
        ("problem_set/sha256", "f" * 63),
        ("k_values", []),
        ("k_values", [1, 1]),
        ("confidence", 1.1),
        ("models/base/samples/passed", -1),
        ("models/base/samples/lost", 1),
        ("models/base/problems/uncovered", ["T/1", "T/1"]),
        ("models/base/pass_at_k/one", None),
        ("models/base/rates/compile/rate", 100.0),
        ("models/base/error_types/compile_error", 0),
        ("models/base/per_problem/T%0/scored", None),
        ("comparison/pass_at_k/1/difference/mean", 2.0),
        ("comparison/pass_at_k/1/p_method", "guess"),
        ("comparison/verdict/sentence", ""),
    ],
)
def test_a_schema_refuses_what_the_types_do_not_promise(
    tmp_path: Path, path: str, value: Any
) -> None:
    make_run(tmp_path, good_results(), make_metadata())
    document = json.loads((tmp_path / "no-policy/metrics.json").read_text())
    validate(document, "metrics")
    *parents, last = (name.replace("%", "/") for name in path.split("/"))
    place = document
    for name in parents:
        place = place[name]
    place[last] = value
    with pytest.raises(jsonschema.ValidationError):
        validate(document, "metrics")
