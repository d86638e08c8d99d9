"""Where programs are compiled and run: a folder for each harness, on a disk that lets them run,
and in it one for each job."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sigil_eval.errors import PreflightError
from sigil_eval.files import is_abandoned, lock
from sigil_eval.judging.errors import NoRoomError
from sigil_eval.judging.process import Identity

# Characters that Firejail refuses in the name of a file.
REFUSED_CHARACTERS = re.compile(r"""[\x00-\x1f\x7f\\&!?"'<>%^{};,*\[\]]""")
# What it means that a file cannot be written to a disk.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_NAME = re.compile(r"sigil-eval-(\d+)-")
# Where Firejail shows folders of its own, or lets nothing be run.
_NO_PROGRAMS = ("/dev", "/etc", "/proc", "/sys", "/var")


@dataclass(frozen=True)
class Workplace:
    """The folders of one judge. `owner` is the user programs are run as; None for ourselves."""

    root: Path
    owner: Identity | None

    @property
    def shared(self) -> Path:
        """What every job may read, and none may write to."""
        return shared_folder(self.root)

    @contextmanager
    def job(self, kind: str) -> Iterator[Path]:
        """A new folder that programs may write to; gone when the job is done."""
        with self.room():
            folder = Path(tempfile.mkdtemp(prefix=f"{kind}-", dir=self.root))
        try:
            self.give(folder)
            with self.room():
                yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def room(self) -> Iterator[None]:
        """Raises NoRoomError where something cannot be written here."""
        try:
            yield
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            raise self.no_room(os.strerror(error.errno)) from error

    def no_room(self, reason: str) -> NoRoomError:
        """What to say where this place takes nothing more."""
        return NoRoomError(
            f"programs cannot be compiled in {self.root.parent}: {reason}. Make room there, or set "
            "TMPDIR to another folder, and give the command again: what has been judged is kept"
        )

    def give(self, folder: Path) -> None:
        """Make `folder` the user's who runs programs."""
        if self.owner is not None:
            os.chown(folder, self.owner.uid, self.owner.gid)


def shared_folder(root: Path) -> Path:
    """The folder in a workplace that every job may read."""
    return root / "shared"


def write_source(path: Path, text: str) -> None:
    """Write Rust source; what has no UTF-8 becomes `?`."""
    path.write_bytes(text.encode("utf-8", "replace"))


@dataclass(frozen=True)
class Claimed:
    """A folder of this process, with a lock that ends with the process."""

    folder: Path
    _lock: int

    def remove(self) -> None:
        """Take it away with all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        os.close(self._lock)


def new_workplace() -> Claimed:
    """A folder of this process, which others may enter and not list, with a shared one in it.

    From here on, what this process makes can be read by others, whatever the umask was: verdicts
    must not depend on it, and programs run as another user than root.

    Raises PreflightError when no place can be written to and lets programs run.
    """
    os.umask(0o022)
    _remove_stale()
    for place in _places():
        if _is_fit(place):
            claimed = _claim(place)
            claimed.folder.chmod(0o711)
            shared_folder(claimed.folder).mkdir()
            return claimed
    tried = ", ".join(map(str, _places()))
    raise PreflightError(
        f"programs cannot be run in any of {tried}: each is mounted noexec, closed to those who "
        "must read and write there, or has a name that Firejail refuses. "
        "Set TMPDIR to a folder where they can"
    )


def _claim(place: Path) -> Claimed:
    """A new folder, which gets the name by which others look for it when its lock is held."""
    made = Path(tempfile.mkdtemp(prefix=".sigil-eval-", dir=place))
    descriptor = os.open(made, os.O_RDONLY | os.O_CLOEXEC)
    lock(descriptor)
    folder = place / f"sigil-eval-{os.getpid()}-{made.name.rpartition('-')[2]}"
    made.rename(folder)
    return Claimed(folder, descriptor)


def _places() -> list[Path]:
    """The folder for temporary files; where hardened machines mount that noexec, the next best.

    Programs run as another user than root, who cannot enter root's home.
    """
    next_best = Path.home() if os.geteuid() else Path("/opt")
    places = [Path(tempfile.gettempdir()), Path("/tmp"), next_best]  # noqa: S108
    return [
        place for place in dict.fromkeys(map(Path.resolve, places)) if not never_executable(place)
    ]


def _is_fit(place: Path) -> bool:
    """Whether this process can write there, and whoever programs are run as can run them."""
    if REFUSED_CHARACTERS.search(str(place)) or not os.access(place, os.W_OK | os.X_OK):
        return False
    above = (place, *place.parents)
    closed = os.geteuid() == 0 and not all(path.stat().st_mode & 0o001 for path in above)
    return not closed and not os.statvfs(place).f_flag & os.ST_NOEXEC


def never_executable(path: Path) -> bool:
    """Whether Firejail mounts a path so that no program there can be run."""
    return any(path.is_relative_to(place) for place in _NO_PROGRAMS)


def _remove_stale() -> None:
    """Remove the folders of harnesses that were killed, and end what still runs there."""
    for place in _places():
        for folder in place.glob("sigil-eval-*-*"):
            match = _NAME.match(folder.name)
            gone = match and is_abandoned(folder, int(match.group(1)))
            if gone and os.access(folder, os.W_OK):
                for process in _processes_of(folder):
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.kill(process, signal.SIGKILL)
                shutil.rmtree(folder, ignore_errors=True)


def _processes_of(folder: Path) -> Iterator[int]:
    """The processes that were started to do something in `folder`."""
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{folder}/".encode() in (entry / "cmdline").read_bytes():
                yield int(entry.name)
