"""Delete or turn round each probe, verification and finding: some test must notice.

Usage: mutation.py [FUNCTION...]     a line for each change; fails if one goes unnoticed

A copy of the tree for each processor is changed and tested, one change at a time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).parents[2]

# Which functions decide whether something is as it should be, and where they are tested. House
# rules are about how the code looks and would notice any change.
DECIDES = re.compile(
    r"^(\w+_(?:probe|verify|answers)|find_(?!pythons|rustcs)\w+|answers|compiles_programs|can_\w+"
    r"|rust_can_be_had|flash_attn_works|complete_python|import_all_extensions|models_are_here|stamped"
    r"|missing_packages|run_is_alive|lock_is_held|confirm_removal|pinned_\w+|check_\w+|sudo_may_ask"
    r"|is_passed_on)\(\)",
    re.MULTILINE,
)
TESTS = {
    "eval_setup.sh": ["options", "session"],
    "cli_tools.sh": ["models"],
    "crates.sh": ["rust"],
    "environment.sh": ["preflight"],
    "evaluation.sh": ["models", "session"],
    "gpu.sh": ["h100", "preflight"],
    "huggingface.sh": ["preflight", "h100"],
    "models.sh": ["models"],
    "network.sh": ["preflight", "download"],
    "python_env.sh": ["python_env", "models"],
    "pytorch.sh": ["h100", "packages"],
    "root.sh": ["system_deps", "preflight", "steps"],
    "run_record.sh": ["session"],
    "rust.sh": ["rust"],
    "settings.sh": ["options"],
    "sandbox.sh": ["packages"],
    "sigilderg.sh": ["packages", "models"],
    "state.sh": ["steps", "python_env", "rust", "session"],
    "steps.sh": ["steps"],
    "system_deps.sh": ["system_deps", "preflight", "steps"],
    "uninstall.sh": ["uninstall"],
    "variables.sh": ["session"],
    "vllm.sh": ["packages"],
}
DELETED = "{name}() {{ :; }}\n"
TURNED_ROUND = (
    'eval "original_$(declare -f {name})"\n'
    '{name}() {{ if original_{name} "$@"; then return 1; else return 0; fi; }}\n'
)
# A finding answers by what it prints.
FINDING_TURNED_ROUND = (
    'eval "original_$(declare -f {name})"\n'
    '{name}() {{ [[ -n $(original_{name} "$@") ]] || finding stop turned a b c d; }}\n'
)


@dataclass(frozen=True)
class Change:
    """A function that decides, and what it becomes."""

    file: str  # relative to the tree
    function: str
    kind: str

    @property
    def code(self) -> str:
        """The shell code that is put after the function."""
        if self.kind == "deleted":
            return DELETED.format(name=self.function)
        finding = self.function.startswith("find_")
        return (FINDING_TURNED_ROUND if finding else TURNED_ROUND).format(name=self.function)


def changes(wanted: list[str]) -> list[Change]:
    """All changes of the named functions, or of all that decide."""
    files = ["eval_setup.sh", *(f"lib/{file.name}" for file in sorted((ROOT / "lib").glob("*.sh")))]
    return [
        Change(file, function, kind)
        for file in files
        for function in DECIDES.findall((ROOT / file).read_text())
        if not wanted or function in wanted
        for kind in ("deleted", "turned round")
    ]


def is_noticed(tree: Path, change: Change) -> bool:
    """Whether the tests of a file fail when it is changed so."""
    file = tree / change.file
    original = file.read_text()
    if file.name == "eval_setup.sh":
        file.write_text(original.replace('\nmain "$@"\n', f'\n{change.code}\nmain "$@"\n'))
    else:
        file.write_text(original + change.code)
    try:
        return any(has_failure(tree / f"tests/bats/{suite}.bats") for suite in TESTS[file.name])
    finally:
        file.write_text(original)


def has_failure(suite: Path) -> bool:
    """Run a suite as far as its first failure."""
    command = ["timeout", "300", "bats", "--tap", str(suite)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        for line in process.stdout:
            if line.startswith("not ok"):
                process.terminate()
                return True
    return process.returncode != 0


def copy_tree(folder: Path) -> Path:
    """A copy of the working tree that other users can read: some tests run as one."""
    tree = folder / "tree"
    left_out = shutil.ignore_patterns(".git", ".test-venv", ".*_cache")
    shutil.copytree(ROOT, tree, ignore=left_out)
    folder.chmod(0o755)
    return tree


def main() -> int:
    """Try every change; 1 when one goes unnoticed, 2 when the tests fail without any."""
    planned, unnoticed = changes(sys.argv[1:]), 0
    with ExitStack() as stack:
        trees: Queue[Path] = Queue()
        for _ in range(os.cpu_count() or 1):
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            trees.put(tree := copy_tree(Path(folder)))

        # A suite that fails anyhow would seem to notice everything.
        suites = sorted({suite for change in planned for suite in TESTS[Path(change.file).name]})
        if failing := [s for s in suites if has_failure(tree / f"tests/bats/{s}.bats")]:
            print(f"error: nothing was changed yet, and these fail: {', '.join(failing)}")
            return 2

        def noticed(change: Change) -> bool:
            free = trees.get()
            try:
                return is_noticed(free, change)
            finally:
                trees.put(free)

        threads = stack.enter_context(ThreadPoolExecutor(trees.qsize()))
        for change, found in zip(planned, threads.map(noticed, planned), strict=True):
            unnoticed += not found
            word = "noticed" if found else "UNNOTICED"
            print(f"{word:9}  {change.function} {change.kind}", flush=True)
    print(f"{len(planned)} changes, {unnoticed} unnoticed")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
