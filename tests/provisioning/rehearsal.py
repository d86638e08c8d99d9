"""The job on its target, from a bare machine to the end, with all that a user does meanwhile.

Usage: rehearsal.py [--short] [--loop]     as root
       rehearsal.py --mutations [NAME]...

The command is `bash eval_setup.sh`, strict, with nothing skipped. --short takes a Python that is
here instead of building one; --loop goes from crates to a verdict.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import signal
import sys
import time
from pathlib import Path

from lab import PYTHON_VERSION, ROOT, STATE, Lab
from machine import HOME
from rehearsed import Job, Rehearsal, RehearsalError
from target import (
    ADAPTER,
    TOKEN,
    TOKEN_FILE,
    UNWANTED,
    certificates,
    python_layer,
    serve_models,
    target,
    target_settings,
)

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
LOOP_FOLDER = f"{HOME}/loop"


EVALUATION = Job(
    "cd ~/package && bash eval_setup.sh",
    "the evaluation",
    f"{HOME}/package/humaneval_results",
    f"{ADAPTER}/checkpoint-9000",
)
LOOP = Job(
    f"cd {LOOP_FOLDER} && bash ~/package/eval_setup.sh --loop",
    "the loop",
    f"{LOOP_FOLDER}/loop_results",
    "out/checkpoint-4",
)


def edit(file: str, change: str) -> str:
    """A script that changes a file by sed, or fails."""
    return (
        f"cp {file} /tmp/before; sed -Ei {shlex.quote(change)} {file}; ! cmp -s {file} /tmp/before"
    )


def provision(r: Rehearsal) -> None:
    """The first start, while it sets the machine up: looked at, started again, and hung up on."""
    r.expect(f"{r.job.command} status", "not started")
    r.expect(f"{r.job.command} doctor", "This machine is fit")
    first = r.terminal(r.job.command)
    r.until("it is at the environment", f"{r.job.command} status", r"(?s)running.*venv")
    r.expect(r.job.command, "running already", code=3)
    second = r.terminal(f"{r.job.command} attach")
    r.until("a second terminal is attached", clients(), r"(?s)client.*client")
    seen = first.lose()
    r.check("the first terminal has shown the steps", seen, r"(?s)system_deps.*venv")
    r.until("one has gone", clients(), r"\Aclient\n\Z")
    r.expect(f"{r.job.command} status", "running since")
    r.check("the second one shows the step, too", second.lose(), "venv")
    r.expect(f"{r.job.command} status", "running since")


def clients() -> str:
    """A script that says `client` for each terminal that shows the session."""
    return "tmux -L sigilderg list-clients -F client; true"


def evaluate(r: Rehearsal) -> None:
    """The evaluation: hung up on and killed while it generates, killed while it scores.

    A terminal that only looks on is cut off, and so is the one that has started it.
    """
    r.log_says("the base answers", r"generating base: \d", start=1)
    r.expect(r.job.command, "running already", code=3)
    onlooker = r.terminal(f"{r.job.command} attach")
    r.until("a terminal is attached", clients(), "client")
    onlooker.lose()
    r.expect(f"{r.job.command} status", rf"(?s)running since.*{r.job.does}")
    r.machine.kill_all()
    r.expect(f"ls -A {r.job.results}/samples", r"base(?s:(?!^finetuned\.jsonl).)*\Z")
    r.expect(f"{r.job.command} status", "died|restarted")
    again = r.terminal(r.job.command)
    r.log_says("it generates again", r"generating (base|finetuned): \d", start=2)
    again.lose()
    r.expect(f"{r.job.command} status", "running since")
    r.log_says("it scores", r"scoring: \d", start=2)
    r.machine.sh("kill -9 $(pgrep -f [s]cripts/evaluate_humaneval.py)", check=True)
    r.until("its end is told", f"{r.job.command} status", "finished .* with exit code 137")


def finish(r: Rehearsal) -> str:
    """The same command goes on to the end; gives what it said."""
    output = r.expect(r.job.command, r"Done\.")
    r.check("every step was done already", output, "skipped: ", "done in" not in output)
    r.expect(f"{r.job.command} status", "finished .* with exit code 0")
    for report in REPORTS:
        r.expect(f"test -s {r.job.results}/{report} && echo there", "there")
    metadata = r.metadata()
    deviations = {row["id"] for row in metadata["deviations"]}
    r.check("no deviation", str(deviations), ".", not deviations)
    r.check("it ran on the GPU", json.dumps(metadata["gpus"]), "H100 80GB HBM3")
    models = json.dumps(metadata["models"])
    r.check("with flash attention", models, "flash_attention_2")
    r.check("and the checkpoint", models, re.escape(r.job.checkpoint))
    r.check("in half precision", models, "bfloat16")
    return output


def afterwards(r: Rehearsal, said: str) -> None:
    """What the end of the run tells the user to do; and nothing is left to do."""
    before = r.metadata()["files"]
    r.expect(r.job.command, r"Done\.")
    r.check("a re-run changes nothing", "", "", r.metadata()["files"] == before)
    told = re.search(r"^ +(\S*sigil-eval) reproduce (\S+)", said, re.MULTILINE)
    if told is None:
        raise RehearsalError(f"the end does not say what to do next:\n{said[-2000:]}")
    login = "cd ~/package && exec bash -lc "
    r.expect(login + shlex.quote(f"{told[1]} reproduce {told[2]}"), "100 of 100 results")
    samples = f"{r.job.results}/samples/base.jsonl"
    r.expect(f"ls {r.job.results}/samples; test -s {samples}", "base")
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
        r = Rehearsal(machine, EVALUATION)
        provision(r)
        evaluate(r)
        afterwards(r, finish(r))
        nothing_leaks(r, lab)
        r.expect("cd ~/package && git status --porcelain", r"\A\Z")
    lab.discard(machine)
    print(f"rehearsed in {time.monotonic() - r.began:.0f} s")


def rehearse_loop(short: bool) -> None:
    """From crates to a verdict, on such a machine."""
    lab = Lab()
    layers, settings = prepared(lab, short)
    told = {
        "CRATES": "crates.txt",
        "TRAIN_CONFIG": "train.yml",
        "VAL_SHARE": "0.3",  # of three crates
        # sigil-pipeline asks the registry itself, which a network may sign for by a certificate
        # of its own.
        "SSL_CERT_FILE": "/srv/certificates.pem",
    }
    files = {
        "/srv/loop/crates.txt": (ROOT / "demo" / "crates.txt").read_text(),
        "/srv/loop/train.yml": Path(__file__).with_name("loop.yml").read_text(),
        told["SSL_CERT_FILE"]: certificates(),
    }
    with target(lab, layers, settings | told, files) as machine:
        machine.sh(f"cp -r /srv/loop {LOOP_FOLDER}", check=True)
        r = Rehearsal(machine, LOOP)
        until_the_power_goes(r)
        output = finish(r)
        what_was_learned(r)
        afterwards(r, output)
        nothing_leaks(r, lab)
        r.expect("cd ~/package && git status --porcelain", r"\A\Z")
    lab.discard(machine)
    print(f"rehearsed in {time.monotonic() - r.began:.0f} s")


def until_the_power_goes(r: Rehearsal) -> None:
    """The loop from the bare machine, until the power goes while it trains."""
    first = r.terminal(r.job.command)
    r.log_says("it trains", r"training: \d", start=1)
    r.expect(f"{r.job.command} status", rf"(?s)running since.*{r.job.does}")
    first.lose()
    r.machine.kill_all()
    r.expect(f"{r.job.command} status", "died|restarted")


def what_was_learned(r: Rehearsal) -> None:
    """The training was one of the target's, and its checkpoints are not the base."""
    text = (r.machine.upper / LOOP_FOLDER.lstrip("/") / "out" / "training.json").read_text()
    hardware = json.loads(text)["hardware"]
    r.check("it has trained on the GPU", str(hardware), "(?s)(?=.*H100)(?=.*flash_attention_2)")
    completions = [answers(r, model) for model in ("base", "checkpoint-2", "checkpoint-4")]
    others = sum(one != completions[0] for one in completions)
    r.check("checkpoints answer otherwise than the base", str(others), "2")
    durations = json.dumps(r.metadata()["durations"])
    r.check("what each stage took is told", durations, "(?s)making data.*training.*scoring")


def answers(r: Rehearsal, model: str) -> list[str]:
    """What a model has written."""
    file = r.machine.upper / r.job.results.lstrip("/") / "samples" / f"{model}.jsonl"
    return [json.loads(line)["completion"] for line in file.open(encoding="utf-8")]


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
        Rehearsal(machine, EVALUATION).expect(EVALUATION.command, r"Done\.")
        # What was generated is not taken over.
        machine.sh(f"rm -r {EVALUATION.results}", check=True)
    done = lab.machines / "done"
    machine.upper.rename(done)
    unnoticed = 0
    for name in names or MUTATIONS:
        script, words = MUTATIONS[name]
        said = ""
        with target(lab, [*layers, done], settings) as machine:
            r = Rehearsal(machine, EVALUATION)
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
    parser.add_argument("--loop", action="store_true", help="from crates to a verdict")
    parser.add_argument("--mutations", nargs="*", metavar="NAME", help="break one thing at a time")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that machines are cleared away
    if options.mutations is not None:
        return mutations(options.mutations)
    try:
        (rehearse_loop if options.loop else rehearse)(options.short)
    except RehearsalError as error:
        print(f"FAILED: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
