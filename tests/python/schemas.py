"""The JSON Schemas of the documents, generated from their types.

`PYTHONPATH=src python tests/python/schemas.py` writes them to src/sigil_eval/documents/schema/.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, is_typeddict

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

import sigil_eval.documents
from sigil_eval.documents import (
    dataset_check,
    dataset_made,
    estimates,
    metadata,
    metrics,
    reproduction,
    rows,
    sweep,
    training,
)

MODULES = (
    dataset_check, dataset_made, estimates, metadata, metrics, reproduction, rows, sweep, training
)  # fmt: skip
FOLDER = Path(sigil_eval.documents.__file__).with_name("schema")
DOCUMENTS = {
    "dataset_check": (
        dataset_check.DatasetCheck,
        f"dataset_check.json, version {dataset_check.DATASET_CHECK_VERSION}",
    ),
    "dataset_made": (
        dataset_made.DatasetMade,
        f"dataset_made.json, version {dataset_made.DATASET_MADE_VERSION}",
    ),
    "eval_metadata": (
        metadata.Metadata,
        f"eval_metadata.json, version {metadata.METADATA_VERSION}",
    ),
    "extraction_row": (rows.ExtractionRow, "a line of what was read from answers"),
    "metrics": (metrics.Metrics, f"metrics.json, version {metrics.METRICS_VERSION}"),
    "reproduction": (
        reproduction.Reproduction,
        f"reproduction.json, version {reproduction.REPRODUCTION_VERSION}",
    ),
    "result_row": (rows.ResultRow, "a row of results"),
    "sample_row": (rows.SampleRow, "a row of samples"),
    "training": (training.Training, f"training.json, version {training.TRAINING_VERSION}"),
}


def generated() -> dict[str, str]:
    """The text of every schema by its file's name."""
    for document in _typed_dicts():
        document.__pydantic_config__ = {
            "extra": "forbid",
            "use_attribute_docstrings": True,
            "json_schema_extra": getattr(document, "__schema_keywords__", {}),
        }
    return {f"{name}.schema.json": _schema(*what) for name, what in DOCUMENTS.items()}


class _Generator(GenerateJsonSchema):
    """Without titles that only repeat names; fields that are inherited are described, too."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def typed_dict_schema(self, schema: Any) -> Any:
        found = super().typed_dict_schema(schema)
        found.pop("title", None)
        for base in filter(is_typeddict, schema["cls"].__orig_bases__):
            inherited = _json_schema(base)["properties"]  # where their docstrings are
            for name, field in inherited.items():
                found["properties"][name].setdefault("description", field["description"])
        return found


def _json_schema(document: Any) -> dict[str, Any]:
    return TypeAdapter(document).json_schema(schema_generator=_Generator)


def _typed_dicts() -> Iterator[Any]:
    for module in MODULES:
        for _, found in inspect.getmembers(module, is_typeddict):
            yield found


def _schema(document: Any, title: str) -> str:
    head = {"$schema": GenerateJsonSchema.schema_dialect, "title": title}
    return (
        json.dumps(head | _on_one_line(_json_schema(document)), indent=1, ensure_ascii=False) + "\n"
    )


def _on_one_line(value: Any) -> Any:
    """With the line breaks of docstrings taken out of descriptions."""
    if isinstance(value, dict):
        return {
            key: " ".join(item.split())
            if key == "description" and isinstance(item, str)
            else _on_one_line(item)
            for key, item in value.items()
        }
    return [_on_one_line(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    for name, text in generated().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
