"""The one place that starts a sandbox: Firejail, which self_test.py proves at every start.

What it covers: no network, no host files but the system's programs and libraries and the
compiler, no writes outside the job's own folder (compile) or anywhere (run), a system-call filter,
limits on memory, processor time, file size and descriptors, and an end by SIGKILL at the deadline.
What it does not cover: a hole in the kernel, in Firejail or in rustc itself.
"""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

from sigil_eval.errors import PreflightError
from sigil_eval.judging.limits import Limits, Phase
from sigil_eval.judging.process import Finished, Identity, run_bounded
from sigil_eval.judging.toolchain import Toolchain
from sigil_eval.judging.workplace import REFUSED_CHARACTERS, never_executable
from sigil_eval.provisioned import provided, setup_command
from sigil_eval.rust.vocabulary import words

SANDBOX_USER = "sigil-sandbox"

# Names where Firejail 0.9.66's table has them, numbers where it lacks them: io_uring (425-427),
# pidfd_getfd (438), pidfd_open (434), and clone3 (435), which must look absent so that threads
# start through clone.
_SECCOMP = (
    "$425,$426,$427,$438,$435:ENOSYS,unshare,setns,process_vm_writev,kcmp,execveat,socket,connect,"
    "bind,listen,accept,accept4,inotify_init,inotify_init1,msgget,semget,shmget,mq_open,mknod,"
    "mknodat,sched_setscheduler,sched_setattr,setpriority,syslog,personality"
)
_SECCOMP_RUN = _SECCOMP + ",$434,memfd_create,socketpair,sched_setaffinity"
# Of the machine, what compiling and running need: these stay, or Firejail itself replaces them.
# Of /usr and /run, the folders that are named stay; all else is hidden, whatever a machine has.
_NEEDED = {
    "/": words("bin dev etc home lib lib32 lib64 libx32 proc root run sbin tmp usr"),
    "/usr": words("bin lib lib32 lib64 libexec libx32 sbin"),
    "/run": words("firejail"),
}


class Sandbox(Protocol):
    """Runs one command confined to a job's folder."""

    description: str
    identity: Identity | None

    def run(
        self, phase: Phase, command: Sequence[str], *, folder: Path, timeout: float, stdin: bytes
    ) -> Finished:
        """Run `command` with `folder` as its working directory and only visible work area."""
        ...


class NoSandbox:
    """Runs commands as they are: for debugging, never for models that are not trusted."""

    description = "none"
    identity: Identity | None = None

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def run(
        self, phase: Phase, command: Sequence[str], *, folder: Path, timeout: float, stdin: bytes
    ) -> Finished:
        """Run `command` under resource limits alone."""
        limits = self._limits
        memory = limits.compile_memory if phase == "compile" else limits.run_memory
        seconds = limits.compile_cpu if phase == "compile" else limits.driver_cpu
        limited = ["prlimit", "--core=0", f"--as={memory}", f"--cpu={seconds}"]
        environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        return run_bounded(
            [*limited, *command],
            cwd=folder,
            environment=environment,
            timeout=timeout,
            silence=self._limits.silence(phase),
            stdin=stdin,
        )


class FirejailSandbox:
    """Firejail 0.9.66 or later, with one command line for compiling and one for running."""

    def __init__(self, toolchain: Toolchain, limits: Limits, shared: Path) -> None:
        """`shared` is a folder that every job may read (the precompiled runtime).

        Raises PreflightError when Firejail is missing or too old, or when the harness runs as
        root and there is no ordinary user to run programs as.
        """
        self._executable = _find_firejail()
        self.version = _firejail_version(self._executable)
        self.description = f"firejail {'.'.join(map(str, self.version))}"
        self.identity = ordinary_identity()
        self._toolchain = toolchain
        self._limits = limits
        self._shared = shared
        self._check_toolchain()

    @cached_property
    def _home(self) -> Path:
        return self.identity.home if self.identity else Path.home()

    def run(
        self, phase: Phase, command: Sequence[str], *, folder: Path, timeout: float, stdin: bytes
    ) -> Finished:
        """Run `command` inside Firejail; exit statuses are the command's own."""
        line = self._compile_line(folder) if phase == "compile" else self._run_line(folder)
        return run_bounded(
            [*line, *command],
            cwd=folder,
            environment={
                # Without it Firejail runs a program unconfined, and only warns, where it takes
                # itself to be inside a container.
                "container": "docker",
                "LC_ALL": "C.UTF-8",
                "PATH": "/usr/bin:/bin",
                "HOME": str(self._home),
            },
            timeout=timeout,
            silence=self._limits.silence(phase),
            stdin=stdin,
            identity=self.identity,
        )

    def _common(self, *shown: Path) -> list[str]:
        """What compiling and running have in common; of the machine, the system and `shown`."""
        older = ["--shell=none"] if self.version < (0, 9, 72) else ["--restrict-namespaces"]
        line = [
            *("prlimit", "--core=0", "--msgqueue=0"),
            *(str(self._executable), "--quiet", "--noprofile", *older),
            *("--deterministic-exit-code", "--net=none", "--ipc-namespace", "--caps.drop=all"),
            *("--nonewprivs", "--noroot", "--nogroups", "--seccomp.block-secondary"),
            *("--private-dev", "--private-tmp", "--machine-id", "--hostname=sandbox"),
            *self._view(self._shared, *shown),
            *("--read-only=/", "--read-only=/tmp", "--read-only=/dev/shm"),
        ]
        if self._home.is_dir():
            line.append(f"--read-only={self._home}")
        return line

    def _view(self, *shown: Path) -> list[str]:
        """Of folders that are not the system's, these paths, and nothing beside them.

        A path that is shown makes Firejail hide the rest of the folder of / that holds it, or of
        HOME; a folder that holds none is hidden whole. (--private and --disable-mnt hide a path
        that is shown as well, wherever a data disk or a home holds the compiler or the work.)
        Below /usr it shows no single path, so there what lies beside is hidden on the way down.
        """
        options = [f"--whitelist={path}" for path in shown if not path.is_relative_to("/usr")]
        if not any(path.is_relative_to(self._home) for path in shown):
            options.append("--private")
        kept = [str(path) for path in shown]
        hidden = sorted({place for root in _NEEDED for place in _beside(root, kept)})
        return options + [f"--blacklist={_as_pattern(place)}" for place in hidden]

    def _compile_line(self, folder: Path) -> list[str]:
        return [
            *self._common(folder, self._toolchain.sysroot),
            f"--read-only={self._toolchain.sysroot}",
            f"--read-write={folder}",
            f"--seccomp={_SECCOMP}",
            "--private-etc=ld.so.cache,alternatives",
            f"--rlimit-as={self._limits.compile_memory}",
            f"--rlimit-cpu={self._limits.compile_cpu}",
            f"--rlimit-fsize={64 << 20}",
            "--rlimit-nofile=512",
            "--rlimit-nproc=4096",
        ]

    def _run_line(self, folder: Path) -> list[str]:
        return [
            *self._common(folder),
            f"--read-only={folder}",
            f"--seccomp={_SECCOMP_RUN}",
            "--memory-deny-write-execute",
            "--private-etc=ld.so.cache",
            "--private-bin=none",
            f"--rlimit-as={self._limits.run_memory}",
            f"--rlimit-cpu={self._limits.driver_cpu}",
            f"--rlimit-fsize={1 << 20}",
            "--rlimit-nofile=64",
            "--rlimit-sigpending=64",
            "--rlimit-nproc=4096",
        ]

    def _check_toolchain(self) -> None:
        sysroot = self._toolchain.sysroot
        if never_executable(sysroot):
            raise PreflightError(
                f"the Rust toolchain at {sysroot} cannot be run in the sandbox: Firejail lets "
                "nothing be executed under /var, /etc and /dev. Set STATE_DIR to another folder "
                f"and run `{setup_command('--only rust')}`, or name another toolchain with "
                "SIGIL_RUSTC"
            )
        if self.identity is None:
            return
        closed = [path for path in (sysroot, *sysroot.parents) if not path.stat().st_mode & 0o001]
        if closed:
            raise PreflightError(
                f"the sandbox's user '{self.identity.name}' cannot read the Rust toolchain at "
                f"{sysroot}, because {closed[-1]} is closed to others. Run "
                f"`{setup_command('--only rust')}`, which puts one under /usr/local/lib/sigilderg, "
                "or name one that everyone can read with SIGIL_RUSTC"
            )


def _beside(folder: str, shown: Sequence[str]) -> Iterator[str]:
    """What lies in `folder`, and in the folders on the way to what is shown, and is not needed."""
    needed = _NEEDED.get(folder, frozenset())
    for entry in os.scandir(folder):
        place = entry.path
        if entry.name in needed or place in shown:
            continue
        if not any(path.startswith(f"{place}/") for path in shown):
            yield place
        elif place.startswith("/usr/"):
            yield from _beside(place, shown)


def _as_pattern(path: str) -> str:
    """A pattern that a path matches, without the characters that Firejail refuses in names."""
    return REFUSED_CHARACTERS.sub("?", path)


def installed_firejail() -> tuple[Path, str]:
    """Where Firejail is, and its version. Raises PreflightError where it will not do."""
    executable = _find_firejail()
    return executable, ".".join(map(str, _firejail_version(executable)))


def _find_firejail() -> Path:
    found = shutil.which(os.environ.get("SIGIL_FIREJAIL", "firejail"))
    if found is None:
        raise PreflightError(
            "Firejail is not installed, and programs written by a model are not run without it. "
            "Install it (`sudo apt-get install firejail`), or accept the risk explicitly with "
            "--sandbox-mode none --allow-no-sandbox"
        )
    return Path(found)


def _firejail_version(executable: Path) -> tuple[int, ...]:
    text = subprocess.run(
        [executable, "--version"], capture_output=True, text=True, stdin=subprocess.DEVNULL
    ).stdout
    match = re.search(r"firejail version (\d+)\.(\d+)\.(\d+)", text)
    if match is None:
        raise PreflightError(f"{executable} --version gives no version: {text.strip()[:200]!r}")
    version = tuple(int(part) for part in match.groups())
    if version < (0, 9, 66):
        raise PreflightError(
            f"Firejail {'.'.join(match.groups())} is too old; 0.9.66 or later is needed"
        )
    return version


def ordinary_identity() -> Identity | None:
    """Who programs run as: ourselves, or an ordinary user when we are root."""
    if os.geteuid() != 0:
        return None
    named = provided("sandbox_user")
    name = named.value if named else SANDBOX_USER
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise PreflightError(
            f"as root, programs are run as the ordinary user '{name}', which does not exist. "
            f"Create it (`useradd --no-create-home --shell /bin/sh {name}`), or name another "
            "with SIGIL_SANDBOX_USER"
        ) from None
    if entry.pw_uid < 1000 or name == "nobody":
        raise PreflightError(
            f"'{name}' (uid {entry.pw_uid}) is a system user, which Firejail refuses; name an "
            "ordinary one with SIGIL_SANDBOX_USER"
        )
    return Identity(name, entry.pw_uid, entry.pw_gid, Path(entry.pw_dir))
