"""What was settled of a job, kept, so that a run that has all of its samples loads no tokenizer.

It is kept under a hash of all that it was made from, and shows no more than that nothing is to be
drawn: what is drawn is planned anew.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypedDict

from sigil_eval import prompts
from sigil_eval.documents.shape import check
from sigil_eval.errors import UsageError
from sigil_eval.files import dump_row, json_value, sha256_file, sha256_text
from sigil_eval.generation.model_files import small_files
from sigil_eval.generation.models import ResolvedModel, resolve_model
from sigil_eval.generation.plan import Job, Settled, plan_for
from sigil_eval.generation.prompting import prompted_as
from sigil_eval.generation.protocol import Prompting
from sigil_eval.kept import Kept, kept_folder

_SIZE_LIMIT = 16 << 20
_OUR_CODE = (*sorted(Path(__file__).parent.glob("*.py")), Path(prompts.__file__))


class _Row(TypedDict):
    """What is kept of a `Settled`."""

    prompt_mode: str
    template_sha256: str
    prompting: Prompting
    prompt_hashes: dict[str, str]


def settle(job: Job) -> Settled:
    """What was kept of the same job, or else a plan. Raises as `plan_for` does."""
    if not job.options.kind.needs_model_files or job.model.trust.remote_code:
        return plan_for(job)  # who knows what a model's own code reads
    model, kept = resolve_model(job.model), Kept(kept_folder("settled"), _SIZE_LIMIT)
    key = _key(job, model)
    found = _read(kept.find(key))
    if found is not None:
        return Settled(job, job.model.name, model.revisions, **found)
    plan = plan_for(job)
    row = {
        "prompt_mode": plan.prompt_mode,
        "template_sha256": plan.template_sha256,
        "prompting": asdict(plan.prompting),
        "prompt_hashes": plan.prompt_hashes,
    }
    kept.keep(key, dump_row(row).encode())
    return plan


def _read(data: bytes | None) -> dict[str, Any] | None:
    """The fields of a `Settled` that were kept; None where they do not have their shape."""
    if data is None:
        return None
    try:
        row: Any = json_value(data)
        check(row, _Row, "what was settled")
        return {**row, "prompting": Prompting(**row["prompting"])}
    except (UsageError, ValueError):
        return None


def _key(job: Job, model: ResolvedModel) -> str:
    """A hash of all that decides how a model is prompted: the files of everyone whose tokenizer may
    be read, what is asked and in which mode, our code, and Python with all of its packages."""
    readable = (model.base, model.adapter, prompted_as(job.model, model))
    said = [
        [None if files is None else [files.name, *small_files(files)] for files in readable],
        [[problem.task_id, problem.prompt] for problem in job.problems],
        job.prompt_mode,
        [sha256_file(path) for path in _OUR_CODE],
        [sys.version, *_packages()],
    ]
    return sha256_text(json.dumps(said))


def _packages() -> list[str]:
    """Name and version of every package that can be imported, as its folder is called."""
    folders = [Path(folder) for folder in sys.path if folder]
    return sorted(path.name for folder in folders for path in folder.glob("*.dist-info"))
