"""eval_metadata.json: what a run was made of, so that another person can repeat or doubt it.

Environment variables are taken from a list of names, and anything that looks like a credential
is replaced, so the file can be published as it is. The host's name is left out.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sigil_eval.files import sha256_file
from sigil_eval.problems import ProblemSet

SCHEMA_VERSION = 3
REMOVED = "[removed]"
COMMAND_TIMEOUT_SECONDS = 20

# What changes a result or helps to repeat it. Nothing else of the environment is recorded.
RECORDED_VARIABLES = (
    "ACCEPTED_DEVIATIONS",
    "BASE_MODEL",
    "CHECKPOINT_PATH",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "HF_HUB_OFFLINE",
    "K_VALUES",
    "LANG",
    "LC_ALL",
    "NONINTERACTIVE",
    "NUM_SAMPLES",
    "OMP_NUM_THREADS",
    "OUTPUT_DIR",
    "PYTHONHASHSEED",
    "PYTHON_VERSION",
    "PYTORCH_CUDA_ALLOC_CONF",
    "SANDBOX_MODE",
    "SEED",
    "SIGIL_CRATES_DIR",
    "SIGIL_RUSTC",
    "SIGIL_SANDBOX_USER",
    "SKIP_ENV_CHECK",
    "TOKENIZERS_PARALLELISM",
    "TRANSFORMERS_OFFLINE",
    "VENV_DIR",
)

_SECRET_NAME = re.compile(
    # Not "tokens": max_new_tokens is a number that matters.
    r"(^|[_\-.])(api[_\-]?key|auth|authorization|credentials?|passw(or)?d|passphrase|secret|token)$",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"hf_[A-Za-z0-9]{16,}"
    r"|gh[pousr]_[A-Za-z0-9]{16,}"
    r"|github_pat_[A-Za-z0-9_]{16,}"
    r"|sk-[A-Za-z0-9_\-]{16,}"
    r"|AKIA[A-Z0-9]{16}"
    r"|(?<=://)[^/\s@]+(?=@)"
)


@dataclass(frozen=True)
class Deviation:
    """One departure from the pinned environment, and what it means for the result."""

    id: str
    expected: str
    actual: str
    consequence: str


def collect_metadata(
    *,
    command: Sequence[str],
    arguments: Mapping[str, Any],
    problem_set: ProblemSet,
    models: Mapping[str, Mapping[str, Any]],
    seeds: Mapping[str, int],
    phases: Mapping[str, float],
    sandbox: str,
    demo: bool = False,
    prompt_template_sha256: str | None = None,
    deviations: Iterable[Deviation | Mapping[str, str]] = (),
    accepted_deviations: Sequence[str] = (),
    proof: Mapping[str, Any] | None = None,
    scoring: Mapping[str, int] | None = None,
    rescored: Mapping[str, Any] | None = None,
    files: Mapping[str, str] | None = None,
    price_per_hour: float | None = None,
    provision_state: Path | None = None,
    lock_file: Path | None = None,
    rustc: Path | str | None = None,
    repository: Path | None = None,
    invocations: int = 1,
) -> dict[str, Any]:
    """Everything that identifies a run, in the shape of schema/eval_metadata.schema.json.

    `phases` are seconds by phase, over all `invocations` that the run took. `sandbox` is
    "firejail" or "none".
    `scoring` counts what scoring did, `rescored` is what came of judging a random part again
    (reproduce.rescore), and `files` are the sha256 of the run's files by name.
    `provision_state` is the provisioning's folder with deviations.tsv and steps.tsv.
    `accepted_deviations` are the ids of those that a strict run lets pass.
    `models` maps "base" and "finetuned" to what is known of each: name, revision, adapter,
    adapter_revision, dtype, attention, device, samples, tokens. Prices are in US dollars.
    """
    provisioning = read_steps(provision_state)
    durations = durations_of(phases, provisioning, invocations)
    found = [*read_deviations(provision_state), *(_deviation(item) for item in deviations)]
    return {
        "schema_version": SCHEMA_VERSION,
        "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "demo": demo,
        "command": scrub(list(command)),
        "arguments": scrub(dict(arguments)),
        "environment": recorded_environment(os.environ),
        "git": git_state(repository),
        "machine": machine(),
        "gpus": gpus(),
        "cuda": cuda_version(),
        "python": {"version": platform.python_version(), "build": sys.version.split("\n")[0]},
        "packages": packages(),
        "lock": lock_state(lock_file),
        "rustc": rustc_version(rustc),
        "sandbox": {"mode": sandbox, "firejail": firejail_version()},
        "problem_set": {
            "name": problem_set.name,
            "source": problem_set.source,
            "sha256": problem_set.sha256,
            "errata_sha256": problem_set.errata_sha256,
            "problems": len(problem_set.problems),
        },
        "models": scrub({label: dict(model) for label, model in models.items()}),
        "prompt_template_sha256": prompt_template_sha256,
        "seeds": dict(seeds),
        "durations": durations,
        "cost": cost(durations["total_seconds"], price_per_hour),
        "deviations": [
            asdict(item) | {"accepted": item.id in accepted_deviations} for item in unique(found)
        ],
        "accepted_deviations": scrub(list(accepted_deviations)),
        "proof": None if proof is None else scrub(dict(proof)),
        "scoring": None if scoring is None else dict(scoring),
        "rescored": None if rescored is None else scrub(dict(rescored)),
        "files": None if files is None else dict(files),
    }


def judge_code_sha256() -> str:
    """Of the sources that read answers, apply the policy, compile, run and judge."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for room in ("rust", "answers", "judging", "scoring"):
        for path in sorted((package / room).rglob("*")):
            if path.suffix in (".py", ".rs"):
                digest.update(f"{path.relative_to(package)} {sha256_file(path)}\n".encode())
    return digest.hexdigest()


def scrub(value: Any, name: str = "") -> Any:
    """`value` as plain JSON data, without what looks like a credential by name or by form."""
    if isinstance(value, Mapping):
        return {str(key): scrub(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return _scrub_list(value)
    if _SECRET_NAME.search(name) and value not in (None, "", False, True):
        return REMOVED
    if value is None or isinstance(value, bool | int | float):
        return value
    return _SECRET_VALUE.sub(REMOVED, str(value))


def _scrub_list(values: Iterable[Any]) -> list[Any]:
    """A list, where `--token X` and `--token=X` lose their X."""
    clean: list[Any] = []
    name = ""
    for value in values:
        option, equals, _ = str(value).partition("=")
        if equals and _SECRET_NAME.search(option):
            clean.append(f"{option}={REMOVED}")
        else:
            clean.append(scrub(value, name))
        name = str(value) if str(value).startswith("--") else ""
    return clean


def recorded_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of RECORDED_VARIABLES that are set."""
    return {
        name: str(scrub(environment[name])) for name in RECORDED_VARIABLES if name in environment
    }


def read_deviations(state: Path | None) -> list[Deviation]:
    """Deviations that the provisioning recorded: `id expected actual consequence` per line."""
    return [Deviation(*fields) for fields in _read_tsv(state, "deviations.tsv", 4)]


def read_steps(state: Path | None) -> list[dict[str, Any]]:
    """Provisioning steps with their seconds: `step state seconds finished_at` per line.

    The file is added to on every run; of each step, the last time it was applied counts.
    """
    steps: dict[str, dict[str, Any]] = {}
    for step, outcome, seconds, finished in _read_tsv(state, "steps.tsv", 4):
        if step not in steps or outcome == "applied":
            steps[step] = {
                "step": step,
                "state": outcome,
                "seconds": _number(seconds),
                "finished_at": finished,
            }
    return list(steps.values())


def _read_tsv(state: Path | None, name: str, columns: int) -> list[list[str]]:
    """Rows of a tab-separated file; short rows are filled up, so that none is lost."""
    if state is None or not (state / name).is_file():
        return []
    rows = []
    # Only a line feed ends a row: other characters that end lines may be part of a message.
    for line in (state / name).read_bytes().decode("utf-8", "replace").split("\n"):
        if line.strip():
            fields = line.split("\t", columns - 1)
            rows.append([str(scrub(f.strip())) for f in fields] + [""] * (columns - len(fields)))
    return rows


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def unique(deviations: Iterable[Deviation]) -> list[Deviation]:
    """One deviation per id, the later one, in order of first appearance."""
    return list({item.id: item for item in deviations}.values())


def _deviation(item: Deviation | Mapping[str, str]) -> Deviation:
    if isinstance(item, Deviation):
        return item
    return Deviation(**{name: str(item[name]) for name in Deviation.__dataclass_fields__})


def durations_of(
    phases: Mapping[str, float], provisioning: list[dict[str, Any]], invocations: int
) -> dict[str, Any]:
    """Seconds by phase and by provisioning step.

    `total_seconds` is what the machine was rented for: provisioning and all phases.
    """
    total = sum(phases.values()) + sum(step["seconds"] for step in provisioning)
    return {
        "phases": dict(phases),
        "invocations": invocations,
        "provisioning": provisioning,
        "total_seconds": round(total, 3),
    }


def cost(seconds: float, price_per_hour: float | None) -> dict[str, Any] | None:
    """Estimated cost in US dollars, or None without a price."""
    if price_per_hour is None:
        return None
    return {
        "currency": "USD",
        "price_per_hour": price_per_hour,
        "hours": round(seconds / 3600, 4),
        "estimate": round(seconds / 3600 * price_per_hour, 2),
    }


def machine() -> dict[str, Any]:
    """Processor, memory, operating system and kernel; no host name."""
    memory = _first_match(Path("/proc/meminfo"), r"MemTotal:\s+(\d+) kB")
    return {
        "cpu": _first_match(Path("/proc/cpuinfo"), r"model name\s*:\s*(.+)")
        or platform.processor()
        or None,
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory) / 2**20, 1) if memory else None,
        "os": _first_match(Path("/etc/os-release"), r'PRETTY_NAME="?([^"\n]+)'),
        "kernel": platform.release(),
    }


def _first_match(path: Path, pattern: str) -> str | None:
    try:
        match = re.search(pattern, path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return match.group(1).strip() if match else None


def gpus() -> list[dict[str, str]]:
    """The NVIDIA GPUs that the driver reports; empty when there is none.

    nvidia-smi prints its rows, and then ends with a warning's exit code, where a GPU that computes
    has a flaw (14: the infoROM); what it says besides is no row.
    """
    fields = ("name", "memory.total", "driver_version", "compute_cap")
    query = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"]
    text = run_command(query, any_status=True)
    rows = []
    for line in (text or "").split("\n"):
        values = [value.strip() for value in line.split(",")]
        if len(values) == len(fields) and re.match(r"\d+\.\d", values[2]):
            rows.append(dict(zip(("name", "memory", "driver", "capability"), values, strict=True)))
    return rows


def cuda_version() -> str | None:
    """The CUDA version that the installed torch was built for, read without importing torch."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    version_file = Path(spec.origin).with_name("version.py")
    return _first_match(version_file, r"cuda[^=\n]*=\s*'([^']+)'")


def packages() -> dict[str, str]:
    """Version by name of every distribution that this Python can import."""
    found: dict[str, str] = {}
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"]
        if name:
            found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), distribution.version)
    return dict(sorted(found.items()))


def lock_state(lock_file: Path | None) -> dict[str, str] | None:
    """Name and hash of the lock that the environment was made from."""
    if lock_file is None or not lock_file.is_file():
        return None
    return {"path": lock_file.name, "sha256": sha256_file(lock_file)}


def rustc_version(rustc: Path | str | None) -> dict[str, str] | None:
    """`rustc --version --verbose` as a mapping (release, host, commit-hash, LLVM version)."""
    text = run_command([str(rustc or "rustc"), "--version", "--verbose"])
    if not text:
        return None
    lines = text.strip().split("\n")
    pairs = (line.partition(": ") for line in lines[1:])
    return {"version": lines[0]} | {name: value for name, colon, value in pairs if colon}


def firejail_version() -> str | None:
    """Firejail's version number, or None when it is not installed."""
    text = run_command(["firejail", "--version"])
    match = re.search(r"firejail version (\S+)", text or "")
    return match.group(1) if match else None


def git_state(repository: Path | None) -> dict[str, Any] | None:
    """Commit and dirty flag of a checkout; None when `repository` is not the top of one."""
    if repository is None or not (repository / ".git").exists():
        return None
    # Root may evaluate a checkout that an ordinary user cloned.
    git = ["git", "-c", "safe.directory=*", "-C", str(repository)]
    commit = run_command([*git, "rev-parse", "HEAD"])
    status = run_command([*git, "status", "--porcelain"])
    if not commit or status is None:
        return None
    return {"commit": commit.strip(), "dirty": bool(status.strip())}


def run_command(command: list[str], *, any_status: bool = False) -> str | None:
    """Standard output of a command; None when it is missing, fails or takes too long."""
    try:
        finished = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=COMMAND_TIMEOUT_SECONDS,
            check=not any_status,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return finished.stdout


def reproduce_command(metadata: Mapping[str, Any]) -> str:
    """Shell lines that repeat the run that `metadata` describes, from a clone of the project."""
    lines = []
    git = metadata.get("git")
    if git:
        remark = "  # and the changes that were not committed" if git["dirty"] else ""
        lines.append(f"git checkout {git['commit']}{remark}")
    settings = [
        f"{name}={shlex.quote(value)}"
        for name, value in (metadata.get("environment") or {}).items()
        if name in _SETTINGS
    ]
    lines.append(" ".join([*settings, shlex.join(metadata.get("command") or [])]).strip())
    return "\n".join(line for line in lines if line)


# The recorded variables that stand for an option of the command.
_SETTINGS = {
    "ACCEPTED_DEVIATIONS",
    "BASE_MODEL",
    "CHECKPOINT_PATH",
    "K_VALUES",
    "NUM_SAMPLES",
    "PYTHON_VERSION",
    "SANDBOX_MODE",
    "SEED",
    "SKIP_ENV_CHECK",
}
