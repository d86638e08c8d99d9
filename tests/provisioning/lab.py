"""Where machines are set up: their mirror, the package they run, and the state after each step.

Everything lies in PROVISIONING_DIR (default /var/tmp/sigilderg-provisioning) and can be deleted.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from machine import ARCHIVE, HOME, Machine, base_root, packages, tree
from mirror import Mirror

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("PROVISIONING_DIR", "/var/tmp/sigilderg-provisioning"))  # noqa: S108

# Ubuntu's source archive of python3.12 is python.org's own Python-3.12.3.tar.xz.
PYTHON_VERSION = "3.12.3"
PYTHON_SOURCE = f"pool/main/p/python3.12/python3.12_{PYTHON_VERSION}.orig.tar.xz"
PYTHON_SHA256 = "56bfef1fdfc1221ce6720e43a661e3eb41785dd914ce99698d8c7896af4bdaa1"

SETTINGS = {
    "SKIP_ENV_CHECK": "1",
    "NONINTERACTIVE": "1",
    "PYTHON_VERSION": PYTHON_VERSION,
    "BASE_MODEL": "org/base",
    "CHECKPOINT_PATH": "org/adapter/checkpoint-9000",
    "NUM_SAMPLES": "1",
    "K_VALUES": "1",
    "APT_LOCK_TIMEOUT": "5",
    # The same Python is built a dozen times.
    "CC": "ccache gcc",
    "CCACHE_DIR": f"{HOME}/.ccache",
    "CCACHE_NOHASHDIR": "1",
    "CCACHE_BASEDIR": HOME,
}
STATE = f"{HOME}/.sigilderg"
TREE = (STATE, f"{HOME}/.cache/huggingface", f"{HOME}/package", "/usr/local")


def pin(name: str) -> str:
    """A value of eval_setup_config.sh."""
    found = re.search(rf"^{name}=(\S+)", (ROOT / "eval_setup_config.sh").read_text(), re.MULTILINE)
    assert found, name
    return found[1]


@dataclass
class Undisturbed:
    """What one step does when nothing goes wrong."""

    step: str
    layer: Path
    seconds: float
    requests: int
    megabytes: float
    tree: dict[str, str]
    packages: list[str]


class Lab:
    """The mirror, the bare machine with the package on it, and the layers of the steps."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder
        self.base = base_root(folder)
        self.mirror = Mirror(folder / "downloads", self._local())
        self.package = self._package_layer()
        self.environment = {**self.mirror.variables(), **SETTINGS}
        self._number = 0
        self.machines = folder / f"machines-{os.getpid()}"

    def _local(self) -> Path:
        """What the mirror serves from here: pyenv, a CPython, and two tiny models."""
        local = self.folder / "local"
        source = local / "python" / PYTHON_VERSION / f"Python-{PYTHON_VERSION}.tar.xz"
        if not source.exists():
            source.parent.mkdir(parents=True, exist_ok=True)
            part = source.with_suffix(".part")
            subprocess.run(["curl", "-fsSL", "-o", part, f"{ARCHIVE}/{PYTHON_SOURCE}"], check=True)
            assert hashlib.sha256(part.read_bytes()).hexdigest() == PYTHON_SHA256
            part.rename(source)
        pyenv = local / "pyenv.git"
        if not pyenv.exists():
            url = os.environ.get("PYENV_REPO_URL", "https://github.com/pyenv/pyenv.git")
            tag, commit = pin("PYENV_TAG"), pin("PYENV_COMMIT")
            clone: list[str | Path] = [
                "git",
                "clone",
                "-q",
                "--bare",
                "--depth",
                "1",
                "--branch",
                tag,
                url,
                pyenv,
            ]
            if subprocess.run(clone).returncode:  # a clone that has the commit without its tag
                subprocess.run(["git", "clone", "-q", "--bare", url, pyenv], check=True)
            subprocess.run(["git", "-C", str(pyenv), "tag", "-f", tag, commit], check=True)
        models = ROOT / "demo" / "models"
        shutil.copytree(models / "base", local / "hub" / "base", dirs_exist_ok=True)
        adapter = local / "hub" / "adapter" / "checkpoint-9000"
        shutil.copytree(models / "adapter", adapter, dirs_exist_ok=True)
        return local

    def _package_layer(self) -> Path:
        """The working tree in the user's home; the layer is named after its content."""
        part = self.folder / f"package.part-{os.getpid()}"
        home = part / HOME.lstrip("/")
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split("\0")
        for name in filter(None, names):
            if (ROOT / name).exists():
                target = home / "package" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, target)
        (home / ".ccache").mkdir()
        subprocess.run(["chown", "-R", "1000:1000", home], check=True)
        layer = self.folder / f"package-{tree_hash(home / 'package')}"
        if layer.exists():
            shutil.rmtree(part)
        else:
            part.rename(layer)
        return layer

    def machine(self, layers: list[Path], *, full_disk: bool = False) -> Machine:
        """A machine with the package on it, above the layers of some steps."""
        self._number += 1
        folder = self.machines / f"{self._number:03}"
        sources = {"/etc/apt/sources.list": self.mirror.sources_list()}
        layers = [self.base, self.package, *layers]
        return Machine(layers, folder, full_disk, self.environment, sources)

    def discard(self, machine: Machine) -> None:
        """Delete what a machine has written."""
        shutil.rmtree(machine.folder)

    def steps(self) -> list[str]:
        """The steps, in order."""
        command = ["bash", str(ROOT / "eval_setup.sh"), "--list"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    def undisturbed(self) -> list[Undisturbed]:
        """Every step by itself, each on what those before it left; kept while the package is."""
        kept = self.package.with_suffix(".json")
        done: list[Undisturbed] = []
        if kept.exists():
            steps = json.loads(kept.read_text())
            return [Undisturbed(**{**one, "layer": Path(one["layer"])}) for one in steps]
        for step in self.steps():
            before, started = len(self.mirror.requests), time.monotonic()
            with self.machine([one.layer for one in done]) as machine:
                code, output = machine.sh(run(step))
                seconds = time.monotonic() - started
                if code:
                    raise RuntimeError(
                        f"{step} failed undisturbed:\n{output}\n{log(machine, step)}"
                    )
                found, installed = tree(machine, *TREE), packages(machine)
                ccache = machine.upper / HOME.lstrip("/") / ".ccache"
                if ccache.exists():
                    target = self.package / HOME.lstrip("/") / ".ccache"
                    subprocess.run(["cp", "-a", f"{ccache}/.", target], check=True)
            usage = subprocess.run(["du", "-sm", machine.upper], capture_output=True, text=True)
            size = float(usage.stdout.split()[0])
            requests = len(self.mirror.requests) - before
            done.append(Undisturbed(step, machine.upper, seconds, requests, size, found, installed))
            print(f"{step:12} {seconds:6.1f} s, {requests:4} requests, {size:7.0f} MB", flush=True)
        steps = [{**vars(one), "layer": str(one.layer)} for one in done]
        kept.write_text(json.dumps(steps))
        return done


def tree_hash(folder: Path) -> str:
    """One hash of all that lies in a folder."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(
            f"{path.relative_to(folder)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode()
        )
    return digest.hexdigest()[:16]


def run(step: str) -> str:
    """The command that does one step."""
    return f"cd ~/package && exec bash eval_setup.sh --only {step}"


def log(machine: Machine, step: str, lines: int = 40) -> str:
    """The end of a step's log."""
    return machine.sh(f"tail -n {lines} {STATE}/logs/{step}.log 2>/dev/null; true")[1]


def states(machine: Machine) -> list[str]:
    """What steps.tsv says of each step that was run, in order: `STEP STATE`."""
    _, text = machine.sh(f"cut -f1,2 {STATE}/steps.tsv 2>/dev/null; true")
    return text.splitlines()
