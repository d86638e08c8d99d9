"""Every step, interrupted in every way: a clear message, then convergence, then nothing to do.

Usage: matrix.py [--steps A,B] [--faults A,B] [--moments 0.2,0.8]   as root; prints a Markdown table
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from lab import STATE, TREE, Lab, Undisturbed, log, run, states
from machine import Machine, packages, tree
from mirror import Fault

# What a step downloads that has a checksum, as the mirror sees it.
PAYLOAD = {
    "system_deps": r"\.deb$",
    "python": r"\.tar\.xz$",
    "venv": r"/files/(?!.*/uv-).*\.whl$",  # what uv installs, and not uv itself
    "rust": r"rustup-init$|/dist/.*\.tar\.xz$|/download$",
    "cli_tools": r"\.deb$",
    "models": r"safetensors$",
}

# The words by which a person learns the cause.
CAUSE = {
    "SIGINT": r"Interrupted\. The same command goes on",
    "disk full": r"No space left|disk of .* is full|Is its disk full|disk: ",
    "network gone": r"Out of reach now|no such answer|no answer|hub cannot be reached",
    "wrong checksum": r"(?i)checksum|hash|not the pinned file|sha256|verif|invalid zip",
    "truncated download": r"(?i)checksum|hash|truncat|mismatch|connection|closed|incomplete|"
    r"transfer|not the pinned|unexpected|partial|broken|cannot be reached",
    "apt lock held": r"(?i)could not get lock|unable to acquire the dpkg|lock-frontend|held by",
}

# Our own words say what to do; a client's word for it says more than its line with two checksums.
CLEAREST = (
    r"Interrupted|The disk of|Out of reach now|cannot write|not the pinned",
    r"(?i)mismatch",
)

# What a lenient run may lack, and says so.
WITHOUT = re.compile(
    r"(?<=deviation )(?!platform|pytorch|sigilderg)\S+: .*|.* could not be installed.*"
)

LOCK_HOLDER = """python3 -c '
import fcntl, time
file = open("/var/lib/dpkg/lock-frontend", "w")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(1000)'"""


@dataclass
class Cell:
    """One step under one fault, and what came of it."""

    step: str
    fault: str
    message: str = ""
    problem: str = ""

    @property
    def row(self) -> str:
        """The table's line."""
        verdict = "**" + self.problem + "**" if self.problem else "converges, then nothing to do"
        return f"| {self.step} | {self.fault} | {self.message.replace('|', '/')} | {verdict} |"


class Disturbance:
    """A fault as it is put upon a machine that does a step, and taken away again."""

    def __init__(self, lab: Lab, machine: Machine, plain: Undisturbed, share: float) -> None:
        self.lab, self.machine, self.plain, self.share = lab, machine, plain, share
        self.started = time.monotonic()

    def midway(self, process: subprocess.Popen[str]) -> bool:
        """Wait until that share of the step is done; False when it was quicker than that."""
        target = self.started + max(0.3, self.plain.seconds * self.share)
        while process.poll() is None and time.monotonic() < target:
            time.sleep(0.02)
        return process.poll() is None

    def finish(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        """Exit code and output."""
        output, _ = process.communicate(timeout=1800)
        return process.returncode, output

    def kill_9(self) -> tuple[int, str]:
        """Every process of the machine, as when the power goes."""
        process = self.machine.start(run(self.plain.step))
        self.midway(process)
        self.machine.kill_all()
        return self.finish(process)

    def sigint(self) -> tuple[int, str]:
        """Ctrl-C: the whole foreground group."""
        process = self.machine.start(run(self.plain.step))
        if self.midway(process):
            os.killpg(process.pid, signal.SIGINT)
        return self.finish(process)

    def disk_full(self) -> tuple[int, str]:
        """Once the step has begun, room is left for half of what it writes."""
        room = int(self.plain.megabytes * 0.5) if self.plain.megabytes > 8 else 0
        process = self.machine.start(run(self.plain.step))
        begun = self.machine.upper / STATE.lstrip("/") / "logs" / f"{self.plain.step}.log"
        while process.poll() is None and not begun.exists():
            time.sleep(0.002)
        self.machine.fill_disk(room)
        answer = self.finish(process)
        self.machine.free_disk()
        return answer

    def network_gone(self) -> tuple[int, str]:
        """The mirror stops answering after most of the requests that the step makes."""
        first = len(self.lab.mirror.requests)
        process = self.machine.start(run(self.plain.step))
        if self.plain.step in PAYLOAD:
            while (
                process.poll() is None
                and len(self.lab.mirror.requests) - first < self.plain.requests * 0.6
            ):
                time.sleep(0.002)
        self.lab.mirror.down()
        answer = self.finish(process)
        self.lab.mirror.up()
        return answer

    def _spoilt(self, kind: str) -> tuple[int, str]:
        self.lab.mirror.faults = [Fault(kind, PAYLOAD.get(self.plain.step, "^nothing"))]
        answer = self.machine.sh(run(self.plain.step))
        self.lab.mirror.faults = []
        return answer

    def wrong_checksum(self) -> tuple[int, str]:
        """Everything that has a checksum arrives with one byte changed."""
        return self._spoilt("corrupt")

    def truncated_download(self) -> tuple[int, str]:
        """Everything that has a checksum breaks off half way."""
        return self._spoilt("truncate")

    def apt_lock_held(self) -> tuple[int, str]:
        """Another program holds dpkg's lock for longer than we wait."""
        holder = self.machine.start(LOCK_HOLDER, user="root")
        assert holder.stdout and holder.stdout.readline() == "held\n"
        answer = self.machine.sh(run(self.plain.step))
        os.killpg(holder.pid, signal.SIGKILL)
        holder.communicate()
        return answer


FAULTS: dict[str, Callable[[Disturbance], tuple[int, str]]] = {
    "kill -9": Disturbance.kill_9,
    "SIGINT": Disturbance.sigint,
    "disk full": Disturbance.disk_full,
    "network gone": Disturbance.network_gone,
    "wrong checksum": Disturbance.wrong_checksum,
    "truncated download": Disturbance.truncated_download,
    "apt lock held": Disturbance.apt_lock_held,
}


def difference(found: dict[str, str], expected: dict[str, str]) -> str:
    """The first few paths in which two trees differ."""
    paths = sorted(
        path for path in found.keys() | expected.keys() if found.get(path) != expected.get(path)
    )
    return "; ".join(f"{p}: {found.get(p)} for {expected.get(p)}" for p in paths[:4])


def message_of(output: str, fault: str) -> str:
    """The line that tells the cause, or the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    cause = CAUSE.get(fault)
    told = [line for line in lines if cause and re.search(cause, line)]
    for words in CLEAREST:
        told = [line for line in told if re.search(words, line)] or told
    return (told or lines[-1:] or [""])[0][:160]


KILLS = ("kill -9", "SIGINT")


def try_cell(
    lab: Lab, before: list[Undisturbed], plain: Undisturbed, fault: str, moments: list[float]
) -> Cell:
    """Break a step, set the cause right, and run it twice more.

    A kill comes at each of the moments, which are shares of the step's duration; when the step was
    quicker than that, it comes earlier.
    """
    for moment in moments if fault in KILLS else [0.5]:
        for share in (moment, moment / 2, moment / 5):
            cell = try_once(lab, before, plain, fault, share)
            if cell.problem or fault not in KILLS or "not touched" not in cell.message:
                break
        if cell.problem:
            cell.problem += f" (at {share:.0%})"
            break
    return cell


def try_once(
    lab: Lab, before: list[Undisturbed], plain: Undisturbed, fault: str, share: float
) -> Cell:
    """Break a step once."""
    cell = Cell(plain.step, fault)
    layers = [one.layer for one in before]
    with lab.machine(layers, full_disk=fault == "disk full") as machine:
        code, output = FAULTS[fault](Disturbance(lab, machine, plain, share))
        say_what_happened(cell, machine, plain, code, output)
        cell.problem = problem_afterwards(machine, plain) or cell.problem
    lab.discard(machine)
    return cell


def say_what_happened(
    cell: Cell, machine: Machine, plain: Undisturbed, code: int, output: str
) -> None:
    """The message of the broken step, and whether it says what it should."""
    last = (states(machine) or ["none"])[-1].partition("\t")[2]
    if code == 0 and tree(machine, *TREE) == plain.tree:
        cell.message = f"not touched by it: {last}"
    elif code == 0:
        words = WITHOUT.search(output + log(machine, plain.step))
        cell.message = "goes on without: " + (words[0] if words else "")[:140]
        if not words:
            cell.problem = "does not say what it goes on without"
    elif cell.fault == "kill -9":
        cell.message = "(killed)"
    else:
        cell.message = message_of(output, cell.fault)
        if not re.search(CAUSE[cell.fault], output):
            cell.problem = "unclear message"
            print(output)


def problem_afterwards(machine: Machine, plain: Undisturbed) -> str:
    """Run the step twice: what is not as undisturbed after the first, and what the second does."""
    again, output = machine.sh(run(plain.step))
    found, installed = tree(machine, *TREE), packages(machine)
    if again:
        print(output, log(machine, plain.step, 60))
        return f"the re-run ends with {again}"
    if found != plain.tree:
        return f"another tree: {difference(found, plain.tree)}"
    if installed != plain.packages:
        return f"other packages: {set(installed) ^ set(plain.packages)}"
    code, output = machine.sh(run(plain.step))
    if code or states(machine)[-1] != f"{plain.step}\tskipped":
        print(output, log(machine, plain.step, 60))
        return f"the third run ends with {code}: {states(machine)[-1]}"
    if (found := tree(machine, *TREE)) != plain.tree:
        return f"the third run changes: {difference(found, plain.tree)}"
    return ""


def main() -> int:
    """Print the table; 1 when a cell is not as it should be."""
    # A shell that starts us in the background hands on that interrupts are ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that machines are cleared away
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", default="", help="only these, comma separated")
    parser.add_argument("--faults", default="", help="only these, comma separated")
    parser.add_argument("--moments", default="0.5", help="when to kill, e.g. 0.2,0.5,0.8")
    options = parser.parse_args()
    lab = Lab()
    steps = options.steps.split(",") if options.steps else lab.steps()
    if unknown := set(steps) - set(lab.steps()):
        parser.error(f"no such step: {', '.join(sorted(unknown))}; {', '.join(lab.steps())}")
    plain = lab.undisturbed(max(steps, key=lab.steps().index))
    faults = options.faults.split(",") if options.faults else list(FAULTS)
    moments = [float(moment) for moment in options.moments.split(",")]
    cells: list[Cell] = []
    print("\n| step | fault | message | then |\n| --- | --- | --- | --- |", flush=True)
    for number, one in enumerate(plain):
        for fault in faults if one.step in steps else []:
            started = time.monotonic()
            try:
                cell = try_cell(lab, plain[:number], one, fault, moments)
            finally:
                lab.mirror.faults = []
                if not lab.mirror.is_up:
                    lab.mirror.up()
            cells.append(cell)
            print(cell.row, flush=True)
            print(f"{time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    wrong = [cell for cell in cells if cell.problem]
    print(
        f"\n{len(cells)} cells, {len(wrong)} not as they should be; {STATE} and {TREE[1:]} compared"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
