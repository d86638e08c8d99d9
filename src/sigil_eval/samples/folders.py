"""A folder of samples: files of any format in it, or a program a file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from sigil_eval.errors import UsageError
from sigil_eval.files import LONGEST_LINE

_OF_SAMPLES = (".jsonl", ".json", ".jsonl.gz", ".json.gz", ".rs")
_OF_A_RUN = ("eval_metadata.json", "no-policy", "policy")
_DIGITS = re.compile("([0-9]+)")


def sample_files(folder: Path) -> list[Path]:
    """The files of a folder and of the folders in it, by name, numbers by their size.

    What has `results` in its name holds another tool's verdicts, and no samples. Raises UsageError
    for a folder without samples, and for one of a run, which has several models' in it.
    """
    if any((folder / name).exists() for name in _OF_A_RUN):
        raise UsageError(
            f"{folder}: the folder of a run; name one of its files, such as "
            f"{folder / 'samples' / 'base.jsonl'}"
        )
    found = sorted(_files(folder), key=_in_order)
    if not found:
        raise UsageError(f"{folder}: holds no samples ({', '.join(_OF_SAMPLES)})")
    return found


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, files in os.walk(folder, onerror=_cannot_be_read):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(where, name)
            if name.endswith(_OF_SAMPLES) and not name.startswith(".") and "results" not in name:
                yield path


def _cannot_be_read(error: OSError) -> None:
    raise UsageError(f"{error.filename}: cannot be read: {error.strerror}")


def _in_order(path: Path) -> list[tuple[int, str]]:
    """Numbers in a name count by their size: 2 before 10."""
    parts = _DIGITS.split(str(path))
    return [(int(part), "") if n % 2 else (0, part) for n, part in enumerate(parts)]


def program_in(path: Path) -> tuple[str, str]:
    """The problem's name and the text of a file of Rust: NAME.rs, or NAME/NUMBER.rs."""
    try:
        if not path.is_file():
            raise UsageError(f"{path}: no file")
        if path.stat().st_size > LONGEST_LINE:
            raise UsageError(f"{path}: more than {LONGEST_LINE >> 20} MiB")
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 text ({error.reason} at byte {error.start})") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from None
    return (path.parent.name if re.fullmatch("[0-9]+", path.stem) else path.stem), text
