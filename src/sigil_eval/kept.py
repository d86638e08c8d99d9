"""What can be made again, kept from run to run: what was compiled of the judge's own sources and of
problems, what was proved, how models are prompted.

Never anything of an answer's: no sandbox sees the folder, and only what its own user has written
there counts. A file that is damaged, or made otherwise, is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from pathlib import Path

from sigil_eval.files import write_chunks_atomic
from sigil_eval.provisioned import cache_folder
from sigil_eval.settings import SandboxMode

SIZE_LIMIT = 256 << 20
_DIGEST = hashlib.sha256().digest_size


class Kept:
    """Files by a key, the hash of all that they were made from. At most `limit` bytes of them.

    Where there is no `folder`, or none that is this user's alone, nothing is kept.
    """

    def __init__(self, folder: Path | None, limit: int = SIZE_LIMIT) -> None:
        self._folder = folder if folder is not None and _is_ours_alone(folder) else None
        self._limit = limit

    def find(self, key: str) -> bytes | None:
        """The file of this key as it was kept, or None."""
        if self._folder is None:
            return None
        path = self._folder / key
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
                    return None
                digest, data = file.read(_DIGEST), file.read()
            if digest == _digest(key, data):
                os.utime(path)  # those that were not used for long are the first to go
                return data
        return None

    def keep(self, key: str, data: bytes) -> None:
        """Keep a file; where that is impossible, it is made again another time."""
        if self._folder is None or len(data) > self._limit:
            return
        with contextlib.suppress(OSError):
            self._make_room(len(data))
            write_chunks_atomic(self._folder / key, [_digest(key, data), data])

    def _make_room(self, size: int) -> None:
        """Remove what was not used for longest, until `size` bytes more are within the limit."""
        assert self._folder is not None
        files = [(entry, entry.stat(follow_symlinks=False)) for entry in os.scandir(self._folder)]
        size += sum(found.st_size for _, found in files)
        for entry, found in sorted(files, key=lambda file: file[1].st_mtime_ns):
            if size <= self._limit:
                break
            with contextlib.suppress(OSError):
                Path(entry).unlink()
                size -= found.st_size


def kept_folder(name: str, sandbox_mode: SandboxMode = "firejail") -> Path | None:
    """Where what is called so is kept: nowhere, where the verdict on an answer depends on it and
    answers could write to it."""
    with contextlib.suppress(RuntimeError):
        return cache_folder() / name if sandbox_mode != "none" else None
    return None


def _digest(key: str, data: bytes) -> bytes:
    return hashlib.sha256(key.encode() + data).digest()


def _is_ours_alone(folder: Path) -> bool:
    """Whether the folder is there, or can be made, and nobody else may write to it."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    return (
        stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
    )
