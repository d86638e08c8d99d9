"""The job on its target, from a bare machine to the end, with all that a user does meanwhile.

Usage: rehearsal.py [--short]     as root
       rehearsal.py --mutations [NAME]...

The command is `bash eval_setup.sh`, strict, with nothing skipped. --short takes a Python that is
here instead of building one.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from lab import PYTHON_VERSION, STATE, Lab
from machine import HOME, Machine
from target import (
    ADAPTER,
    TOKEN,
    TOKEN_FILE,
    UNWANTED,
    python_layer,
    serve_models,
    target,
    target_settings,
)

COMMAND = "cd ~/package && bash eval_setup.sh"
RESULTS = f"{HOME}/package/humaneval_results"
REPORTS = (
    "combined_summary.md",
    "report.html",
    "eval_metadata.json",
    "run.log",
    "no-policy/metrics.json",
    "no-policy/comparison_report.md",
    "policy/metrics.json",
    "policy/comparison_report.md",
)
PATIENCE = 1200  # seconds


class Rehearsal:
    """A machine on which the job is done, and what is expected of it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
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
            logs = self.machine.sh(f"tail -n 40 {STATE}/logs/session.log {RESULTS}/run.log; true")
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
        log = self.machine.upper / RESULTS.lstrip("/") / "run.log"
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
        file = self.machine.upper / RESULTS.lstrip("/") / "eval_metadata.json"
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


def edit(file: str, change: str) -> str:
    """A script that changes a file by sed, or fails."""
    return (
        f"cp {file} /tmp/before; sed -Ei {shlex.quote(change)} {file}; ! cmp -s {file} /tmp/before"
    )


def provision(r: Rehearsal) -> None:
    """The first start, while it sets the machine up: looked at, started again, and hung up on."""
    r.expect(f"{COMMAND} status", "not started")
    r.expect(f"{COMMAND} doctor", "This machine is fit")
    first = r.terminal(COMMAND)
    r.until("it is at the environment", f"{COMMAND} status", r"(?s)running.*venv")
    r.expect(COMMAND, "running already", code=3)
    second = r.terminal(f"{COMMAND} attach")
    r.until("a second terminal is attached", clients(), r"(?s)client.*client")
    seen = first.lose()
    r.check("the first terminal has shown the steps", seen, r"(?s)system_deps.*venv")
    r.until("one has gone", clients(), r"\Aclient\n\Z")
    r.expect(f"{COMMAND} status", "running since")
    r.check("the second one shows the step, too", second.lose(), "venv")
    r.expect(f"{COMMAND} status", "running since")


def clients() -> str:
    """A script that says `client` for each terminal that shows the session."""
    return "tmux -L sigilderg list-clients -F client; true"


def evaluate(r: Rehearsal) -> None:
    """The evaluation: hung up on and killed while it generates, killed while it scores.

    A terminal that only looks on is cut off, and so is the one that has started it.
    """
    r.log_says("the base answers", r"generating base: \d", start=1)
    r.expect(COMMAND, "running already", code=3)
    onlooker = r.terminal(f"{COMMAND} attach")
    r.until("a terminal is attached", clients(), "client")
    onlooker.lose()
    r.expect(f"{COMMAND} status", r"(?s)running since.*the evaluation")
    r.machine.kill_all()
    r.expect(f"ls -A {RESULTS}/samples", r"base(?s:(?!^finetuned\.jsonl).)*\Z")
    r.expect(f"{COMMAND} status", "died|restarted")
    again = r.terminal(COMMAND)
    r.log_says("it generates again", r"generating (base|finetuned): \d", start=2)
    again.lose()
    r.expect(f"{COMMAND} status", "running since")
    r.log_says("it scores", r"scoring: \d", start=2)
    r.machine.sh("kill -9 $(pgrep -f [s]cripts/evaluate_humaneval.py)", check=True)
    r.until("its end is told", f"{COMMAND} status", "finished .* with exit code 137")


def finish(r: Rehearsal) -> str:
    """The same command goes on to the end; gives what it said."""
    output = r.expect(COMMAND, r"Done\.")
    r.check("every step was done already", output, "skipped: ", "done in" not in output)
    r.expect(f"{COMMAND} status", "finished .* with exit code 0")
    for report in REPORTS:
        r.expect(f"test -s {RESULTS}/{report} && echo there", "there")
    metadata = r.metadata()
    deviations = {row["id"] for row in metadata["deviations"]}
    r.check("no deviation", str(deviations), ".", not deviations)
    r.check("it ran on the GPU", json.dumps(metadata["gpus"]), "H100 80GB HBM3")
    models = json.dumps(metadata["models"])
    r.check("with flash attention", models, "flash_attention_2")
    r.check("and the checkpoint", models, re.escape(f"{ADAPTER}/checkpoint-9000"))
    r.check("in half precision", models, "bfloat16")
    return output


def afterwards(r: Rehearsal, said: str) -> None:
    """What the end of the run tells the user to do; and nothing is left to do."""
    before = r.metadata()["files"]
    r.expect(COMMAND, r"Done\.")
    r.check("a re-run changes nothing", "", "", r.metadata()["files"] == before)
    told = re.search(r"^ +(\S*sigil-eval) reproduce (\S+)", said, re.MULTILINE)
    if told is None:
        raise RehearsalError(f"the end does not say what to do next:\n{said[-2000:]}")
    login = "cd ~/package && exec bash -lc "
    r.expect(login + shlex.quote(f"{told[1]} reproduce {told[2]}"), "100 of 100 results")
    samples = f"{RESULTS}/samples/base.jsonl"
    r.expect(f"ls {RESULTS}/samples; test -s {samples}", "base")
    r.expect(login + shlex.quote(f"{told[1]} score {samples} --k-values 1"), r"pass@1")
    crates = rf"crates +\S.*{re.escape(STATE)}/rust/crates"
    r.expect(login + shlex.quote(f"{told[1]} env"), rf"(?s)rustc +1.95.0.*{crates}.*H100")


def nothing_leaks(r: Rehearsal, lab: Lab) -> None:
    """The token is in its file and nowhere else; nothing large was fetched that nobody reads."""
    search = f"grep -rlF {TOKEN} /home /tmp /var /etc /usr/local 2>/dev/null; true"
    r.check(
        "the token is nowhere else", r.machine.sh(search, user="root")[1], rf"\A{TOKEN_FILE}\n\Z"
    )
    unwanted = [f"{name}/resolve/[^/]*/{file}" for name in UNWANTED for file in UNWANTED[name]]
    asked = [p for p in lab.mirror.requests if re.search("|".join(unwanted), p)]
    r.check("nothing unwanted was fetched", str(asked), r"\A\[\]\Z")


def rehearse(short: bool) -> None:
    """Everything, on one machine."""
    lab = Lab()
    layers, settings = prepared(lab, short)
    with target(lab, layers, settings) as machine:
        r = Rehearsal(machine)
        provision(r)
        evaluate(r)
        afterwards(r, finish(r))
        nothing_leaks(r, lab)
        r.expect("cd ~/package && git status --porcelain", r"\A\Z")
    lab.discard(machine)
    print(f"rehearsed in {time.monotonic() - r.began:.0f} s")


def prepared(lab: Lab, short: bool) -> tuple[list[Path], dict[str, str]]:
    """What the machine gets before, and its settings."""
    serve_models(lab)
    found = python_layer(lab) if short else None
    if found is None:
        lab.serve_sources()
        return [], target_settings(lab, PYTHON_VERSION)
    layer, version = found
    return [layer], target_settings(lab, version)


# What has once gone wrong, or nearly: a script that brings it about in a checkout that was set up,
# and what is said then. A file that does not change fails, too.
MUTATIONS = {
    "nothing": ("", ""),
    "einops": (edit("requirements/eval.lock", r"/^einops==/,/[^\\]$/d"), "einops"),
    "trainer": (
        edit("lib/sigilderg.sh", r"s/ecosystem_jobs\.py. own_trainer/&s/")
        + f" && rm -f {STATE}/venv/.sigilderg-ecosystem",
        "refuses this deviation",
    ),
    "attention": (
        edit("src/sigil_eval/generation/attention.py", 's/^FLASH = .*/FLASH = "sigil_slots"/'),
        "attention|sigil_slots",
    ),
    "crates": (
        edit("lib/crates.sh", r's/(mv "\$folder.part" "\$folder)"/\1-renamed"/')
        + f" && rm -r {STATE}/rust/crates",
        "crates",
    ),
    "token": (
        f"chmod 000 {TOKEN_FILE}; rm -r {STATE}/models.tsv {HOME}/.cache/huggingface/hub",
        "token.*cannot be read",
    ),
}


def mutations(names: list[str]) -> int:
    """Do the job once; then break one thing after the other, and do what is left of it."""
    lab = Lab()
    layers, settings = prepared(lab, short=True)
    with target(lab, layers, settings) as machine:
        Rehearsal(machine).expect(COMMAND, r"Done\.")
        machine.sh(f"rm -r {RESULTS}", check=True)  # what was generated is not taken over
    done = lab.machines / "done"
    machine.upper.rename(done)
    unnoticed = 0
    for name in names or MUTATIONS:
        script, words = MUTATIONS[name]
        said = ""
        with target(lab, [*layers, done], settings) as machine:
            r = Rehearsal(machine)
            machine.sh(f"set -e; cd ~/package; {script}", check=True)
            try:
                afterwards(r, finish(r))
            except RehearsalError as error:
                said = str(error)
        lab.discard(machine)
        right = not said if name == "nothing" else bool(said) and bool(re.search(words, said))
        unnoticed += not right
        print(
            f"{'as expected' if right else 'WRONG':12} {name}: {said[:3000] or 'passes'}",
            flush=True,
        )
    return 1 if unnoticed else 0


def main() -> int:
    """Rehearse."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="with a Python that is here")
    parser.add_argument("--mutations", nargs="*", metavar="NAME", help="break one thing at a time")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that machines are cleared away
    if options.mutations is not None:
        return mutations(options.mutations)
    try:
        rehearse(options.short)
    except RehearsalError as error:
        print(f"FAILED: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
