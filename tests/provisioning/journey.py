"""Whole journeys on real Ubuntu 22.04 machines: set up, evaluate, test, uninstall; and without a network.

Usage: journey.py [whole|bats|airgap]...     as root; each prints what it proves
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

from lab import HOME, STATE, Lab
from machine import Machine, packages, tree

EVALUATE = "cd ~/package && bash eval_setup.sh"


def expect(machine: Machine, script: str, words: str, *, code: int = 0) -> str:
    """Run a script; it has to end with that code and say these words."""
    started = time.monotonic()
    found, output = machine.sh(script)
    if found != code or not re.search(words, output):
        logs = machine.sh(f"tail -n 20 {STATE}/logs/*.log 2>/dev/null; true")[1]
        raise SystemExit(f"{script}: exit code {found}, no /{words}/ in\n{output}\n{logs}")
    print(
        f"ok: {script.removeprefix('cd ~/package && ')} ({time.monotonic() - started:.0f} s)",
        flush=True,
    )
    return output


def whole(lab: Lab) -> None:
    """A user with sudo: everything, twice, and away again."""
    with lab.machine([]) as machine:
        before, installed = tree(machine, HOME, "/usr/local"), packages(machine)
        output = expect(machine, EVALUATE, r"In all: ")
        print(
            "\n".join(
                line for line in output.splitlines() if "done in" in line or "proved: " in line
            )
        )
        output = expect(machine, EVALUATE, r"Done\.")
        assert output.count("skipped: ") == len(lab.steps()), output
        expect(machine, "cd ~/package && bash eval_setup.sh status", "with exit code 0")
        expect(machine, "cd ~/package && bash eval_setup.sh doctor", "no NVIDIA GPU", code=3)
        expect(machine, "cd ~/package && bash eval_setup.sh uninstall", "--yes", code=2)
        expect(machine, "cd ~/package && bash eval_setup.sh uninstall --yes", "Removed")
        assert packages(machine) == installed, set(packages(machine)) ^ set(installed)
        after = tree(machine, HOME, "/usr/local")
        left = {p for p in after.keys() - before.keys() if not re.search(ALLOWED, p)}
        assert not left and not before.keys() - after.keys(), sorted(left)[:20]
        print(
            "ok: packages and files are those of before, but for results and caches of other programs"
        )
    lab.discard(machine)


# The results, the build of the package that lies beside its sources, and what programs such as uv,
# ccache, and the hub's client keep for themselves.
ALLOWED = (
    rf"^{HOME}/package/(humaneval_results|src/.*egg-info|.*__pycache__)|^{HOME}/\.(ccache|cache|config|local|triton)"
    r"|^/usr/local/(lib|share)/(python|man)"
)


def bats(lab: Lab) -> None:
    """The shell suites with jammy's own bash, bats, tmux and Firejail, as an ordinary user and as root."""
    with lab.machine([]) as machine:
        install = "apt-get update -q && apt-get install -y -q --no-install-recommends bats firejail tmux git procps gcc libc6-dev"
        assert machine.sh(f"export DEBIAN_FRONTEND=noninteractive; {install}", user="root")[0] == 0
        print(
            machine.sh(
                "bats --version; tmux -V; firejail --version | head -n 1; bash --version | head -n 1"
            )[1]
        )
        machine.sh(
            "cd ~/package && git init -q && git add -A && git -c user.name=t -c user.email=t@t commit -qm all"
        )
        for user in ("ubuntu", "root"):
            code, output = machine.sh(f"cd {HOME}/package && bats tests/bats", user=user)
            failed = [line for line in output.splitlines() if line.startswith("not ok")]
            assert code == 0, "\n".join([*failed, output[-3000:]])
            print(
                f"ok: bats tests/bats as {user}: {len(re.findall('^ok', output, re.MULTILINE))} tests"
            )
    lab.discard(machine)


def airgap(lab: Lab) -> None:
    """Everything is fetched on one machine and installed on another, which has no network at all."""
    with lab.machine([]) as machine:
        machine.sh(
            "apt-get update -q && apt-get install -y -q --no-install-recommends git", user="root"
        )
        expect(
            machine,
            "cd ~/package && bash eval_setup.sh --download-only ~/carried",
            "Everything is in",
        )
    carried = machine.upper / HOME.lstrip("/") / "carried"
    layer = lab.folder / "carried" / HOME.lstrip("/")
    layer.mkdir(parents=True)
    carried.rename(layer / "carried")
    lab.discard(machine)
    lab.mirror.down()
    with lab.machine([Path(lab.folder / "carried")]) as machine:
        output = expect(machine, f"{EVALUATE} --offline ~/carried", "In all: ")
        print(
            "\n".join(
                line for line in output.splitlines() if "done in" in line or "deviation" in line
            )
        )
    lab.mirror.up()
    lab.discard(machine)


def main() -> None:
    """Take the named journeys, or all."""
    lab = Lab()
    for name in sys.argv[1:] or ["whole", "bats", "airgap"]:
        print(f"--- {name}", flush=True)
        {"whole": whole, "bats": bats, "airgap": airgap}[name](lab)


if __name__ == "__main__":
    main()
