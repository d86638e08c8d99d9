"""Ubuntu 22.04 machines to set up and to break: a real root file system, with layers above it.

A machine is an overlay of read-only layers and one writable layer, in mount and process namespaces
of its own, with a user `ubuntu` who has sudo. What a machine has written can be the layer of the
next one, so a step can be tried again and again from the very state before it. Needs root.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

RELEASE = "jammy"
ARCHIVE = os.environ.get("UBUNTU_ARCHIVE", "http://archive.ubuntu.com/ubuntu")
KEYRING = "pool/main/u/ubuntu-keyring/ubuntu-keyring_2021.03.26_all.deb"
KEYRING_SHA256 = "0d0e7ed6b112f5d03eabf3c7eb01ebdacf9c57714b279e90495cfc58c8c4520f"
USER = "ubuntu"
HOME = f"/home/{USER}"

# What a rented machine has and debootstrap's smallest variant lacks.
PACKAGES = "ca-certificates,ccache,curl,gnupg,python3,python3-pip,sudo"

PREPARE = f"""
set -eu
echo 'debconf debconf/frontend select Noninteractive' | debconf-set-selections
printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
useradd --create-home --shell /bin/bash {USER}
echo '{USER} ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/{USER}
echo '127.0.0.1 localhost' >/etc/hosts
"""

MACHINE_NAME = {"/etc/machine-id": "5162ab4e9a4f4d0c8a3e1f60b7d2c913\n"}  # systemd gives one

# Mounts the layers at $1 and stays, as the machine's first process.
BOOT = """
set -eu
root=$1 options=$2
mount --make-rprivate /
mount -t overlay overlay -o "$options" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount -t tmpfs tmpfs "$root/dev" -o mode=755
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts devpts "$root/dev/pts" -o newinstance,ptmxmode=0666,mode=0620
mount -t tmpfs tmpfs "$root/dev/shm" -o mode=1777
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device" && mount --bind "/dev/$device" "$root/dev/$device"
done
cd "$root"
pivot_root . mnt
umount -l /mnt
exec bash -c 'while :; do sleep 1000 & wait $!; done'  # gathers the dead, as a first process must
"""


def base_root(folder: Path) -> Path:
    """The bare Ubuntu 22.04 under `folder`, made by debootstrap when it is not there yet."""
    root = folder / "base"
    if root.is_dir():
        return root
    folder.mkdir(parents=True, exist_ok=True)
    keyring = folder / "keyring.deb"
    subprocess.run(["curl", "-fsSL", "-o", keyring, f"{ARCHIVE}/{KEYRING}"], check=True)
    assert hashlib.sha256(keyring.read_bytes()).hexdigest() == KEYRING_SHA256, "another keyring"
    subprocess.run(["dpkg-deb", "-x", keyring, folder / "keyring"], check=True)
    keys = folder / "keyring/usr/share/keyrings/ubuntu-archive-keyring.gpg"
    part = folder / "base.part"
    shutil.rmtree(part, ignore_errors=True)
    command = ["debootstrap", "--variant=minbase", f"--keyring={keys}", f"--include={PACKAGES}"]
    command += ["--components=main,universe", RELEASE, str(part), ARCHIVE]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["chroot", part, "/bin/sh", "-c", PREPARE], check=True)
    part.rename(root)
    return root


DISK_GIGABYTES = 64  # of memory, as far as it is written


@dataclass
class Machine:
    """A running machine; `upper` is the folder of its writable layer."""

    layers: Sequence[Path]
    folder: Path
    own_disk: bool = False  # the writable layer on a small disk of its own, which can be filled
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)  # written before the machine starts

    def __enter__(self) -> Machine:
        self.folder.mkdir(parents=True)
        self._store = self.folder / "store"
        self._store.mkdir()
        if self.own_disk:
            self._make_disk()
        self.upper = self._store / "upper"
        for name in ("upper", "work"):
            (self._store / name).mkdir(exist_ok=True)
        for path, text in (MACHINE_NAME | self.files).items():
            file = self.upper / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        root = self.folder / "root"
        root.mkdir()
        lower = ":".join(str(layer) for layer in reversed(self.layers))
        options = f"lowerdir={lower},upperdir={self.upper},workdir={self._store / 'work'}"
        command = ["setpriv", "--pdeathsig", "KILL"]  # not to outlive us
        command += ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        command += ["sh", "-c", BOOT, "boot", str(root), options]
        with (self.folder / "boot.log").open("w") as log:
            self._holder = subprocess.Popen(command, stdout=log, stderr=log)
        self._init = self._wait_for_init()
        self.sh("mkdir -p /run/lock /run/user && chmod 1777 /run/lock", user="root", check=True)
        return self

    def _wait_for_init(self) -> int:
        """The process in the host's numbering that sleeps as the machine's first."""
        children = Path(f"/proc/{self._holder.pid}/task/{self._holder.pid}/children")
        for _ in range(200):
            pids = children.read_text().split() if children.exists() else []
            if pids and Path(f"/proc/{pids[0]}/cmdline").read_bytes().startswith(b"bash"):
                return int(pids[0])
            if self._holder.poll() is not None:
                break
            time.sleep(0.05)
        raise RuntimeError(f"the machine did not start: {(self.folder / 'boot.log').read_text()}")

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process of the machine; what it wrote stays in `upper`."""
        if self._holder.poll() is None:
            os.kill(self._init, signal.SIGKILL)
            self._holder.wait()
        if self.own_disk:
            subprocess.run(["umount", self._store], check=True)

    def kill_all(self) -> None:
        """SIGKILL to every process of the machine but its first."""
        self.sh("kill -9 -1", user="root")

    def _make_disk(self) -> None:
        options = ["-t", "tmpfs", "-o", f"size={DISK_GIGABYTES}g"]
        subprocess.run(["mount", *options, "tmpfs", self._store], check=True)

    def fill_disk(self, room_megabytes: int) -> None:
        """Shrink the machine's own disk until there is only so much room left."""
        used = shutil.disk_usage(self._store).used
        self._resize(f"{(used + (room_megabytes << 20)) >> 10}k")

    def free_disk(self) -> None:
        """Give the machine's own disk its size back."""
        self._resize(f"{DISK_GIGABYTES}g")

    def _resize(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", self._store], check=True)

    def _enter(self, user: str) -> list[str]:
        line = ["nsenter", "-t", str(self._init), "--mount", "--pid", "--root", "--wdns=/"]
        if user != "root":
            line += ["setpriv", "--reuid", user, "--regid", user, "--init-groups"]
        home = "/root" if user == "root" else HOME
        settings = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": home,
            "USER": user,
            "LANG": "C.UTF-8",
            **self.environment,
        }
        return [*line, "env", "-i", "-C", home, *(f"{k}={v}" for k, v in settings.items())]

    def start(
        self, script: str, *, user: str = USER, stdout: int | None = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        """Start a shell script in a process group of its own, so that it can be interrupted."""
        return subprocess.Popen(
            [*self._enter(user), "bash", "-c", script],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def sh(
        self, script: str, *, user: str = USER, check: bool = False, timeout: float = 1800
    ) -> tuple[int, str]:
        """Run a shell script to its end: exit code, and what it printed."""
        process = self.start(script, user=user)
        output, _ = process.communicate(timeout=timeout)
        if check and process.returncode:
            raise RuntimeError(f"{script!r} ended with {process.returncode}:\n{output}")
        return process.returncode, output


# What differs between two set-ups that did the same: logs and times, what is kept to be downloaded
# no second time, and compiled Python, which holds the times of its sources.
VOLATILE = (
    f"{HOME}/.sigilderg/logs",
    f"{HOME}/.sigilderg/steps.tsv",
    f"{HOME}/.sigilderg/lock",
    f"{HOME}/.sigilderg/cache",
    "*/__pycache__",
)
# Files whose content names the moment in which they were made, or that git and rustup write in
# whatever order.
DATED = re.compile(
    r"/pyenv/\.git/|/libpython3\.\d+\.(a|so\.1\.0)$|/multirust-channel-manifest\.toml$"
)


def tree(machine: Machine, *roots: str) -> dict[str, str]:
    """Path -> kind, mode, owner, and content or target of all under `roots` but what is volatile.

    The content is given as its size and, of what this machine has written itself, its sha256.
    """
    script = (
        "cd / && for root in "
        + " ".join(roots)
        + "; do [ ! -e $root ] || find $root \\( "
        + " -o ".join(f"-path '{path}'" for path in VOLATILE)
        + r" \) -prune -o -type f -printf '%p\tf %m %u %s\n' -o -printf '%p\t%y %m %u %l\n'; done"
    )
    _, listing = machine.sh(script, user="root", check=True)
    found = dict(line.split("\t", 1) for line in listing.splitlines())
    written = {
        path: file
        for path, kind in found.items()
        if kind.startswith("f ") and (file := machine.upper / path.lstrip("/")).is_file()
    }
    with ThreadPoolExecutor() as threads:
        for path, digest in zip(written, threads.map(sha256_of, written.values()), strict=True):
            found[path] += f" {digest}"
    for path in filter(DATED.search, found):
        found[path] = " ".join(found[path].split()[:3])
    return found


def sha256_of(file: Path) -> str:
    """The sha256 of a file's content."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def packages(machine: Machine) -> list[str]:
    """The packages that are installed, with their versions."""
    _, listing = machine.sh(
        "dpkg-query -W -f '${db:Status-Abbrev} ${Package} ${Version}\\n'", user="root", check=True
    )
    return listing.splitlines()
