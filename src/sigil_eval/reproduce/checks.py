"""What a run recorded, against what is here: its files, what it was made of, its conditions."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from sigil_eval.documents.metadata import GitState, Gpu, Metadata, ModelRecord
from sigil_eval.documents.metrics import Conditions
from sigil_eval.documents.reproduction import CheckRow, CheckState
from sigil_eval.errors import SigilEvalError, UsageError
from sigil_eval.files import sha256_file
from sigil_eval.generation.keys import SAMPLER_VERSION
from sigil_eval.judging.judge import Judge
from sigil_eval.problems import ProblemSet
from sigil_eval.provisioned import checkout
from sigil_eval.record import machine, software
from sigil_eval.reporting.rebuild import rebuilt_metrics
from sigil_eval.reporting.run import Run
from sigil_eval.run_folder import METRICS_FILE


def conditions(run: Run) -> Conditions:
    """Under which limits and with what the verdicts were given; UsageError where nobody said."""
    recorded = next(iter(run.metrics.values()))["judge"]
    if recorded is None:
        raise UsageError(
            f"{run.folder}: metrics.json does not say under which limits the verdicts were given; "
            "score the samples again"
        )
    return recorded


def _check(what: str, recorded: object, here: object) -> CheckRow:
    before, now = (_shown(value) for value in (recorded, here))
    return _row(what, before, now, "same" if before == now else "differs")


def _row(what: str, recorded: str, here: str, state: CheckState) -> CheckRow:
    return {"what": what, "recorded": recorded, "here": here, "state": state}


def _shown(value: object) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _unknown(what: str, recorded: object, why: str) -> CheckRow:
    return _row(what, _shown(recorded), why, "unknown")


def condition_checks(run: Run, judge: Judge) -> Iterator[CheckRow]:
    """The compiler and its crates, as the judge has found them."""
    recorded, here = conditions(run), judge.fingerprint()
    yield _check("rustc", recorded["rustc"], here["rustc"])
    yield _check("crates", recorded["crates"], here["crates"])


def file_checks(run: Run, problem_set: ProblemSet) -> Iterator[CheckRow]:
    """Samples and results by their hashes; metrics by whether they follow from the results."""
    assert run.metadata is not None
    recorded = run.metadata.get("files") or {}
    if not recorded:
        yield _unknown("files", "none", "the run recorded no hashes")
    for name, digest in recorded.items():
        path = run.folder / name
        yield _check(name, digest, sha256_file(path) if path.is_file() else "missing")
    for mode, written in run.metrics.items():
        name = f"{mode}/{METRICS_FILE}"
        again = rebuilt_metrics(run.folder, mode, written, problem_set)
        if again is None:
            yield _unknown(name, "as written", "the results are not all here")
        else:
            follows = again == written
            yield _check(
                name,
                "follows from the results",
                "follows from the results" if follows else "says something else",
            )


def pin_checks(run: Run, problem_set: ProblemSet) -> Iterator[CheckRow]:
    """Problems, this project's code, software, machine and models."""
    metadata = run.metadata
    assert metadata is not None
    pinned = next(iter(run.metrics.values()))["problem_set"]
    yield _check("problem set, sha256", pinned["sha256"], problem_set.sha256)
    yield _check("errata, sha256", pinned["errata_sha256"], problem_set.errata_sha256)
    yield _check("plus cases, sha256", pinned["plus_sha256"], problem_set.plus_sha256)
    yield _check(
        "code of the judge, sha256", conditions(run)["code_sha256"], software.judge_code_sha256()
    )
    yield from _checkout_checks(metadata)
    yield _check("Firejail", metadata["sandbox"]["firejail"], software.firejail_version())
    yield _check("Python", metadata["python"]["version"], platform.python_version())
    of_bits = [
        _package_check("packages", metadata["packages"], software.packages()),
        _check("CUDA", metadata["cuda"], software.cuda_version()),
        _check("GPU", _gpus(metadata["gpus"]), _gpus(machine.gpus())),
    ]
    if in_vllm := metadata.get("vllm_packages"):
        of_bits.append(_package_check("packages of vLLM", in_vllm, software.vllm_packages() or {}))
    yield from of_bits
    recorded, here = metadata["machine"], machine.machine()
    yield _check("os", recorded["os"], here["os"])
    yield _check("kernel", recorded["kernel"], here["kernel"])
    yield _check("cpu", recorded["cpu"], here["cpu"])
    for label, model in metadata["models"].items():
        if "read_from" in model:
            continue  # only its samples were ever here
        yield from _model_checks(label, model)
        sampler = _sampler_check(label, model)
        yield sampler
        if model.get("batch_invariant"):
            yield _bits_check(label, [*of_bits, sampler])


def _checkout_checks(metadata: Metadata) -> Iterator[CheckRow]:
    """The lock and the commit, where the running code lies in a checkout."""
    lock, recorded = software.lock_state(checkout()), metadata["lock"]
    if lock is not None:
        yield _check("lock file, sha256", recorded and recorded["sha256"], lock["sha256"])
    git = software.git_state(checkout())
    if git is not None:
        yield _check("commit", _commit(metadata["git"]), _commit(git))


def _commit(git: GitState | None) -> str:
    return "none" if git is None else f"{git['commit']}{' (dirty)' if git['dirty'] else ''}"


def _gpus(found: list[Gpu]) -> str:
    return ", ".join(f"{gpu['name']}, driver {gpu['driver']}" for gpu in found) or "none"


def _package_check(what: str, recorded: Mapping[str, str], here: Mapping[str, str]) -> CheckRow:
    changed = [
        f"{name} {recorded.get(name, 'absent')} → {here.get(name, 'absent')}"
        for name in sorted({*recorded, *here})
        if recorded.get(name) != here.get(name)
    ]
    if not here:
        return _row(what, f"{len(recorded)} packages", "none", "differs")
    if not changed:
        return _check(what, f"{len(recorded)} packages", f"{len(here)} packages")
    return _row(what, f"{len(recorded)} packages", ", ".join(changed), "differs")


def _model_checks(label: str, model: ModelRecord) -> Iterator[CheckRow]:
    """A base and its adapter, as far as they are named."""
    for name, revision in (
        (model["name"], model.get("revision")),
        (model.get("adapter"), model.get("adapter_revision")),
    ):
        if name:
            yield _model_check(f"model, {label}: {name}", name, revision)


def _sampler_check(label: str, model: ModelRecord) -> CheckRow:
    """Whether the same logits would give the same tokens here."""
    what, here = f"sampler, {label}", f"version {SAMPLER_VERSION}"
    if "sampler" not in model:
        return _unknown(what, "not recorded", here)
    if model["sampler"] is None:
        return _unknown(what, "a server's own", "not ours")
    return _check(what, f"version {model['sampler']}", here)


def _bits_check(label: str, rows: Sequence[CheckRow]) -> CheckRow:
    """Whether the same command would draw the same samples here, which batch-invariant kernels
    promise where nothing of `rows` differs."""
    differing = [row["what"] for row in rows if row["state"] != "same"]
    here = f"maybe others: {', '.join(differing)}" if differing else "the same samples"
    return _check(f"drawn again, {label}", "the same samples", here)


def _model_check(what: str, name: str, revision: str | None) -> CheckRow:
    """Local models by their content, those of the hub by the commit's files in its cache."""
    from sigil_eval.generation.models import resolve_files

    folder = next((path for path in (checkout() / name, Path(name)) if path.is_dir()), None)
    if folder is None:
        return _hub_model_check(what, name, revision)
    try:
        return _check(what, revision, resolve_files(str(folder), None).revision)
    except SigilEvalError as error:
        return _unknown(what, revision, str(error))


def _hub_model_check(what: str, name: str, revision: str | None) -> CheckRow:
    from sigil_eval.generation.hub import cached_model, is_damaged
    from sigil_eval.generation.models import is_hub_id

    model = cached_model(name, revision) if is_hub_id(name) else None
    if model is None:
        return _unknown(what, revision, "neither a folder here nor in the hub's cache")
    damaged = [file for file in model.files if is_damaged(model.folder / file)]
    if damaged:
        return _row(what, _shown(revision), f"damaged: {', '.join(damaged)}", "differs")
    return _check(what, revision, model.revision)
