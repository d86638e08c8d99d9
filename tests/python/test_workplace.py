"""The sandbox where disks are mounted otherwise: data disks and TMPDIR that hold what it needs.

Each case has a mount namespace of its own, so it takes root; programs run as an ordinary user.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sigil_eval.judging.toolchain import find_toolchain
from sigil_eval.judging.workplace import new_workplace

SOURCES = Path(__file__).resolve().parents[2] / "src"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount")

# Mounts a disk over $1, puts the compiler at $1/$2, and beside it what is nobody's business.
MOUNTED = """
set -eu
mount --make-rprivate /
mkdir -p "$1" && mount -t tmpfs -o mode=755 disk "$1"
mkdir -p "$1/$2" && mount --bind "$SYSROOT" "$1/$2"
echo secret >"$1/secret" && chmod 644 "$1/secret"
mkdir -m 1777 "$1/tmp"
export SIGIL_RUSTC=$1/$2/bin/rustc
exec "$PYTHON" -c "$PROGRAM" "$1/secret"
"""

# Proves the sandbox, then looks for the secret inside.
PROGRAM = """
import sys
from pathlib import Path
from sigil_eval.judging.judge import Judge, JudgeSettings

with Judge(JudgeSettings(workers=1)) as judge:
    print(judge.self_test[0])
    folder = judge.sandbox._shared
    for phase, command in (("compile", ["/bin/cat", sys.argv[1]]), ("compile", ["/bin/ls", "/"])):
        found = judge.sandbox.run(phase, command, folder=folder, timeout=30, stdin=b"")
        print(found.stdout.decode())
"""


def mounted(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["unshare", "--mount", "bash", "-c", script, "bash", *arguments],
        env={
            **os.environ,
            "PYTHON": sys.executable,
            "PYTHONPATH": str(SOURCES),
            "PROGRAM": PROGRAM,
            "SYSROOT": str(find_toolchain().sysroot),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=120,
    )


@needs_root
@pytest.mark.parametrize(
    ("disk", "toolchain", "tmpdir"),
    [
        ("/mnt", "data/toolchain", "/tmp"),  # noqa: S108
        ("/mnt", "data/toolchain", "/mnt/tmp"),
        ("/media", "toolchain", "/var/tmp"),  # noqa: S108
        ("/opt", "toolchain", "/opt/tmp"),
        ("/srv", "a/b/toolchain", "/tmp"),  # noqa: S108
        ("/data", "toolchain", "/data/tmp"),
    ],
)
def test_the_sandbox_holds_wherever_the_compiler_lies(
    disk: str, toolchain: str, tmpdir: str
) -> None:
    made = not Path(disk).exists()
    try:
        finished = mounted(MOUNTED, disk, toolchain, TMPDIR=tmpdir)
    finally:
        if made:
            Path(disk).rmdir()
    assert finished.returncode == 0, finished.stderr
    assert "can do none of them" in finished.stdout
    assert "usr" in finished.stdout.split()
    assert "secret" not in finished.stdout


@needs_root
def test_a_folder_whose_name_firejail_refuses_is_hidden() -> None:
    odd = Path("/odd, name!")
    mount = 'mount -t tmpfs disk "$1" && echo secret >"$1/secret"'
    odd.mkdir()
    try:
        finished = mounted(f'{mount} && exec "$PYTHON" -c "$PROGRAM" "$1/secret"', str(odd))
    finally:
        odd.rmdir()
    assert finished.returncode == 0, finished.stderr
    assert "can do none of them" in finished.stdout
    assert "secret" not in finished.stdout


# Puts a secret that anyone may read wherever a machine could have one, and has programs look.
LEAKS = """
import os, sys
from pathlib import Path
from sigil_eval.answers.program import Program
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.problems import load_problem_set

problem = load_problem_set("humaneval-rust").by_id["HumanEval/28"]
FUNCTION = "fn concatenate(_: Vec<String>) -> String"
READ = FUNCTION + '{ panic!("{:?}", std::fs::read_to_string("PATH").is_ok()) }'
LIST = FUNCTION + '{ panic!("{:?}", std::fs::read_dir("PATH").is_ok()) }'
SHOW = 'const H: &str = include_str!("PATH"); ' + FUNCTION + '{ panic!("LEAK {}", H) }'
codes = []
for name in sys.argv[1:]:
    folder = Path(name)
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "secret.txt").write_text("the secret")
    (folder / "secret.txt").chmod(0o644)
    codes += [text.replace("PATH", f"{name}/secret.txt") for text in (READ, SHOW)]
    codes += [LIST.replace("PATH", name)]
with Judge(JudgeSettings(workers=2)) as judge:
    verdicts = {p.code: v for p, v in judge.judge([Program(problem, code) for code in codes])}
    for code in codes:
        print(verdicts[code].error_type, verdicts[code].stderr)
"""
PLACES = (
    *("/srv", "/opt", "/mnt", "/media", "/home", "/root", "/run", "/etc", "/var/lib", "/var/tmp"),  # noqa: S108
    *("/tmp", "/dev/shm", "/usr/local", "/usr/local/lib", "/usr/src", "/usr/share"),  # noqa: S108
)


@needs_root
def test_what_anyone_may_read_is_not_shown() -> None:
    """No file of the host's ends up in a message, wherever it lies, and none is seen running."""
    folders = [f"{place}/sigil-canary-{os.getpid()}" for place in PLACES]
    folders.append(f"/sigil-new-{os.getpid()}/inner")
    try:
        program = [sys.executable, "-c", LEAKS, *folders]
        environment = {**os.environ, "PYTHONPATH": str(SOURCES)}
        told = subprocess.run(program, capture_output=True, text=True, env=environment, timeout=300)
    finally:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        Path(folders[-1]).parent.rmdir()
    assert told.returncode == 0, told.stderr
    assert told.stdout.count("compile_error") == len(folders), told.stdout
    assert told.stdout.count("runtime_error") == 2 * len(folders), told.stdout
    assert "the secret" not in told.stdout and "true" not in told.stdout, told.stdout


@needs_root
def test_where_temporary_files_may_not_be_executed_programs_are_run_elsewhere(
    tmp_path: Path,
) -> None:
    noexec = 'mount -t tmpfs -o noexec,mode=1777 disk "$1" && exec "$PYTHON" -c "$PROGRAM" "$1"'
    finished = mounted(noexec, str(tmp_path), TMPDIR=str(tmp_path))
    assert finished.returncode == 0, finished.stderr
    assert "can do none of them" in finished.stdout


@needs_root
def test_a_toolchain_that_the_sandbox_cannot_run_is_named() -> None:
    finished = mounted(MOUNTED, "/var/lib", "toolchain")
    assert finished.returncode != 0
    assert "/var/lib/toolchain cannot be run in the sandbox" in finished.stderr
    closed = MOUNTED.replace('chmod 644 "$1/secret"', 'chmod 700 "$1"')
    finished = mounted(closed, "/mnt", "toolchain")
    assert "cannot read the Rust toolchain at /mnt/toolchain, because /mnt is" in finished.stderr


# Judges a right program and a wrong one; says where it worked.
JUDGING = """
from sigil_eval.answers.program import Program
from sigil_eval.judging.judge import Judge, JudgeSettings
from sigil_eval.problems import load_problem_set

problem = load_problem_set("humaneval-rust").by_id["HumanEval/28"]
signature = "fn concatenate(strings: Vec<String>) -> String "
bodies = "{ strings.concat() }", '{ unsafe { String::new() } }'
with Judge(JudgeSettings(workers=1)) as judge:
    print(judge._root.parent)
    given = judge.judge([Program(problem, signature + body) for body in bodies])
    print(*sorted(verdict.outcome for _, verdict in given))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="open-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def judged_with(umask: int = 0o022, **environment: str) -> list[str]:
    """Where programs were judged, and the verdicts."""
    finished = subprocess.run(
        [sys.executable, "-c", JUDGING],
        env={**os.environ, "PYTHONPATH": str(SOURCES), **environment},
        umask=umask,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.split("\n")[:2]


@pytest.mark.parametrize("umask", [0o077, 0o777])
def test_verdicts_do_not_depend_on_the_umask(umask: int) -> None:
    assert judged_with(umask)[1] == "failed passed"


@pytest.mark.parametrize("name", ["a b", "a$b", "-d", "é", "#:=(x)~"])
def test_temporary_files_may_lie_under_an_odd_name(open_folder: Path, name: str) -> None:
    odd = open_folder / name
    odd.mkdir()
    assert judged_with(TMPDIR=str(odd)) == [str(odd), "failed passed"]


def test_temporary_files_may_lie_behind_a_link(open_folder: Path) -> None:
    (open_folder / "real").mkdir()
    (open_folder / "link").symlink_to("real")
    place = str(open_folder / "real")
    assert judged_with(TMPDIR=str(open_folder / "link")) == [place, "failed passed"]


@pytest.mark.parametrize("tmpdir", ["/dev/shm", "/var/tmp", "x,y;z", "${HOME}", "a\nb", "closed"])  # noqa: S108
def test_where_the_sandbox_could_not_work_another_place_is_taken(
    open_folder: Path, tmpdir: str
) -> None:
    unfit = open_folder / tmpdir
    unfit.mkdir(exist_ok=True)
    if tmpdir == "closed":
        unfit.chmod(0o700 if os.geteuid() == 0 else 0)
    assert judged_with(TMPDIR=str(unfit)) == ["/tmp", "failed passed"]  # noqa: S108


def test_folders_of_harnesses_that_are_gone_are_removed(
    monkeypatch: pytest.MonkeyPatch, open_folder: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(open_folder))
    gone, living = open_folder / "sigil-eval-4194305-x", open_folder / f"sigil-eval-{os.getpid()}-x"
    gone.mkdir()
    living.mkdir()
    claimed = new_workplace()
    made = claimed.folder
    assert made.parent == open_folder and made.stat().st_mode & 0o777 == 0o711
    assert living.exists() and not gone.exists()
    claimed.remove()
    assert not made.exists()


def test_the_folder_of_a_harness_in_another_container_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch, open_folder: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(open_folder))
    claimed = new_workplace()
    # As another container sees it: there is no process of this number.
    unseen = claimed.folder.rename(open_folder / "sigil-eval-4194305-x")
    other = new_workplace()
    assert unseen.exists()
    os.close(claimed._lock)
    other.remove()
    new_workplace().remove()
    assert not unseen.exists()
