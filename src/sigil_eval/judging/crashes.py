"""What the end of a compiler says: of a program, or of the machinery around it."""

from __future__ import annotations

import errno
import os
import re
import signal
from collections.abc import Sequence

from sigil_eval.judging.diagnostics import Diagnostic
from sigil_eval.judging.limits import ABOUT
from sigil_eval.judging.process import Finished
from sigil_eval.judging.workplace import NO_ROOM

# What a compiler does to itself: a panic of its own, a fault, an abort, more than it may write.
_PANICKED = 101
_OWN_SIGNALS = ("SIGSEGV", "SIGABRT", "SIGILL", "SIGBUS", "SIGFPE", "SIGTRAP", "SIGXFSZ")
OWN_STATUSES = {_PANICKED} | {128 + signal.Signals[name] for name in _OWN_SIGNALS}
# What the kernel sends whoever used up the processor time.
_OUT_OF_TIME = {128 + signal.SIGKILL, 128 + signal.SIGXCPU}
# A linker that somebody ended: rustc has an error of that, as if a program could help it.
_LINKER_ENDED = re.compile(
    r"terminated with signal (?:1|2|9|15) |signal: (?:1|2|9|15) \(SIG|^could not exec the linker"
)
_MACHINE_LACKS = tuple(os.strerror(number) for number in (errno.EAGAIN, errno.ENOSPC, errno.EDQUOT))
# Of what the linker's own front end says, at the end. Where a file grows on a full disk, ld meets a
# bus error, and lld's library says what it says.
_LD_ENDED = re.compile(
    r"(?:^|\n)[ ]*collect2: fatal error: ld terminated with signal (?:1|2|9|15) \[[^\n]*"
    r"\n[ ]*compilation terminated\.[ \n]*\Z"
)
_NO_ROOM = re.compile(
    rf": ({'|'.join(os.strerror(number) for number in NO_ROOM)})"
    r"(?: \(os error [0-9]+\)|[ ]*\n[ ]*collect2: error: ld returned 1 exit status[ \n]*)\Z"
    r"|(?:^|\n)[ ]*collect2: fatal error: (ld terminated with signal 7 \[Bus error\])[^\n]*"
    r"\n[ ]*compilation terminated\.[ \n]*\Z"
    r"|(?:^|\n)LLVM ERROR: (IO failure on output stream)[^\n]*"
    r"\n[ ]*collect2: error: ld returned 1 exit status[ \n]*\Z"
)
_NO_MEMORY = re.compile(r"memory allocation of [0-9]+ bytes failed|.*LLVM ERROR: out of memory")
_FRAME = re.compile(r"^(?:/|###|\s*\d+: |\s+at |note: (?:rustc|compiler flags|please|we would))")
_WORD_OF_CRASH = re.compile(r"error|panicked|failed|fatal|LLVM|overflow", re.IGNORECASE)


def crashed_by_itself(finished: Finished) -> bool:
    """Whether it was the compiler that ended itself, and no one from outside."""
    return finished.flooded or finished.status in OWN_STATUSES


def ran_out_of_time(finished: Finished, seconds: float) -> bool:
    """Whether it was killed for having used so many seconds of processor time."""
    return finished.status in _OUT_OF_TIME and finished.cpu_seconds >= ABOUT * seconds


def ran_out_of_memory(finished: Finished, said: str) -> bool:
    """Whether the compiler ended itself because it was given no more memory."""
    return finished.status in OWN_STATUSES and any(map(_NO_MEMORY.match, own_lines(said)))


def machine_lacked(said: str) -> bool:
    """Whether the compiler says, itself and not quoting a program, what the machine could not give.

    No process or no room on the disk.
    """
    return any(word in line for word in _MACHINE_LACKS for line in own_lines(said))


def linker_was_ended(message: str, notes: Sequence[str] = ()) -> bool:
    """Whether an error of rustc's tells of a linker that somebody ended, or that did not start."""
    return message.startswith(("linking with", "could not exec")) and (
        _LINKER_ENDED.search(message) is not None or any(map(_LD_ENDED.search, notes))
    )


def no_room_for(error: Diagnostic) -> str:
    """What keeps rustc or its linker from writing their files; nothing where it is the program.

    Neither quotes a program where these words stand: at the end of an error that points nowhere.
    """
    if error.file is not None or error.code is not None:
        return ""
    texts = error.notes if error.message.startswith("linking with") else [error.message]
    found = next(filter(None, map(_NO_ROOM.search, texts)), None)
    return next(filter(None, found.groups())) if found else ""


def said_no_room(said: str) -> str:
    """The same of what the compiler says besides its diagnostics, as LLVM does."""
    words = [os.strerror(number) for number in NO_ROOM]
    return next((w for line in own_lines(said) for w in words if line.endswith(f": {w}")), "")


def own_lines(said: str) -> list[str]:
    """What a compiler wrote besides its diagnostics."""
    return [line for line in said.split("\n") if line and not line.startswith("{")]


def last_words(said: str) -> str:
    """What a compiler that crashed said of it, without what differs from crash to crash."""
    lines = [line for line in own_lines(said) if not _FRAME.match(line)]
    telling = [
        line
        for before, line in zip(["", *lines], lines, strict=False)
        if _WORD_OF_CRASH.search(line) or "panicked at" in before
    ]
    text = "\n".join(telling)
    # Numbers of processes and threads, addresses.
    return re.sub(r" \(\d+\)", "", re.sub(r"\b0x[0-9a-f]+", "0x…", text))
