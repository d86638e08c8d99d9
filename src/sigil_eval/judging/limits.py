"""How long and how much one compile and one run may take, and every number that follows from it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from sigil_eval.settings import TIMEOUT

Phase = Literal["compile", "run"]
# The kernel enforces a limit of processor time by its ticks and accounts more finely: what was
# killed for it has used about as much.
ABOUT = 0.75


@dataclass(frozen=True)
class Limits:
    """Bounds of one compile and one run; seconds of processor time, and bytes.

    Processor time decides what is too slow. The wall clock gives more, so that a busy machine
    costs nobody a verdict, and ends what sleeps.
    """

    compile_seconds: float = TIMEOUT.default
    run_seconds: float = TIMEOUT.default
    compile_memory: int = 4 << 30
    run_memory: int = 2 << 30

    @property
    def compile_cpu(self) -> int:
        """Processor seconds of one compile, as the kernel takes them."""
        return math.ceil(self.compile_seconds)

    @property
    def run_cpu(self) -> int:
        """Processor seconds of one candidate, as the kernel takes them."""
        return math.ceil(self.run_seconds)

    @property
    def driver_cpu(self) -> int:
        """Processor seconds of any process that runs: more than the driver gives a candidate, so
        that it is the driver who sees the end."""
        return self.run_cpu + 2

    @property
    def compile_wall(self) -> float:
        """Seconds after which a compile is given up, whatever the processor did."""
        return 2 * self.compile_seconds + 2

    @property
    def run_wall(self) -> float:
        """Seconds after which a candidate's tests are given up, whatever the processor did."""
        return 2 * self.run_seconds + 2

    def silence(self, phase: Phase) -> float | None:
        """Seconds after which a command that says nothing is given up; None where it may be still.

        A driver speaks whenever a candidate is done.
        """
        return self.driver_wall + 10 if phase == "run" else None

    @property
    def driver_wall(self) -> int:
        """Seconds that the driver gives each candidate: `run_wall`, in whole seconds."""
        return math.ceil(self.run_wall)

    def show_wall(self, programs: int) -> int:
        """Seconds in which a compiler can be shown so many programs, one after the other."""
        return self.compile_cpu * programs + 10

    def tests_wall(self, candidates: int) -> int:
        """Seconds in which a driver can test so many candidates, one after the other."""
        return (self.driver_wall + 1) * candidates + 10
