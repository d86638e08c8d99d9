"""Whole journeys on real Ubuntu 22.04 machines: set up, evaluate, uninstall; and without network.

Usage: journey.py [whole|bats|airgap]...     as root; each prints what it proves
"""

from __future__ import annotations

import re
import shutil
import sys
import time

from lab import STATE, Lab
from machine import HOME, Machine, packages, tree

SETUP = "cd ~/package && bash eval_setup.sh"

# What an uninstall leaves: results, the build of the package that lies beside its sources, and what
# programs such as uv, ccache and the hub's client keep for themselves.
LEFT = (
    rf"^{HOME}/package/(humaneval_results|src/.*egg-info|.*__pycache__)"
    rf"|^{HOME}/\.(ccache|cache|config|local|triton)"
    r"|^/usr/local/(lib|share)/(python|man)"
)


def expect(machine: Machine, script: str, words: str, *, code: int = 0) -> str:
    """Run a script; it has to end with that code and say these words."""
    started = time.monotonic()
    found, output = machine.sh(script)
    if found != code or not re.search(words, output):
        logs = machine.sh(f"tail -n 20 {STATE}/logs/*.log 2>/dev/null; true")[1]
        raise SystemExit(f"{script}: exit code {found}, no /{words}/ in\n{output}\n{logs}")
    seconds = time.monotonic() - started
    print(f"ok: {script.removeprefix('cd ~/package && ')} ({seconds:.0f} s)", flush=True)
    return output


def install(machine: Machine, names: str) -> None:
    """Install packages as an administrator would."""
    script = f"apt-get update -q && apt-get install -y -q --no-install-recommends {names}"
    machine.sh(f"export DEBIAN_FRONTEND=noninteractive; {script}", user="root", check=True)


def names(machine: Machine) -> set[str]:
    """The installed packages; that apt has brought some up to date is not undone."""
    return {line.split()[1] for line in packages(machine)}


def whole(lab: Lab) -> None:
    """A user with sudo: everything, twice, and away again."""
    with lab.machine([]) as machine:
        before, installed = tree(machine, HOME, "/usr/local"), names(machine)
        output = expect(machine, SETUP, "In all: ")
        print("\n".join(re.findall(".*(?:done in|proved: ).*", output)))
        output = expect(machine, SETUP, r"Done\.")
        assert output.count("skipped: ") == len(lab.steps()), output
        expect(machine, f"{SETUP} status", "with exit code 0")
        expect(machine, f"{SETUP} doctor", "no NVIDIA GPU", code=3)
        expect(machine, f"{SETUP} uninstall", "--yes", code=2)
        expect(machine, f"{SETUP} uninstall --yes", "Removed")
        assert names(machine) == installed, names(machine) ^ installed
        after = tree(machine, HOME, "/usr/local")
        left = {path for path in after.keys() - before.keys() if not re.search(LEFT, path)}
        assert not left and not before.keys() - after.keys(), sorted(left)[:20]
        print("ok: installed packages and files are those of before, but for results and caches")
    lab.discard(machine)


def bats(lab: Lab) -> None:
    """The shell suites with jammy's own bash, bats, tmux and Firejail, as a user and as root."""
    with lab.machine([]) as machine:
        install(machine, "bats firejail tmux git procps gcc libc6-dev")
        versions = (
            "bats --version; tmux -V; firejail --version | head -n 1; echo bash $BASH_VERSION"
        )
        print(machine.sh(versions)[1], end="")
        for user in ("ubuntu", "root"):
            # git refuses a repository of somebody else's.
            machine.sh(
                f"cd {HOME}/package && rm -rf .git && git init -q && git add -A",
                user=user,
                check=True,
            )
            code, output = machine.sh(f"cd {HOME}/package && bats tests/bats", user=user)
            failed = [line for line in output.splitlines() if line.startswith("not ok")]
            assert code == 0, "\n".join([*failed, output[-3000:]])
            passed = len(re.findall("^ok", output, re.MULTILINE))
            print(f"ok: bats tests/bats as {user}: {passed} tests", flush=True)
    lab.discard(machine)


def airgap(lab: Lab) -> None:
    """Everything is fetched on one machine and installed on another, which has no network."""
    with lab.machine([]) as machine:
        install(machine, "git")
        expect(machine, f"{SETUP} --download-only ~/carried", "Everything is in")
    layer = lab.machines / "carried"
    home = layer / HOME.lstrip("/")
    home.mkdir(parents=True)
    shutil.chown(home, 1000, 1000)
    (machine.upper / HOME.lstrip("/") / "carried").rename(home / "carried")
    lab.discard(machine)
    lab.mirror.down()
    with lab.machine([layer]) as machine:
        output = expect(machine, f"{SETUP} --offline ~/carried", "In all: ")
        print("\n".join(re.findall(".*(?:done in|deviation).*", output)))
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
