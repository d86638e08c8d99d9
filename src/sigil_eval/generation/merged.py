"""A model's weights in one folder, for an engine that reads them from there in another process."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sigil_eval.errors import PreflightError, SigilEvalError
from sigil_eval.files import sha256_text
from sigil_eval.generation.hub import fetch_weights
from sigil_eval.generation.models import ResolvedModel
from sigil_eval.generation.pool import load_model
from sigil_eval.generation.protocol import EngineInfo
from sigil_eval.provisioned import cache_folder


@contextlib.contextmanager
def weights_folder(model: ResolvedModel, info: EngineInfo) -> Iterator[Path]:
    """The folder of a base's weights; of an adapter's merged into them, which is made once for all
    processes that want it at a time, on the device of `info`, and taken away after the last.

    Raises PreflightError for weights that cannot be had, used or written.
    """
    if model.adapter is None:
        yield fetch_weights(model.base).folder
        return
    name = sha256_text(f"{model.revisions.identity} {info.dtype}")
    folder = cache_folder() / "merged" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _lock(folder.with_suffix(".used")) as used:
        with _lock(folder.with_suffix(".made")) as made:
            fcntl.flock(made, fcntl.LOCK_EX)
            fcntl.flock(used, fcntl.LOCK_SH)
            if not folder.is_dir():
                _merge(model, info, folder)
        try:
            yield folder
        finally:
            # Another process still reads it, or somebody has taken it away.
            with contextlib.suppress(BlockingIOError, FileNotFoundError):
                fcntl.flock(used, fcntl.LOCK_EX | fcntl.LOCK_NB)
                _remove(folder)


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[int]:
    """A file to be locked, open; the lock ends with the context, or with the process."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _merge(model: ResolvedModel, info: EngineInfo, folder: Path) -> None:
    """Make a folder of merged weights; it is there once it is whole."""
    part = _part(folder)
    try:
        merged = load_model(model, replace(info, attention="sdpa"))
        merged.save_pretrained(part)
        part.rename(folder)
    except SigilEvalError:
        raise
    except Exception as error:
        shutil.rmtree(part, ignore_errors=True)
        raise PreflightError(
            f"merged weights cannot be written to {folder.parent}, which takes as much room as the "
            f"base's: {error}"
        ) from error
    if info.device.startswith("cuda"):
        import torch

        del merged
        torch.cuda.empty_cache()


def _remove(folder: Path) -> None:
    """Take a folder away, which is gone before it is half gone."""
    folder.rename(_part(folder))
    _part(folder)


def _part(folder: Path) -> Path:
    """Where a folder is not whole; what a killed process left there goes."""
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    return part
