"""Where a model comes from: local folders and hub repositories, resolved to exact revisions.

A hub model is downloaded file by file into huggingface_hub's cache: configuration, tokenizer
and safetensors weights, nothing else unless it was asked for. From then on it is a local folder
like any other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import sha256_file
from sigil_eval.generation.protocol import NO_TRUST, ModelSpec, Revisions, Trust

ADAPTER_CONFIG = "adapter_config.json"
_HUB_ID = re.compile(r"[\w][\w.-]*/[\w][\w.-]*(/[\w][\w.-]*)*")
_LOOKS_LOCAL = re.compile(r"[/~.]")
_MODEL_SUFFIXES = (".json", ".safetensors", ".model", ".txt", ".jinja", ".tiktoken")
_PICKLE = ".bin"
_PICKLED_WEIGHTS = ("pytorch_model", "adapter_model")
_WEIGHT_SUFFIXES = (".safetensors", _PICKLE)
_NOT_MODEL = ("trainer_state.json", "all_results.json", "train_results.json", "eval_results.json")
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "tokenizer.model")


@dataclass(frozen=True)
class Source:
    """A model's files at one exact revision.

    `revision` is a commit for a hub repository, and for a local folder `sha256:` and a hash of
    the names and contents of its model files. `folder` holds at least the configuration and
    tokenizer; `fetch_weights` makes sure that it holds all of `files`.
    """

    name: str
    revision: str
    folder: Path
    files: tuple[str, ...]
    repository: str | None = None
    trust: Trust = NO_TRUST

    @property
    def is_adapter(self) -> bool:
        """Whether these are a PEFT adapter's files."""
        return ADAPTER_CONFIG in self.files

    @property
    def has_tokenizer(self) -> bool:
        """Whether a tokenizer comes with the model."""
        return any(name in self.files for name in _TOKENIZER_FILES)

    def config(self) -> dict[str, Any]:
        """The adapter's or the model's configuration."""
        path = self.folder / (ADAPTER_CONFIG if self.is_adapter else "config.json")
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.name}: its {path.name} cannot be read: {error}") from None
        if not isinstance(config, dict):
            raise UsageError(f"{self.name}: its {path.name} is not a JSON object")
        return config


@dataclass(frozen=True)
class ResolvedModel:
    """A base, and the adapter to be merged into it, if any."""

    base: Source
    adapter: Source | None

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
    source = resolve_source(name, revision, spec.trust)
    if not source.is_adapter:
        return ResolvedModel(source, None)
    recorded = source.config().get("base_model_name_or_path")
    base_name = spec.base if spec.checkpoint is not None else None
    if base_name is None:
        if not isinstance(recorded, str) or not recorded:
            raise UsageError(
                f"{name} is an adapter whose {ADAPTER_CONFIG} does not name its base; "
                "use --base-model"
            )
        base = resolve_source(_recorded_base(source, recorded), spec.base_revision, spec.trust)
    else:
        base = resolve_source(base_name, spec.base_revision, spec.trust)
    if base.is_adapter:
        raise UsageError(f"{base.name} is itself an adapter; --base-model must be a whole model")
    if base_name is not None and isinstance(recorded, str) and recorded:
        _check_base(source, recorded, base)
    return ResolvedModel(base, source)


def _recorded_base(adapter: Source, recorded: str) -> str:
    """The base an adapter names; a relative path is relative to the adapter's folder."""
    beside = adapter.folder / recorded
    if adapter.repository is None and beside.is_dir():
        return str(beside.resolve())
    return recorded


def _check_base(adapter: Source, recorded: str, base: Source) -> None:
    """Refuse a base that is clearly not the adapter's: two hub ids or two folders that differ.

    A recorded folder that is not on this machine says nothing, and names of one repository
    that has been renamed resolve to the same commit.
    """
    expected = _recorded_base(adapter, recorded)
    local = Path(expected).is_dir()
    if local != (base.repository is None) or expected == base.name:
        return
    if not local and (not _is_hub_id(expected) or expected.lower() == base.name.lower()):
        return
    try:
        same = resolve_source(expected, None, base.trust).revision == base.revision
    except PreflightError:
        same = False
    if not same:
        raise UsageError(
            f"adapter {adapter.name} was trained on {recorded}, not on {base.name}; use "
            f"--base-model {expected}, or an adapter of {base.name}"
        )


def _is_hub_id(name: str) -> bool:
    return not _LOOKS_LOCAL.match(name) and _HUB_ID.fullmatch(name) is not None


def resolve_source(name: str, revision: str | None, trust: Trust = NO_TRUST) -> Source:
    """Find one model, local or on the hub, at one exact revision."""
    folder = Path(name).expanduser()
    if folder.is_dir():
        return _local_source(name, folder, trust)
    if folder.exists():
        raise UsageError(f"{name} is a file; a model is a folder with config.json and weights")
    if not _is_hub_id(name) or Path(name.split("/")[0]).is_dir():
        raise UsageError(
            f"{name}: no such folder, and not a valid hub id (org/name or org/name/folder)"
        )
    return _hub_source(name, revision, trust)


def _model_files(names: list[str], trust: Trust) -> tuple[str, ...]:
    suffixes = _MODEL_SUFFIXES + ((".py",) if trust.remote_code else ())
    if trust.pickle and not any(name.endswith(".safetensors") for name in names):
        suffixes += (_PICKLE,)
    kept = [
        name
        for name in names
        if name.endswith(suffixes)
        and (not name.endswith(_PICKLE) or name.startswith(_PICKLED_WEIGHTS))
        and name not in _NOT_MODEL
        and not name.startswith(("consolidated", "."))
        and not name.lower().startswith(("readme", "license", "use_policy"))
    ]
    return tuple(sorted(kept))


def _check_files(name: str, files: tuple[str, ...], all_names: list[str]) -> None:
    if ADAPTER_CONFIG not in files and "config.json" not in files:
        raise UsageError(
            f"{name} holds neither config.json nor {ADAPTER_CONFIG}; "
            "it must be the folder of a model or of a PEFT adapter"
        )
    if not any(file.endswith(_WEIGHT_SUFFIXES) for file in files):
        other = [file for file in all_names if file.endswith((".bin", ".pt", ".pth"))]
        found = f" (it has {other[0]}, which can run code when it is read)" if other else ""
        raise UsageError(
            f"{name} holds no .safetensors weights{found}; "
            "save it again with save_pretrained(..., safe_serialization=True), or use "
            "--allow-pickle if you trust its author with this machine"
        )


def _local_source(name: str, folder: Path, trust: Trust) -> Source:
    names = [path.name for path in folder.iterdir() if path.is_file()]
    files = _model_files(names, trust)
    _check_files(name, files, names)
    digest = hashlib.sha256()
    for file in files:
        path = folder / file
        state = path.stat()
        digest.update(f"{file}\0{_hash(path, state.st_size, state.st_mtime_ns)}\n".encode())
    return Source(name, f"sha256:{digest.hexdigest()}", folder, files, trust=trust)


@lru_cache(maxsize=1024)
def _hash(path: Path, size: int, modified: int) -> str:
    """A file's hash, computed once a process while size and time of change stay the same."""
    return sha256_file(path)


def _hub_source(name: str, revision: str | None, trust: Trust) -> Source:
    from huggingface_hub import HfApi

    repository, folder = _split_hub_name(name)
    cached = _cached_commit(repository, folder, revision)
    try:
        info = _ask_hub(repository, lambda: HfApi().model_info(repository, revision=revision))
    except PreflightError:
        if cached is None:
            raise
        return _cached_source(name, repository, folder, cached, trust)
    prefix = f"{folder}/" if folder else ""
    names = [
        sibling.rfilename[len(prefix) :]
        for sibling in info.siblings or []
        if sibling.rfilename.startswith(prefix)
    ]
    names = [file for file in names if "/" not in file]
    if folder and not names:
        raise UsageError(f"{repository} has no folder '{folder}' at revision {info.sha}")
    files = _model_files(names, trust)
    _check_files(name, files, names)
    small = [file for file in files if not file.endswith(_WEIGHT_SUFFIXES)]
    source = Source(name, str(info.sha), Path(), files, repository, trust)
    _ask_hub(repository, lambda: _remember_branch(repository, revision, prefix + small[0]))
    return replace(source, folder=_download(source, small))


def _remember_branch(repository: str, revision: str | None, file: str) -> None:
    """Ask for one file by the branch's name: the cache then knows the branch's commit, and the
    model can be found again without the hub."""
    from huggingface_hub import hf_hub_download

    hf_hub_download(repository, file, revision=revision)


def _split_hub_name(name: str) -> tuple[str, str]:
    """`org/name/some/folder` -> (`org/name`, `some/folder`)."""
    organisation, repository, *rest = name.split("/")
    return f"{organisation}/{repository}", "/".join(rest)


def _download(source: Source, files: list[str]) -> Path:
    """Bring files of a hub model into the cache, and return the folder they lie in."""
    from huggingface_hub import hf_hub_download

    repository = source.repository or ""
    _, folder = _split_hub_name(source.name)

    def fetch(file: str) -> Path:
        path = hf_hub_download(repository, file, subfolder=folder or None, revision=source.revision)
        return Path(path)

    def fetch_all() -> list[Path]:
        with ThreadPoolExecutor(max_workers=4) as pool:
            return list(pool.map(fetch, files))

    return _ask_hub(repository, fetch_all)[0].parent


def fetch_weights(source: Source) -> Source:
    """Download what is still missing of a hub model; a local folder is returned as it is."""
    if source.repository is None or all((source.folder / f).exists() for f in source.files):
        return source
    return replace(source, folder=_download(source, list(source.files)))


def _cached_commit(repository: str, folder: str, revision: str | None) -> Path | None:
    """The cached snapshot of a repository at a revision, if there is one."""
    from huggingface_hub import try_to_load_from_cache

    for config in (ADAPTER_CONFIG, "config.json"):
        file = f"{folder}/{config}" if folder else config
        found = try_to_load_from_cache(repository, file, revision=revision)
        if isinstance(found, str):
            return Path(found).parents[file.count("/")]
    return None


def _cached_source(name: str, repository: str, folder: str, snapshot: Path, trust: Trust) -> Source:
    """A model as it lies in the cache, for when the hub cannot be asked."""
    names = [path.name for path in (snapshot / folder).iterdir() if path.is_file()]
    files = _model_files(names, trust)
    _check_files(name, files, names)
    return Source(name, snapshot.name, snapshot / folder, files, repository, trust)


def _ask_hub[T](repository: str, ask: Callable[[], T]) -> T:
    """Run a request to the hub; its failures say which repository and what to do."""
    from huggingface_hub import errors

    # The client's errors, and those of whichever HTTP library its version stands on.
    unreachable = cast(tuple[type[Exception], ...], errors.HfHubHTTPError.__bases__)
    page = f"https://huggingface.co/{repository}"
    try:
        return ask()
    except errors.GatedRepoError:
        raise PreflightError(
            f"{repository} is gated: accept its license at {page}, then set HF_TOKEN to a token "
            "of that account (or run `hf auth login`)"
        ) from None
    except errors.RevisionNotFoundError:
        raise UsageError(f"{repository} has no such revision; see {page}/commits") from None
    except errors.RepositoryNotFoundError:
        raise PreflightError(
            f"{repository}: no folder of that name here, and no such repository on the hub, or "
            f"it is private; check the name at {page}, and set HF_TOKEN if it is private"
        ) from None
    except unreachable as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise PreflightError(
            f"{repository}: the hub cannot be reached ({reason}); check the network, or give a "
            "local folder with the model's files"
        ) from None
