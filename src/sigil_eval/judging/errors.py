"""What can go wrong while judging that is not, by itself, a verdict."""

from sigil_eval.errors import PreflightError


class CompileTimeoutError(Exception):
    """rustc did not finish within its limit of time or of memory; says which."""


class CompilerCrashError(Exception):
    """rustc ended without saying what is wrong with the program."""


class SandboxFailureError(Exception):
    """The sandbox did not run what it was given."""


class NoRoomError(SandboxFailureError, PreflightError):
    """There is no room where programs are compiled: what cannot wait for some ends with that."""


class WallClockError(Exception):
    """The wall clock ran out before the processor time did: perhaps the machine was busy."""


# All that compiling may raise: it has said nothing of any program.
COMPILING_FAILED = (CompilerCrashError, CompileTimeoutError, SandboxFailureError, WallClockError)
