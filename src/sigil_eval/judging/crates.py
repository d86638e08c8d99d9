"""Find the crates that some problems need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sigil_eval.judging.toolchain import Toolchain
from sigil_eval.provisioned import provided, setup_command

BENCHMARK_CRATES = ("rand", "regex", "md5")
HOW_TO_GET_CRATES = "To get them: `{command}`; or name a folder with them: SIGIL_CRATES_DIR"


@dataclass(frozen=True)
class Crates:
    """The benchmark's external crates, compiled once: name to rlib, and where the rest lie.

    `fault` says why some are missing.
    """

    directory: Path | None = None
    rlibs: dict[str, Path] = field(default_factory=dict)
    found_by: str = ""
    fault: str = ""

    def has(self, names: Iterable[str]) -> bool:
        """Whether every one of `names` is there."""
        return all(name in self.rlibs for name in names)

    def complaint(self, needed: Mapping[str, Sequence[str]]) -> str:
        """Which problems cannot be scored without the crates that they need and that are missing,
        why, and the way out; empty where there are none."""
        left_out = [task for task, names in needed.items() if not self.has(names)]
        if not left_out:
            return ""
        missing = {name for task in left_out for name in needed[task]} - self.rlibs.keys()
        unknown = ", ".join(sorted(missing - set(BENCHMARK_CRATES)))
        reasons = [self.fault] if self.fault else []
        if unknown:
            reasons.append(f"{unknown}: no crate but {', '.join(BENCHMARK_CRATES)} can be used")
        how = HOW_TO_GET_CRATES.format(command=setup_command("--only rust"))
        return (
            f"left out for every model, because they cannot be scored here: {', '.join(left_out)}. "
            f"They need crates, and {'; '.join(reasons)}. "
            + (how if missing & set(BENCHMARK_CRATES) else "Take these problems out of the file")
        )


def find_crates(toolchain: Toolchain) -> Crates:
    """The crates in SIGIL_CRATES_DIR (what `cargo build` left in `target/release/deps`), else those
    that were provisioned. Those of another compiler are of no use to this one."""
    named = provided("crates")
    if named is None:
        return Crates(fault="none were provisioned, nor does SIGIL_CRATES_DIR name a folder")
    directory = Path(named.value)
    maker = _maker(directory)
    if maker not in ("", toolchain.version):
        fault = f"those in {directory} were made by {maker}, which {toolchain.version} cannot use"
        return Crates(directory, found_by=named.source, fault=fault)
    for inner in ("target/release/deps", "release/deps", "deps"):
        if (directory / inner).is_dir():
            directory = directory / inner
            break
    rlibs = {
        name: found[0]
        for name in BENCHMARK_CRATES
        if (found := sorted(directory.glob(f"lib{name}-*.rlib")))
    }
    missing = ", ".join(name for name in BENCHMARK_CRATES if name not in rlibs)
    fault = f"{named.value} has no {missing}" if missing else ""
    return Crates(directory, rlibs, named.source, fault)


def _maker(directory: Path) -> str:
    """The compiler that made the crates, where the set-up has noted it."""
    try:
        return (directory / "made-from").read_text(encoding="utf-8").strip().rpartition(" ")[0]
    except OSError:
        return ""
