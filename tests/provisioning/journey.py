"""Whole journeys on real Ubuntu 22.04 machines: set up, evaluate, uninstall; and without network.

Usage: journey.py [whole|bats|airgap|github|cloud]...     as root; each prints what it proves
"""

from __future__ import annotations

import re
import shutil
import sys
import time

from lab import ROOT, STATE, Lab, pin
from machine import HOME, USER, Machine, packages, tree

SETUP = "cd ~/package && bash eval_setup.sh"

# What an uninstall leaves: results, the build of the package that lies beside its sources, and what
# programs such as uv, ccache and the hub's client keep for themselves.
LEFT = (
    rf"^{HOME}/package/(humaneval_results|src/.*egg-info|.*__pycache__)"
    rf"|^{HOME}/\.(ccache|cache|config|local|triton)"
    r"|^/usr/local/(lib|share)/(python|man)"
)


def expect(machine: Machine, script: str, words: str, *, code: int = 0, user: str = USER) -> str:
    """Run a script; it has to end with that code and say these words."""
    started = time.monotonic()
    found, output = machine.sh(script, user=user)
    if found != code or not re.search(words, output):
        logs = machine.sh(f"tail -n 20 {STATE}/logs/*.log 2>/dev/null; true")[1]
        raise SystemExit(f"{script}: exit code {found}, no /{words}/ in\n{output}\n{logs}")
    seconds = time.monotonic() - started
    shown = script.removeprefix("cd ~/package && ").splitlines()[-1]
    print(f"ok: {shown} ({seconds:.0f} s)", flush=True)
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
    lab.serve_sources()
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
    with lab.machine([lab.whole_package_layer()]) as machine:
        install(machine, "bats firejail tmux git procps gcc libc6-dev")
        versions = (
            "bats --version; tmux -V; firejail --version | head -n 1; echo bash $BASH_VERSION"
        )
        print(machine.sh(versions)[1], end="")
        for user in ("ubuntu", "root"):
            # git refuses a repository of somebody else's.
            own = f"cd {HOME}/package && chown -R {user}: . && rm -rf .git"
            machine.sh(own, user="root", check=True)
            machine.sh(f"cd {HOME}/package && git init -q && git add -A", user=user, check=True)
            code, output = machine.sh(f"cd {HOME}/package && bats tests/bats", user=user)
            failed = [line for line in output.splitlines() if line.startswith("not ok")]
            assert code == 0, "\n".join([*failed, output[-3000:]])
            passed = len(re.findall("^ok", output, re.MULTILINE))
            print(f"ok: bats tests/bats as {user}: {passed} tests", flush=True)
    lab.discard(machine)


def airgap(lab: Lab) -> None:
    """Everything is fetched on one machine and installed on another, which has no network."""
    lab.serve_sources()
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


def github(lab: Lab) -> None:
    """What PyPI's finetuner lacks is taken from GitHub, at the pinned commit and at no other."""
    steps = {step.step: step.layer for step in lab.undisturbed("pytorch")}
    packages = f"{STATE.lstrip('/')}/venv/lib/python3.12/site-packages"
    repository = pin("FINETUNER_SOURCE").partition("@")[0]
    commit = lab.serve_finetuner(repository, steps["venv"] / packages / "rust_qlora")
    only = f"{SETUP} --only sigilderg --force sigilderg"
    deviations = f"cut -f1 {STATE}/deviations.tsv"
    with lab.machine(list(steps.values())) as machine:
        expect(machine, only, "done in")
        expect(machine, f"cat {STATE}/logs/sigilderg.log", "not our ref")
        expect(machine, f"cat {STATE}/logs/sigilderg.log", "sigil-eval train trains by the same")
        pinned = f"sed -i 's#^FINETUNER_SOURCE=.*#FINETUNER_SOURCE={repository}@{commit}#'"
        machine.sh(f"cd ~/package && {pinned} eval_setup_config.sh", check=True)
        expect(machine, only, "done in")
        found = machine.sh(deviations)[1].split()
        assert not any(name.startswith("sigilderg.") for name in found), found
        expect(machine, f"git -C {STATE}/sources/SigilDERG-Finetuner rev-parse HEAD", commit)
    lab.discard(machine)
    shutil.rmtree(lab.folder / "local" / "github")


# Stands in for systemd, which is no part of a machine that is only a root file system: runs the
# command in the background, with the lab's settings, as the user that is named.
SYSTEMD_RUN = """#!/bin/bash
mapfile -t options </etc/lab-settings
while [[ $1 == --* ]]; do
  [[ $1 != --uid=* ]] || user=${1#--uid=}
  [[ $1 != --setenv=* ]] || options+=("${1#--setenv=}")
  shift
done
setsid setpriv --reuid "$user" --regid "$user" --init-groups env -i -C / PATH="$PATH" \
  "${options[@]}" "$@" >/tmp/unit.log 2>&1 </dev/null &
"""
# The parts of cloud-init that user data speaks to. The others would make the machine another one.
CLOUD_CONFIG = """datasource_list: [NoCloud]
network: {config: disabled}
cloud_init_modules: [write-files]
cloud_config_modules: [runcmd]
cloud_final_modules: [write-files-deferred, scripts-user]
"""
BOOT = """set -e
cloud-init schema --config-file /var/lib/cloud/seed/nocloud/user-data
cloud-init init --local
cloud-init init
cloud-init modules --mode=config
cloud-init modules --mode=final"""


def cloud(lab: Lab) -> None:
    """deploy/cloud-init.yaml, by cloud-init itself: from the first boot to the end of the job."""
    version, releases = "v0.0.1", f"{lab.mirror.url}/release"
    sha256 = lab.serve_release(version)
    data = (ROOT / "deploy" / "cloud-init.yaml").read_text()
    for pattern, text in (
        (r"https://github\.com/\S+/releases/download", releases),
        (r"VERSION=\S+", f"VERSION={version}"),
        (r"SHA256=\S+", f"SHA256={sha256}"),
    ):
        data, count = re.subn(pattern, text, data)
        assert count, pattern
    settings = {**lab.environment, "RELEASE_URL": f"{releases}/{version}"}
    with lab.machine([step.layer for step in lab.undisturbed()]) as machine:
        install(machine, "cloud-init")
        for path, text in {
            "/etc/lab-settings": "\n".join(f"{name}={value}" for name, value in settings.items()),
            "/etc/cloud/cloud.cfg.d/99-lab.cfg": CLOUD_CONFIG,
            "/usr/local/bin/systemd-run": SYSTEMD_RUN,
            "/usr/local/bin/loginctl": '#!/bin/sh\n[ "$*" = "enable-linger ubuntu" ]\n',
            "/var/lib/cloud/seed/nocloud/user-data": data,
            "/var/lib/cloud/seed/nocloud/meta-data": "instance-id: lab\n",
        }.items():
            script = f"mkdir -p $(dirname {path}) && cat >{path} <<'END'\n{text}\nEND\n"
            machine.sh(f"{script} chmod 755 {path}", user="root", check=True)
        expect(machine, BOOT, "Valid schema", user="root")
        status = f"cd ~/sigilderg-lambda-package-{version} && bash eval_setup.sh status"
        started = time.monotonic()
        while "running" in (said := machine.sh(status)[1]) or "finished" not in said:
            assert time.monotonic() - started < 1200, said + machine.sh("cat /tmp/unit.log")[1]
            time.sleep(2)
        expect(machine, status, "with exit code 0")
        print(f"ok: the job that user data starts ({time.monotonic() - started:.0f} s)")
    lab.discard(machine)


JOURNEYS = {"whole": whole, "bats": bats, "airgap": airgap, "github": github, "cloud": cloud}


def main() -> None:
    """Take the named journeys, or all."""
    lab = Lab()
    for name in sys.argv[1:] or JOURNEYS:
        print(f"--- {name}: {JOURNEYS[name].__doc__}", flush=True)
        JOURNEYS[name](lab)


if __name__ == "__main__":
    main()
