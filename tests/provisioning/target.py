"""The machine that the evaluation is made for, as far as it can be stood in for.

An Ubuntu 22.04 with an H100 and 225 GiB of memory, and what it is given from outside: flash-attn's
wheel, the gated base model and its adapter. What stands in is in tests/stand_ins, and takes the
place of a device or of a host, never of code of the project's.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import re
import shutil
import ssl
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import ROOT, SETTINGS, Lab
from machine import HOME, Machine

STAND_INS = ROOT / "tests" / "stand_ins"
BASE = "meta-llama/Meta-Llama-3.1-8B-Instruct"
ADAPTER = "Superuser666-Sigil/Llama-3.1-8B-Instruct-Rust-QLora"
WHEEL = "flash_attn-2.8.3+cu12torch2.8cxx11abiTRUE-cp312-cp312-linux_x86_64.whl"
TOKEN = "hf_" + "Rehearsal0" * 3  # it must not be found anywhere but in its file
TOKEN_FILE = f"{HOME}/.cache/huggingface/token"
MEMORY_GIB = 225

# What real repositories hold besides, and what must not be downloaded: it is large.
UNWANTED = {
    BASE: ("original/consolidated.00.pth", "original/tokenizer.model", "original/params.json"),
    ADAPTER: (
        "checkpoint-9000/optimizer.pt",
        "checkpoint-9000/rng_state.pth",
        "checkpoint-9000/scheduler.pt",
        "checkpoint-9000/training_args.bin",
        "checkpoint-8500/adapter_model.safetensors",
    ),
}
PAGES = ("README.md", ".gitattributes")

WHEEL_FILE = """Wheel-Version: 1.0
Generator: bdist_wheel (0.45.1)
Root-Is-Purelib: false
Tag: cp312-cp312-linux_x86_64
"""


def make_wheel(folder: Path) -> str:
    """Write flash-attn's stand-in into a folder, the device layer with it; gives its sha256.

    As in the real wheels the file's name says more than the version inside.
    """
    files: dict[str, bytes] = {}
    for path in sorted((STAND_INS / "flash_attn").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            files[str(path.relative_to(STAND_INS / "flash_attn"))] = path.read_bytes()
    for name in ("cuda_on_cpu.py", "cuda_on_cpu.pth"):
        files[name] = (STAND_INS / name).read_bytes()
    information = "flash_attn-2.8.3.dist-info"
    files[f"{information}/WHEEL"] = WHEEL_FILE.encode()
    rows = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(content)}\n")
    rows.append(f"{information}/RECORD,,\n")
    files[f"{information}/RECORD"] = "".join(rows).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():  # of no time, so that it is the same each time
            archive.writestr(zipfile.ZipInfo(name), content)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WHEEL).write_bytes(buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def serve_models(lab: Lab) -> None:
    """Have the hub serve both models, the base behind its licence."""
    hub = lab.mirror.hub
    folders = {BASE: hub.folder / BASE, ADAPTER: hub.folder / ADAPTER}
    for name, folder in folders.items():
        shutil.rmtree(folder, ignore_errors=True)
        for file in (*UNWANTED[name], *PAGES):
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(f"{file} of {name}\n")
    shutil.copytree(STAND_INS / "llama" / "base", folders[BASE], dirs_exist_ok=True)
    adapter = folders[ADAPTER] / "checkpoint-9000"
    shutil.copytree(STAND_INS / "llama" / "adapter", adapter, dirs_exist_ok=True)
    hub.gated = {BASE}
    hub.tokens = {TOKEN: {BASE}}


def target_settings(lab: Lab, python: str) -> dict[str, str]:
    """What a user with mirrors sets; everything else is as it is for everybody."""
    wheel = make_wheel(lab.folder / "local" / "flash-attn")
    own = {"PYENV_COMMIT", "PYENV_TAG"} & lab.environment.keys()
    return {
        **lab.mirror.variables(),
        **{name: lab.environment[name] for name in own},
        "PYTHON_VERSION": python,
        "FLASH_ATTN_SHA256": wheel,
        "NUM_SAMPLES": "2",
        "K_VALUES": "1,2",
        "TERM": "xterm-256color",
        **{name: SETTINGS[name] for name in SETTINGS if name.startswith("CCACHE_")},
    }


def memory() -> str:
    """The real /proc/meminfo with the target's memory."""
    text = Path("/proc/meminfo").read_text()
    for name, share in (("MemTotal", 1.0), ("MemFree", 0.9), ("MemAvailable", 0.95)):
        size = int(MEMORY_GIB * share * 1048576)
        text = re.sub(rf"(?m)^{name}:.*", f"{name}:{size:>15} kB", text)
    return text


def certificates() -> str:
    """Of whom this machine believes: where it reaches the world, so does one that is made here."""
    paths = ssl.get_default_verify_paths()
    return Path(paths.cafile or paths.openssl_cafile).read_text()


def package_layer(lab: Lab) -> Path:
    """The project as `git clone` gives it."""
    layer = lab.machines / "clone"
    clone = layer / HOME.lstrip("/") / "package"
    if not clone.exists():
        lab.copy_tree(clone)
        subprocess.run(["git", "init", "-q", clone], check=True)
        lab.commit(clone)
        subprocess.run(["chown", "-R", "1000:1000", layer / HOME.lstrip("/")], check=True)
    return layer


@contextmanager
def target(
    lab: Lab,
    layers: list[Path],
    settings: dict[str, str],
    files: dict[str, str] | None = None,
) -> Iterator[Machine]:
    """Such a machine, with the token of its user's in its file, and with other files."""
    files = {
        **(files or {}),
        "/usr/bin/nvidia-smi": (STAND_INS / "nvidia-smi").read_text(),
        "/etc/meminfo": memory(),
    }
    with lab.machine([package_layer(lab), *layers], settings=settings, files=files) as machine:
        prepare = "chmod 755 /usr/bin/nvidia-smi && mount --bind /etc/meminfo /proc/meminfo"
        machine.sh(prepare, user="root", check=True)
        keep = f"umask 077 && mkdir -p {Path(TOKEN_FILE).parent} && echo {TOKEN} >{TOKEN_FILE}"
        machine.sh(keep, check=True)
        yield machine


def python_layer(lab: Lab) -> tuple[Path, str] | None:
    """A CPython 3.12 of this machine as pyenv leaves one, and its version; None without one that an
    Ubuntu 22.04 can run."""
    for prefix in pythons_here():
        python = prefix / "bin" / "python3.12"
        ask = [str(python), "-c", "import platform; print(platform.python_version())"]
        version = subprocess.run(ask, capture_output=True, text=True).stdout.strip()
        if not version.startswith("3.12."):
            continue
        layer = lab.machines / f"python-{version}"
        target = layer / HOME.lstrip("/") / ".pyenv" / "versions" / version
        shutil.rmtree(layer, ignore_errors=True)
        without = shutil.ignore_patterns("test", "site-packages", "__pycache__", "*.a", "share")
        shutil.copytree(prefix, target, ignore=without, symlinks=True)
        # Its own library is sought where it was built.
        libraries = layer / "usr/lib/x86_64-linux-gnu"
        libraries.mkdir(parents=True)
        for library in (target / "lib").glob("libpython3.12.so*"):
            shutil.copy2(library, libraries, follow_symlinks=False)
        subprocess.run(["chown", "-R", "1000:1000", layer / HOME.lstrip("/")], check=True)
        works = (
            f"~/.pyenv/versions/{version}/bin/python -c 'import bz2, ctypes, lzma, sqlite3, ssl'"
        )
        with lab.machine([layer]) as machine:
            code, _ = machine.sh(works)
        lab.discard(machine)
        if code == 0:
            return layer, version
    return None


def pythons_here() -> list[Path]:
    """Where a CPython 3.12 may be: our own, and those of pyenv."""
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve().parents[1]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = [base, *sorted((root / "versions").glob("3.12.*"), reverse=True)]
    return [prefix for prefix in found if (prefix / "bin" / "python3.12").exists()]
