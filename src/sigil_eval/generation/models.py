"""Which model is meant: a base, or an adapter and the base that it belongs to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.generation.hub import hub_model
from sigil_eval.generation.model_files import ADAPTER_CONFIG, ModelFiles, local_model
from sigil_eval.generation.protocol import NO_TRUST, ModelSpec, Revisions, Trust

_HUB_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*(/[\w][\w.-]*)*")
_LOOKS_LOCAL = re.compile(r"[/~.]")


@dataclass(frozen=True)
class ResolvedModel:
    """A base, and the adapter to be merged into it, if any."""

    base: ModelFiles
    adapter: ModelFiles | None

    @property
    def revisions(self) -> Revisions:
        """Of both."""
        return Revisions(self.base.revision, self.adapter.revision if self.adapter else None)


def resolve_model(spec: ModelSpec) -> ResolvedModel:
    """Find a model and its adapter, and check that they belong together.

    Raises UsageError for what does not exist locally, is no model, or does not fit together;
    PreflightError for a repository that cannot be reached or read.
    """
    name, revision = spec.checkpoint, spec.checkpoint_revision
    if name is None:
        name, revision = spec.base, spec.base_revision
    if not name:
        raise UsageError("no model was named; use --base-model or --checkpoint")
    found = resolve_files(name, revision, spec.trust)
    if not found.is_adapter:
        return ResolvedModel(found, None)
    recorded = found.config().get("base_model_name_or_path")
    base_name = spec.base if spec.checkpoint is not None else None
    if base_name is None:
        if not isinstance(recorded, str) or not recorded:
            raise UsageError(
                f"{name} is an adapter whose {ADAPTER_CONFIG} does not name its base; "
                "use --base-model"
            )
        base = resolve_files(_recorded_base(found, recorded), spec.base_revision, spec.trust)
    else:
        base = resolve_files(base_name, spec.base_revision, spec.trust)
    if base.is_adapter:
        raise UsageError(f"{base.name} is itself an adapter; --base-model must be a whole model")
    if base_name is not None and isinstance(recorded, str) and recorded:
        _check_base(found, recorded, base)
    return ResolvedModel(base, found)


def _recorded_base(adapter: ModelFiles, recorded: str) -> str:
    """The base an adapter names; a relative path is relative to the adapter's folder."""
    beside = adapter.folder / recorded
    if adapter.repository is None and beside.is_dir():
        return str(beside.resolve())
    return recorded


def _check_base(adapter: ModelFiles, recorded: str, base: ModelFiles) -> None:
    """Refuse a base that is clearly not the adapter's: two hub ids or two folders that differ.

    A recorded folder that is not on this machine says nothing, and names of one repository
    that has been renamed resolve to the same commit.
    """
    expected = _recorded_base(adapter, recorded)
    local = Path(expected).is_dir()
    if local != (base.repository is None) or expected == base.name:
        return
    if not local and (not is_hub_id(expected) or expected.lower() == base.name.lower()):
        return
    try:
        same = resolve_files(expected, None, base.trust).revision == base.revision
    except PreflightError:
        same = False
    if not same:
        raise UsageError(
            f"adapter {adapter.name} was trained on {recorded}, not on {base.name}; use "
            f"--base-model {expected}, or an adapter of {base.name}"
        )


def resolve_files(name: str, revision: str | None, trust: Trust = NO_TRUST) -> ModelFiles:
    """Find one model, local or on the hub, at one exact revision."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return local_model(name, folder, trust)
    if folder.exists():
        raise UsageError(f"{name} is a file; a model is a folder with config.json and weights")
    if not is_hub_id(name) or Path(name.split("/")[0]).is_dir():
        raise UsageError(
            f"{name}: no such folder, and not a valid hub id (org/name or org/name/folder)"
        )
    return hub_model(name, revision, trust)


def is_hub_id(name: str) -> bool:
    """Whether a name has the form of the hub's: org/name, or org/name/folder."""
    return not _LOOKS_LOCAL.match(name) and _HUB_ID.fullmatch(name) is not None
