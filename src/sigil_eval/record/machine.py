"""The machine of a run: processor, memory, operating system, GPUs; no host name."""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from sigil_eval.documents.metadata import Gpu, Machine
from sigil_eval.record.commands import output_of


def machine() -> Machine:
    """Processor, memory, operating system and kernel."""
    memory = first_match(Path("/proc/meminfo"), r"MemTotal:\s+(\d+) kB")
    return {
        "cpu": first_match(Path("/proc/cpuinfo"), r"model name\s*:\s*(.+)")
        or platform.processor()
        or None,
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory) / 2**20, 1) if memory else None,
        "os": _operating_system(),
        "kernel": platform.release(),
    }


def _operating_system() -> str | None:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return None


def gpus() -> list[Gpu]:
    """The NVIDIA GPUs that the driver reports; empty when there is none.

    nvidia-smi prints its rows, and then ends with a warning's exit code, where a GPU that computes
    has a flaw (14: the infoROM); what it says besides is no row.
    """
    fields = "name,memory.total,driver_version,compute_cap"
    query = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
    text = output_of(query, any_status=True)
    found = []
    for line in (text or "").split("\n"):
        match [value.strip() for value in line.split(",")]:
            case [name, memory, driver, capability] if re.match(r"\d+\.\d", driver):
                found.append(Gpu(name=name, memory=memory, driver=driver, capability=capability))
    return found


def first_match(path: Path, pattern: str) -> str | None:
    """The pattern's first group where it is first found in a file; None where it is not."""
    try:
        match = re.search(pattern, path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return match.group(1).strip() if match else None
