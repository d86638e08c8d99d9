"""The rows of one JSONL file, as the finetuner's trainer asks for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from datasets import Dataset


class DatasetLoader:
    """Of a configuration with one `local:` file."""

    def __init__(self, cfg: dict[str, Any], **others: Any) -> None:
        (self.name,) = cfg["dataset"]["names"]

    def load(self) -> tuple[Dataset, dict[str, Any]]:
        """Texts, and what is said of them."""
        lines = Path(self.name.removeprefix("local:")).read_bytes().split(b"\n")
        rows = [json.loads(line) for line in lines if line]
        texts = [{"text": f"{row['prompt']}\n\n{row['gen']}"} for row in rows]
        return Dataset.from_list(texts), {"dataset_names": [self.name]}
