"""Disturbs a cluster of three nodes on this machine while it judges, in every way there is, and
compares the results with those of one machine:

    python benchmarks/scaling/faults.py [NAME...]

It needs the extra `cluster`, and root for the disk that is full and for the links that are cut.
Ends with 1 where a result differs or a command did not end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from links import Links
from nodes import Nodes, free_port  # before Ray is imported: it sets what Ray then reads
from work import await_begin, other_rustc, results, write_work

PROGRAMS = 160
LIMIT_SECONDS = 600


class Scene:
    """A folder with work to do, and a head that nodes can be added to. `on` stands before the
    command, where it is to run on another machine."""

    def __init__(self, folder: Path, nodes: Nodes) -> None:
        self.folder, self.nodes = folder, nodes
        self.on: list[str] = []
        self.samples, self.problems = write_work(folder, PROGRAMS)

    def score(self, name: str, *more: str) -> subprocess.CompletedProcess[str]:
        given = ["--problem-file", str(self.problems), "--output-dir", str(self.folder / name)]
        command = [*self.on, sys.executable, "-m", "sigil_eval.cli", "score", str(self.samples)]
        command += [*given, *more]
        return subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=LIMIT_SECONDS
        )

    def disturbed(
        self, then: Callable[[], object], address: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Score on the cluster, and do something, in the main thread, as soon as something is
        judged."""
        with ThreadPoolExecutor(1) as other:
            ended = other.submit(self.score, "disturbed", "--ray", address or self.nodes.address)
            await_begin(self.folder / "disturbed" / ".verdicts.jsonl", ended.done)
            then()
            return ended.result()

    def same(self) -> bool:
        """Whether that has found what one machine has."""
        return results(self.folder / "alone") == results(self.folder / "disturbed")


def killed(scene: Scene) -> subprocess.CompletedProcess[str]:
    """A node goes without a word."""
    added = [scene.nodes.add() for _ in range(3)]
    return scene.disturbed(lambda: scene.nodes.kill(added[0]))


def rustc(scene: Scene) -> subprocess.CompletedProcess[str]:
    """A node has another compiler."""
    scene.nodes.add({"SIGIL_RUSTC": str(other_rustc(scene.folder))})
    scene.nodes.add()
    scene.nodes.add()
    return scene.disturbed(lambda: None)


def head(scene: Scene) -> subprocess.CompletedProcess[str]:
    """The head goes, with all nodes, and comes back after 20 s, with others."""
    port = free_port()
    first, others = _Apart(port), []

    def restart() -> None:
        first.kill_all()
        time.sleep(20)
        others.append(_Apart(port))

    try:
        return scene.disturbed(restart, f"127.0.0.1:{port}")
    finally:
        for other in others:
            other.kill_all()


class _Apart:
    """A cluster that another process has started, in a session of its own."""

    def __init__(self, port: int) -> None:
        command = [sys.executable, str(Path(__file__).with_name("nodes.py")), str(port), "3"]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        while self._process.stdout.readline() not in ("ready\n", ""):
            pass

    def kill_all(self) -> None:
        """As machines go that lose their power."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def partition(scene: Scene) -> subprocess.CompletedProcess[str]:
    """A node, its workers with it, does not answer for 30 s, and then does."""
    added = [scene.nodes.add() for _ in range(3)]

    def hold() -> None:
        scene.nodes.hold(added[0])
        time.sleep(30)
        scene.nodes.let_go(added[0])

    return scene.disturbed(hold)


def link(scene: Scene) -> subprocess.CompletedProcess[str]:
    """The link to a node is cut for 30 s."""
    return _cut(scene, 1, 30)


def long_link(scene: Scene) -> subprocess.CompletedProcess[str]:
    """The link to a node is cut for so long that Ray gives the node up."""
    return _cut(scene, 1, 120)


def head_link(scene: Scene) -> subprocess.CompletedProcess[str]:
    """The link to the head, on which the command runs, is cut for 30 s."""
    return _cut(scene, 0, 30)


def _cut(scene: Scene, machine: int, seconds: float) -> subprocess.CompletedProcess[str]:
    with Links(scene.folder, 3) as links:

        def cut() -> None:
            links.cut(machine)
            time.sleep(seconds)
            links.mend(machine)

        scene.on = links.on(0)
        return scene.disturbed(cut, links.address)


def disk(scene: Scene) -> subprocess.CompletedProcess[str]:
    """The disk that a node compiles on is full."""
    with small_disk(scene.folder / "small") as small:
        scene.nodes.add({"TMPDIR": str(small)})
        scene.nodes.add()
        scene.nodes.add()
        return scene.disturbed(lambda: fill(small))


def fill(disk: Path) -> None:
    """Leave no room."""
    try:
        with (disk / "full").open("wb") as file:
            while True:
                file.write(bytes(1 << 16))
    except OSError:
        pass


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A disk of 200 MB."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


FAULTS = {
    scene.__name__: scene
    for scene in (killed, rustc, head, partition, disk, link, head_link, long_link)
}


def main(names: list[str]) -> int:
    failed = 0
    with tempfile.TemporaryDirectory(prefix="sigil-eval-faults-") as temporary:
        place = Path(temporary)
        place.chmod(0o755)
        os.environ["XDG_CACHE_HOME"] = str(place / "cache")
        for name in names or list(FAULTS):
            folder = place / name
            folder.mkdir()
            began = time.monotonic()
            with Nodes(patience=name == "partition") as nodes:
                scene = Scene(folder, nodes)
                alone = scene.score("alone")
                assert alone.returncode == 0, alone.stderr
                ended = FAULTS[name](scene)
            same = ended.returncode == 0 and results(folder / "alone") == results(
                folder / "disturbed"
            )
            failed += not same
            print(
                f"{name}: {'the same bytes' if same else 'NOT THE SAME'}, "
                f"{time.monotonic() - began:.0f} s, code {ended.returncode}"
            )
            told = [
                line for line in ended.stderr.split("\n") if line.startswith(("warning", "error"))
            ]
            print("".join(f"    {line}\n" for line in told), end="", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
