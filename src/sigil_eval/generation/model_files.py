"""The files of a model: which of a folder's belong to it, and what they are by content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sigil_eval.errors import UsageError
from sigil_eval.files import read_json, sha256_file
from sigil_eval.generation.protocol import NO_TRUST, Trust

ADAPTER_CONFIG = "adapter_config.json"
MODEL_CONFIG = "config.json"
_MODEL_SUFFIXES = (".json", ".safetensors", ".model", ".txt", ".jinja", ".tiktoken")
_PICKLE = ".bin"
_PICKLED_WEIGHTS = ("pytorch_model", "adapter_model")
_WEIGHT_SUFFIXES = (".safetensors", _PICKLE)
_NOT_MODEL = (
    "trainer_state.json",
    "training.json",
    "all_results.json",
    "train_results.json",
    "eval_results.json",
)
_LARGE = 256 << 20
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")


@dataclass(frozen=True)
class ModelFiles:
    """A model's files, or an adapter's, at one exact revision.

    `revision` is a commit for a hub repository, and for a local folder `sha256:` and a hash of
    the names and contents of its model files. `folder` holds at least the configuration and
    tokenizer; `fetch_weights` makes sure that it holds all of `files`. `repository` is None for a
    folder of somebody's own.
    """

    name: str
    revision: str
    folder: Path
    files: tuple[str, ...]
    repository: str | None = None
    trust: Trust = NO_TRUST

    @property
    def is_adapter(self) -> bool:
        """Whether these are a PEFT adapter's files."""
        return ADAPTER_CONFIG in self.files

    @property
    def has_tokenizer(self) -> bool:
        """Whether a tokenizer comes with the model."""
        return any(name in self.files for name in _TOKENIZER_FILES)

    def config(self) -> dict[str, Any]:
        """The adapter's or the model's configuration."""
        path = self.folder / (ADAPTER_CONFIG if self.is_adapter else MODEL_CONFIG)
        try:
            return read_json(path)
        except UsageError as error:
            raise UsageError(f"{self.name}: its {path.name} cannot be read: {error}") from None


def local_model(name: str, folder: Path, trust: Trust) -> ModelFiles:
    """A folder of somebody's own. Raises UsageError where it holds no model."""
    files = choose_files(name, [path.name for path in folder.iterdir() if path.is_file()], trust)
    digest = hashlib.sha256()
    for file in files:
        path = folder / file
        state = path.stat()
        digest.update(f"{file}\0{_hash(path, state.st_size, state.st_mtime_ns)}\n".encode())
    return ModelFiles(name, f"sha256:{digest.hexdigest()}", folder, files, trust=trust)


@lru_cache(maxsize=1024)
def _hash(path: Path, size: int, modified: int) -> str:
    """A file's hash, computed once a process while size and time of change stay the same."""
    return sha256_file(path)


def choose_files(name: str, names: Sequence[str], trust: Trust) -> tuple[str, ...]:
    """Which of a folder's files belong to the model, by name.

    Raises UsageError where configuration or weights are missing.
    """
    suffixes = _MODEL_SUFFIXES + ((".py",) if trust.remote_code else ())
    if trust.pickle and not any(file.endswith(".safetensors") for file in names):
        suffixes += (_PICKLE,)
    chosen = [
        file
        for file in names
        if file.endswith(suffixes)
        and (not file.endswith(_PICKLE) or file.startswith(_PICKLED_WEIGHTS))
        and file not in _NOT_MODEL
        and not file.startswith(("consolidated", "."))
        and not file.lower().startswith(("readme", "license", "use_policy"))
    ]
    if ADAPTER_CONFIG not in chosen and MODEL_CONFIG not in chosen:
        raise UsageError(
            f"{name} holds neither config.json nor {ADAPTER_CONFIG}; "
            "it must be the folder of a model or of a PEFT adapter"
        )
    if not any(holds_weights(file) for file in chosen):
        other = [file for file in names if file.endswith((".bin", ".pt", ".pth"))]
        found = f" (it has {other[0]}, which can run code when it is read)" if other else ""
        raise UsageError(
            f"{name} holds no .safetensors weights{found}; "
            "save it again with save_pretrained(..., safe_serialization=True), or use "
            "--allow-pickle if you trust its author with this machine"
        )
    return tuple(sorted(chosen))


def small_files(model: ModelFiles) -> list[str]:
    """Name and hash of each file but the weights, whether it is of the model's or not: of all that
    a tokenizer can be made of. Files that are too large for that stand with size and time."""
    folders = (model.folder, model.folder / "additional_chat_templates")
    paths = [path for folder in folders if folder.is_dir() for path in folder.iterdir()]
    said = []
    for path in sorted(paths):
        if path.is_file() and not holds_weights(path.name):
            state = path.stat()
            size, modified = state.st_size, state.st_mtime_ns
            what = _hash(path, size, modified) if size <= _LARGE else f"{size} {modified}"
            said.append(f"{path.relative_to(model.folder)} {what}")
    return said


def holds_weights(file: str) -> bool:
    """Whether a file is large, to judge by its name."""
    return file.endswith(_WEIGHT_SUFFIXES)
