"""Delete or turn round each probe, verification and finding: some test must notice.

Usage: mutation.py [FUNCTION...]     a line for each change; fails if one goes unnoticed
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Which functions decide whether something is as it should be, and where they are tested. House
# rules are about how the code looks and would notice any change.
DECIDES = re.compile(
    r"^(\w+_(?:probe|verify|answers)|find_(?!pythons|rustcs)\w+|answers|compiles|can_\w+|flash_attn_works"
    r"|complete_python|import_all_extensions|models_are_here|stamped|missing_packages|check_settings"
    r"|run_is_alive|session_exists|confirm_removal|job_done|pinned_\w+)\(\)",
    re.MULTILINE,
)
TESTS = {
    "eval_setup.sh": ["options", "session"],
    "cli_tools.sh": ["models"],
    "download.sh": ["download", "preflight"],
    "environment.sh": ["preflight", "h100"],
    "evaluation.sh": ["models"],
    "models.sh": ["models"],
    "python_env.sh": ["python_env", "models"],
    "pytorch.sh": ["h100", "packages"],
    "rust.sh": ["rust"],
    "sandbox.sh": ["packages"],
    "sigilderg.sh": ["packages", "models"],
    "steps.sh": ["steps", "python_env", "rust"],
    "system_deps.sh": ["system_deps", "preflight"],
    "tmux.sh": ["session"],
    "uninstall.sh": ["uninstall"],
}
CHANGES = {
    "deleted": "{name}() {{ :; }}\n",
    "turned round": (
        'eval "original_$(declare -f {name})"\n'
        '{name}() {{ if original_{name} "$@"; then return 1; else return 0; fi; }}\n'
    ),
}


def is_noticed(tree: Path, file: Path, change: str) -> bool:
    """Whether the tests of a file fail when it is changed so."""
    original = file.read_text()
    if file.name == "eval_setup.sh":
        file.write_text(original.replace('\nmain "$@"\n', f'\n{change}\nmain "$@"\n'))
    else:
        file.write_text(original + change)
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


def main() -> int:
    """Try every change; 1 when one goes unnoticed."""
    unnoticed = tried = 0
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(".git", ".test-venv", "models"))
        shutil.copytree(ROOT / "demo", tree / "demo", dirs_exist_ok=True)
        Path(folder).chmod(0o755)  # the tests run as another user, too
        for file in [tree / "eval_setup.sh", *sorted((tree / "lib").glob("*.sh"))]:
            for name in DECIDES.findall(file.read_text()):
                if sys.argv[1:] and name not in sys.argv[1:]:
                    continue
                for kind, change in CHANGES.items():
                    noticed = is_noticed(tree, file, change.format(name=name))
                    tried += 1
                    unnoticed += not noticed
                    print(f"{'noticed' if noticed else 'UNNOTICED':9}  {name} {kind}", flush=True)
    print(f"{tried} changes, {unnoticed} unnoticed")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
