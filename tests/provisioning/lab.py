"""Where machines are set up: their mirror, the package they run, and the state after each step.

Everything lies in PROVISIONING_DIR (default /var/tmp/sigilderg-provisioning) and can be deleted.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from machine import ARCHIVE, HOME, Machine, base_root, packages, sha256_of, tree
from mirror import Mirror

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("PROVISIONING_DIR", "/var/tmp/sigilderg-provisioning"))  # noqa: S108

# Ubuntu's source archive of python3.12 is python.org's own Python-3.12.3.tar.xz.
PYTHON_VERSION = "3.12.3"
PYTHON_SOURCE = f"pool/main/p/python3.12/python3.12_{PYTHON_VERSION}.orig.tar.xz"
PYTHON_SHA256 = "56bfef1fdfc1221ce6720e43a661e3eb41785dd914ce99698d8c7896af4bdaa1"

# What pyenv's repository is known to have (docs/pins.md), whatever is asked for. Where GitHub
# cannot be reached, a clone at hand may have the second one.
PYENV_COMMITS = {
    "40dba8256f482e648dc3d170d0cc18aca9bb313e": "v2.6.30",
    "f6a5b409e9fd1ad78aa4350ddc1fc5fc3d0fa666": "v2.6.30 and four commits",
}

FREE_BYTES = 50 << 30  # layers and a machine take 15 GB, and preflight wants 34 GB to be free
CCACHE = f"{HOME}/.ccache"
SETTINGS = {
    "SKIP_ENV_CHECK": "1",
    "NONINTERACTIVE": "1",
    "PYTHON_VERSION": PYTHON_VERSION,
    "BASE_MODEL": "org/base",
    "CHECKPOINT_PATH": "org/adapter/checkpoint-9000",
    "NUM_SAMPLES": "1",
    "K_VALUES": "1",
    "APT_LOCK_TIMEOUT": "5",
    # The same Python is built a dozen times: ccache's compilers come first.
    "PATH": "/usr/lib/ccache:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "CCACHE_DIR": CCACHE,
    "CCACHE_NOHASHDIR": "1",
    "CCACHE_BASEDIR": HOME,
}
STATE = f"{HOME}/.sigilderg"
TREE = (STATE, f"{HOME}/.cache/huggingface", f"{HOME}/package", "/usr/local")
NOT_PROVISIONED_FROM = (
    "tests/",
    "docs/",
    "benchmarks/",
    "deploy/",
)  # changing these leaves a layer as it is


def pin(name: str) -> str:
    """A value of eval_setup_config.sh."""
    found = re.search(rf"^{name}=(\S+)", (ROOT / "eval_setup_config.sh").read_text(), re.MULTILINE)
    assert found, name
    return found[1]


# How the stand-in for the finetuner's repository is packaged.
FINETUNER_PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "sigilderg-finetuner"
version = "3.0.0"
[project.scripts]
sigilderg-eval = "rust_qlora.eval_rust:main"
sigilderg-sweep = "rust_qlora.hyperparameter_sweep:main"
sigilderg-train = "rust_qlora.train:main"
[tool.setuptools]
packages = ["rust_qlora", "rust_qlora.dataset_utils"]
"""


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
        self._take_folder()
        self.base = base_root(folder)
        self.mirror = Mirror(folder / "downloads", folder / "local")
        self.package = self._package_layer()
        self.environment = {**self.mirror.variables(), **SETTINGS}
        self._number = 0
        self.machines = folder / "machines"
        atexit.register(shutil.rmtree, self.machines, ignore_errors=True)

    def _take_folder(self) -> None:
        """Be the only one at work there, and clear away what a killed one has left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / "lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(
                f"error: another test is at work in {self.folder}; wait for it, or name another"
                " folder by PROVISIONING_DIR"
            )
        for disk in filter(os.path.ismount, self.folder.glob("machines/*/store")):
            subprocess.run(["umount", disk], check=True)
        shutil.rmtree(self.folder / "machines", ignore_errors=True)

    def serve_sources(self) -> None:
        """Have the mirror serve from here: pyenv, a CPython, and two tiny models."""
        local = self.folder / "local"
        source = local / "python" / PYTHON_VERSION / f"Python-{PYTHON_VERSION}.tar.xz"
        if not source.exists():
            source.parent.mkdir(parents=True, exist_ok=True)
            part = source.with_suffix(".part")
            subprocess.run(["curl", "-fsSL", "-o", part, f"{ARCHIVE}/{PYTHON_SOURCE}"], check=True)
            assert hashlib.sha256(part.read_bytes()).hexdigest() == PYTHON_SHA256
            part.rename(source)
        self.environment.update(serve_pyenv(local / "pyenv.git"))
        models = ROOT / "demo" / "models"
        hub = local / "hub" / "org"
        shutil.copytree(models / "base", hub / "base", dirs_exist_ok=True)
        adapter = hub / "adapter" / "checkpoint-9000"
        shutil.copytree(models / "adapter", adapter, dirs_exist_ok=True)

    def serve_finetuner(self, repository: str, package: Path) -> str:
        """Have the mirror serve the finetuner as GitHub does, complete; gives the commit.

        It is PyPI's package with a stand-in for the part that PyPI's lacks, without the argument
        that transformers no longer takes, and with the one that a machine without a GPU needs.
        """
        folder = self._new_repository(self.folder / "local" / "github" / repository)
        shutil.copytree(package, folder / "rust_qlora")
        stand_in = ROOT / "tests" / "stand_ins" / "dataset_utils"
        shutil.copytree(stand_in, folder / "rust_qlora" / "dataset_utils")
        train = folder / "rust_qlora" / "train.py"
        old = "        logging_dir="
        train.write_text(train.read_text().replace(old, f"        use_cpu=True,  #{old}"))
        (folder / "pyproject.toml").write_text(FINETUNER_PROJECT)
        return self.commit(folder)

    def serve_release(self, version: str) -> str:
        """Have the mirror serve a release of the working tree; gives the sha256 of its start.sh."""
        tree = self._new_repository(self.machines / "release")
        self.copy_tree(tree)
        self.commit(tree)
        target = self.folder / "local" / "release" / version
        shutil.rmtree(target, ignore_errors=True)
        command = ["bash", tree / "deploy" / "release.sh", version, "HEAD", target]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return sha256_of(target / "start.sh")

    @staticmethod
    def _new_repository(folder: Path) -> Path:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        subprocess.run(["git", "init", "-q", folder], check=True)
        return folder

    @staticmethod
    def commit(folder: Path) -> str:
        """Commit all that is in a repository; gives the commit."""
        git = ["git", "-C", str(folder), "-c", "user.name=lab", "-c", "user.email=lab@localhost"]
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "all"], check=True)
        head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True)
        return head.stdout.decode().strip()

    def _package_layer(self) -> Path:
        """What a set-up needs of the working tree, in the user's home.

        It is named after its content and after the mirror's port: both show in what is set up.
        What was set up from another content goes.
        """
        part = self.folder / "package.part"
        shutil.rmtree(part, ignore_errors=True)
        home = part / HOME.lstrip("/")
        self.copy_tree(home / "package", without=NOT_PROVISIONED_FROM)
        (part / CCACHE.lstrip("/")).mkdir()
        subprocess.run(["chown", "-R", "1000:1000", home], check=True)
        layer = self.folder / f"package-{tree_hash(home / 'package')}-{self.mirror.port}"
        if layer.exists():
            shutil.rmtree(part)
            return layer
        for other in self.folder.glob("package-*"):
            shutil.rmtree(other) if other.is_dir() else other.unlink()
        part.rename(layer)
        return layer

    def whole_package_layer(self) -> Path:
        """All of the working tree, tests included, to lie above the package."""
        layer = self.machines / "whole-package"
        self.copy_tree(layer / HOME.lstrip("/") / "package")
        subprocess.run(["chown", "-R", "1000:1000", layer / HOME.lstrip("/")], check=True)
        return layer

    @staticmethod
    def copy_tree(target: Path, without: tuple[str, ...] = ()) -> None:
        """Copy the files of the working tree that git knows or could know."""
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split("\0")
        for name in filter(None, names):
            if (ROOT / name).exists() and not name.startswith(without):
                file = target / name
                file.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, file)

    def machine(
        self,
        layers: list[Path],
        *,
        full_disk: bool = False,
        settings: dict[str, str] | None = None,
        files: dict[str, str] | None = None,
    ) -> Machine:
        """A machine with the package on it, above the layers of some steps."""
        self._number += 1
        folder = self.machines / f"{self._number:03}"
        files = {
            **(files or {}),
            "/etc/apt/sources.list": self.mirror.sources_list(),
            "/etc/hosts": f"127.0.0.1 localhost {socket.gethostname()}\n",  # sudo looks it up
        }
        layers = [self.base, self.package, *layers]
        environment = self.environment if settings is None else settings
        return Machine(layers, folder, full_disk, environment, files)

    def discard(self, machine: Machine) -> None:
        """Delete what a machine has written."""
        shutil.rmtree(machine.folder)

    def steps(self) -> list[str]:
        """The steps, in order."""
        command = ["bash", str(ROOT / "eval_setup.sh"), "--list"]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    def undisturbed(self, last: str | None = None) -> list[Undisturbed]:
        """The steps up to `last`, each by itself on what those before it left.

        What has been done so is kept while the package is the same.
        """
        kept = self.package.with_suffix(".json")
        steps = self.steps()
        steps = steps[: steps.index(last) + 1] if last else steps
        if len(steps) > 1:  # the first needs nothing but apt
            self.serve_sources()
            if shutil.disk_usage(self.folder).free < FREE_BYTES and not kept.exists():
                sys.exit(f"error: {self.folder} needs {FREE_BYTES >> 30} GB of free disk")
        done: list[Undisturbed] = []
        if kept.exists():
            rows = json.loads(kept.read_text())
            done = [Undisturbed(**{**row, "layer": Path(row["layer"])}) for row in rows]
        for step in steps[len(done) :]:
            done.append(self._undisturbed_step(step, done))
            rows = [{**vars(one), "layer": str(one.layer)} for one in done]
            kept.write_text(json.dumps(rows))
        return done[: len(steps)]

    def _undisturbed_step(self, step: str, before: list[Undisturbed]) -> Undisturbed:
        first, started = len(self.mirror.requests), time.monotonic()
        with self.machine([one.layer for one in before]) as machine:
            code, output = machine.sh(run(step))
            seconds = time.monotonic() - started
            if code:
                raise RuntimeError(f"{step} failed undisturbed:\n{output}\n{log(machine, step)}")
            found, installed = tree(machine, *TREE), packages(machine)
        requests = len(self.mirror.requests) - first
        compiled, known = (layer / CCACHE.lstrip("/") for layer in (machine.upper, self.package))
        if compiled.exists() and not any(known.iterdir()):
            # Every other time it is going to be as quick as it is with what ccache knows now.
            subprocess.run(["cp", "-a", f"{compiled}/.", known], check=True)
            self.discard(machine)
            return self._undisturbed_step(step, before)
        # The folder of this process is cleared away; what is kept has a place of its own.
        layer = self.package.with_name(f"{self.package.name}.{step}")
        shutil.rmtree(layer, ignore_errors=True)
        machine.upper.rename(layer)
        self.discard(machine)
        usage = subprocess.run(["du", "-sm", layer], check=True, capture_output=True, text=True)
        size = float(usage.stdout.split()[0])
        print(f"{step:12} {seconds:6.1f} s, {requests:4} requests, {size:7.0f} MB", flush=True)
        return Undisturbed(step, layer, seconds, requests, size, found, installed)


def serve_pyenv(folder: Path) -> dict[str, str]:
    """Have the mirror serve pyenv's repository as it is; gives the settings for it.

    The commit of the pinned tag needs none: eval_setup.sh has to ask for it by itself.
    """
    url = os.environ.get("PYENV_REPO_URL", "https://github.com/pyenv/pyenv.git")
    git = ["git", "-C", str(folder)]
    if not folder.exists():
        subprocess.run(["git", "init", "-q", "--bare", folder], check=True)
        subprocess.run([*git, "symbolic-ref", "HEAD", "refs/heads/served"], check=True)
        subprocess.run([*git, "config", "uploadpack.allowAnySHA1InWant", "true"], check=True)
    for commit, name in PYENV_COMMITS.items():
        for source in (str(folder), url, os.environ.get("PYENV_ROOT", url)):
            fetch = [*git, "fetch", "-q", "--depth", "1", source, f"+{commit}:refs/heads/served"]
            if subprocess.run(fetch, stderr=subprocess.DEVNULL).returncode == 0:
                first = commit == next(iter(PYENV_COMMITS))
                return {} if first else {"PYENV_COMMIT": commit, "PYENV_TAG": name}
    sys.exit(f"error: {url} gives no pyenv that is known; name a clone by PYENV_REPO_URL")


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
