"""training.json, made and written."""

from __future__ import annotations

import contextlib
import json
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sigil_eval import __version__
from sigil_eval.documents.dataset_check import DatasetCheck
from sigil_eval.documents.training import (
    TRAINING_FILE,
    TRAINING_VERSION,
    Training,
    TrainingCheck,
    TrainingData,
)
from sigil_eval.files import sha256_file, sha256_text, write_atomic
from sigil_eval.record.training_data import CHECK_FILE
from sigil_eval.training.configuration import Configuration
from sigil_eval.training.needs import LIBRARIES
from sigil_eval.training.prepared import Prepared

ADAPTER_WEIGHTS = "adapter_model.safetensors"


def new_training(told: Configuration, configuration_sha256: str, prepared: Prepared) -> Training:
    """The record of a training that has not begun."""
    base, start = prepared.model.base, prepared.model.adapter
    info = prepared.hardware
    return {
        "schema_version": TRAINING_VERSION,
        "updated_at": _now(),
        "package": __version__,
        "configuration_sha256": configuration_sha256,
        "configuration": asdict(told),
        "base": {
            "name": told.model_name,
            "revision": base.revision,
            "parameters": prepared.parameters,
            "quantization": told.bnb_4bit.quant_type if told.bnb_4bit else "none",
        },
        "start": None if start is None else {"name": start.name, "revision": start.revision},
        "data": _data(prepared),
        "dataset_check": _check(prepared.check),
        "prompt": {
            "mode": "chat" if prepared.prompt_mode == "chat" else "completion",
            "template_sha256": prepared.template_sha256,
            "tokenizer_sha256": prepared.tokenizer_sha256,
        },
        "hardware": {
            "device": info.device,
            "gpu": prepared.gpu,
            "dtype": info.dtype,
            "attention": info.attention,
        },
        "versions": _versions(),
        "steps": 0,
        "of_steps": told.train.num_steps,
        "seconds": 0.0,
        "loss_curve": [],
        "held_out_curve": [],
        "adapter_sha256": None,
    }


def _data(prepared: Prepared) -> TrainingData:
    batches = prepared.data.with_format("numpy").iter(1000)
    learned = [row for batch in batches for row in batch["completion_mask"]]
    return {
        "sources": [
            {
                "name": source.name,
                "revision": source.revision,
                "rows": tokens.rows + held_out.rows,
                "used": len(tokens.tasks),
                "held_out": len(held_out.tasks),
                "left_out": dict(sorted((tokens.left_out + held_out.left_out).items())),
            }
            for source, tokens, held_out in zip(
                prepared.sources, prepared.tokens, prepared.held_out, strict=True
            )
        ],
        "rows": len(learned),
        "tokens": sum(map(len, learned)),
        "learned_tokens": sum(int(row.sum()) for row in learned),
    }


def _check(found: DatasetCheck | None) -> TrainingCheck | None:
    if found is None:
        return None
    return {
        "sha256": sha256_text(_as_json(found)),
        "contaminated_rows": found["contaminated_rows"],
        "tasks": [task["task_id"] for task in found["tasks"]],
    }


def write_check(folder: Path, found: DatasetCheck | None) -> None:
    """Put what was found where an evaluation of the checkpoints looks for it."""
    if found is not None:
        write_atomic(folder / CHECK_FILE, _as_json(found))


def _as_json(document: object) -> str:
    return json.dumps(document, indent=1) + "\n"


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in (*LIBRARIES, "bitsandbytes"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def write_training(folder: Path, training: Training) -> None:
    """Put it into a folder, with the hash of the adapter that lies there, if any."""
    weights = folder / ADAPTER_WEIGHTS
    document: Training = {
        **training,
        "updated_at": _now(),
        "adapter_sha256": sha256_file(weights) if weights.exists() else None,
    }
    write_atomic(folder / TRAINING_FILE, _as_json(document))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
