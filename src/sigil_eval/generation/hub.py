"""Models on the hub: found at an exact revision, and brought into huggingface_hub's cache.

A model is downloaded file by file: configuration, tokenizer and safetensors weights, nothing else
unless it was asked for. From then on it is a local folder like any other.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import cast

from sigil_eval.errors import PreflightError, UsageError
from sigil_eval.files import sha256_file
from sigil_eval.generation.model_files import (
    ADAPTER_CONFIG,
    MODEL_CONFIG,
    ModelFiles,
    choose_files,
    holds_weights,
)
from sigil_eval.generation.protocol import NO_TRUST, Trust


def hub_model(name: str, revision: str | None, trust: Trust) -> ModelFiles:
    """A repository's model, `org/name`, or that in a folder of it, `org/name/folder`, with all but
    its weights in the cache. Where the hub cannot be reached, what the cache has of it.

    Raises UsageError for what is no model or has no such revision, PreflightError for what cannot
    be had.
    """
    from huggingface_hub import HfApi

    repository, folder = _split_hub_name(name)
    cached = cached_model(name, revision, trust)
    try:
        info = _ask_hub(repository, lambda: HfApi().model_info(repository, revision=revision))
    except PreflightError:
        if cached is None:
            raise
        return cached
    prefix = f"{folder}/" if folder else ""
    names = [
        sibling.rfilename[len(prefix) :]
        for sibling in info.siblings or []
        if sibling.rfilename.startswith(prefix)
    ]
    names = [file for file in names if "/" not in file]
    if folder and not names:
        raise UsageError(f"{repository} has no folder '{folder}' at revision {info.sha}")
    files = choose_files(name, names, trust)
    small = [file for file in files if not holds_weights(file)]
    model = ModelFiles(name, str(info.sha), Path(), files, repository, trust)
    _ask_hub(repository, lambda: _remember_branch(repository, revision, prefix + small[0]))
    return replace(model, folder=_download(model, small))


def folders_of(name: str, revision: str | None) -> list[str]:
    """The folders of a repository, `org/name`, that hold files; none of a folder in one.

    Raises as `hub_model` does where the hub cannot be asked.
    """
    from huggingface_hub import HfApi

    repository, folder = _split_hub_name(name)
    if folder:
        return []
    info = _ask_hub(repository, lambda: HfApi().model_info(repository, revision=revision))
    files = [sibling.rfilename for sibling in info.siblings or []]
    return sorted({file.partition("/")[0] for file in files if "/" in file})


def _remember_branch(repository: str, revision: str | None, file: str) -> None:
    """Ask for one file by the branch's name: the cache then knows the branch's commit, and the
    model can be found again without the hub."""
    from huggingface_hub import hf_hub_download

    hf_hub_download(repository, file, revision=revision)


def _split_hub_name(name: str) -> tuple[str, str]:
    """`org/name/some/folder` -> (`org/name`, `some/folder`)."""
    organisation, repository, *rest = name.split("/")
    return f"{organisation}/{repository}", "/".join(rest)


def _download(model: ModelFiles, files: list[str]) -> Path:
    """Bring files of a hub model into the cache, and return the folder they lie in."""
    from huggingface_hub import hf_hub_download

    repository = model.repository or ""
    _, folder = _split_hub_name(model.name)

    def fetch(file: str) -> Path:
        path = hf_hub_download(repository, file, subfolder=folder or None, revision=model.revision)
        return Path(path)

    def fetch_all() -> list[Path]:
        with ThreadPoolExecutor(max_workers=4) as pool:
            return list(pool.map(fetch, files))

    return _ask_hub(repository, fetch_all)[0].parent


def fetch_weights(model: ModelFiles) -> ModelFiles:
    """Download what is still missing of a hub model; a local folder is returned as it is."""
    if model.repository is None or all((model.folder / f).exists() for f in model.files):
        return model
    return replace(model, folder=_download(model, list(model.files)))


def cached_model(name: str, revision: str | None, trust: Trust = NO_TRUST) -> ModelFiles | None:
    """A hub model as far as it lies in the cache at a revision, without asking the hub."""
    from huggingface_hub import try_to_load_from_cache

    repository, folder = _split_hub_name(name)
    prefix = f"{folder}/" if folder else ""
    for config in (ADAPTER_CONFIG, MODEL_CONFIG):
        found = try_to_load_from_cache(repository, prefix + config, revision=revision)
        if isinstance(found, str):
            here = Path(found).parent
            names = [path.name for path in here.iterdir() if path.is_file()]
            commit = Path(found).parents[prefix.count("/")].name
            return ModelFiles(name, commit, here, choose_files(name, names, trust), repository)
    return None


def is_damaged(file: Path) -> bool:
    """Whether a large file of the cache has another sha256 than its name there says.

    The hub's client does not look.
    """
    content = file.resolve()
    return bool(re.fullmatch("[0-9a-f]{64}", content.name)) and sha256_file(content) != content.name


def _ask_hub[T](repository: str, ask: Callable[[], T]) -> T:
    """Run a request to the hub; its failures say which repository and what to do."""
    from huggingface_hub import constants, errors

    # The client's errors, and those of whichever HTTP library its version stands on.
    unreachable = cast(tuple[type[Exception], ...], errors.HfHubHTTPError.__bases__)
    page = f"{constants.ENDPOINT}/{repository}"
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
        reason = (str(error).strip() or type(error).__name__).split("\n")[0]
        raise PreflightError(
            f"{repository}: the hub cannot be reached ({reason}); check the network, or give a "
            "local folder with the model's files"
        ) from None
