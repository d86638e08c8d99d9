"""A job on a machine, watched: what is said there, and what has to be."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from dataclasses import dataclass

from lab import STATE
from machine import Machine

PATIENCE = 1200  # seconds


@dataclass(frozen=True)
class Job:
    """What is done: its command, what that says it does, where results go, what is evaluated."""

    command: str
    does: str
    results: str
    checkpoint: str


class Rehearsal:
    """A machine on which a job is done, and what is expected of it."""

    def __init__(self, machine: Machine, job: Job) -> None:
        self.machine = machine
        self.job = job
        self.began = time.monotonic()
        self.terminals = 0

    def expect(self, script: str, words: str, code: int = 0) -> str:
        """Run a script; it has to end with that code and say these words."""
        found, output = self.machine.sh(script)
        self.check(script, output, words, found == code, f"exit code {found}")
        return output

    def check(self, what: str, output: str, words: str, right: bool = True, why: str = "") -> None:
        """Say that something was as it should be, or stop and show all that was said."""
        what = what.removeprefix("cd ~/package && ").splitlines()[-1][:90]
        if not right or not re.search(words, output):
            logs = self.machine.sh(
                f"tail -n 40 {STATE}/logs/session.log {self.job.results}/run.log; true"
            )
            raise RehearsalError(
                f"{what}: {why}, looked for /{words}/ in\n{output[-6000:]}\n{logs[1]}"
            )
        print(f"{time.monotonic() - self.began:5.0f} s  ok: {what}", flush=True)

    def terminal(self, script: str) -> Terminal:
        """A script in a terminal of its own."""
        self.terminals += 1
        name = f"terminal-{self.terminals}"
        in_terminal = "import pty, sys; pty.spawn(['bash', '-c', sys.argv[1]])"
        script = f"stty rows 40 columns 160; {script}"
        words = shlex.join(["exec", "python3", "-c", in_terminal, script, name])
        return Terminal(self.machine, name, self.machine.start(words))

    def until(self, what: str, script: str, words: str) -> str:
        """Wait until a script says these words."""
        started = time.monotonic()
        while not re.search(words, output := self.machine.sh(script)[1]):
            if time.monotonic() - started > PATIENCE:
                break
            time.sleep(0.2)
        self.check(f"until {what}", output, words)
        return output

    def log_says(self, what: str, words: str, *, start: int) -> None:
        """Wait until the driver says these words after so many starts; its log is read from
        outside, so as not to miss a moment."""
        log = self.machine.upper / self.job.results.lstrip("/") / "run.log"
        started = time.monotonic()
        while True:
            text = log.read_text(errors="replace") if log.exists() else ""
            starts = re.split("(?m)^== ", text)[1:]
            if len(starts) == start and re.search(words, starts[-1]):
                break
            ended = (self.machine.upper / STATE.lstrip("/") / "run.status").exists()
            if ended or time.monotonic() - started > PATIENCE:
                self.check(what, text[-3000:], words, not ended, "it has ended already")
            time.sleep(0.05)
        self.check(f"until {what}", words, ".")

    def metadata(self) -> dict:
        """What the run says of itself."""
        file = self.machine.upper / self.job.results.lstrip("/") / "eval_metadata.json"
        found: dict = json.loads(file.read_text())
        return found


class RehearsalError(Exception):
    """Something was not as it should be."""


@dataclass
class Terminal:
    """A terminal with a shell in it."""

    machine: Machine
    name: str
    process: subprocess.Popen[str]

    def lose(self) -> str:
        """Cut the connection: whatever runs in it is hung up on. Gives what was to be seen."""
        self.machine.sh(f"kill -9 $(pgrep -f ' {self.name}$')", check=True)
        return self.process.communicate(timeout=60)[0]
