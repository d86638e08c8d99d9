"""What makes an engine: its name, what it needs, and how it is started.

An engine is a file in this folder with an `EngineKind`, and a line in the list of `engines`. The
libraries that it draws with are imported when it is started, so that naming it costs nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from sigil_eval import settings
from sigil_eval.generation.prepared import Prepared
from sigil_eval.generation.protocol import Engine, EngineInfo, ModelSpec, SamplingParams

if TYPE_CHECKING:
    from sigil_eval.generation.pool import ModelPool


@dataclass(frozen=True)
class DrawingOptions:
    """How samples are drawn, as asked for, whichever engine draws them.

    What they say depends on `dtype`, `quantization`, `merge`, `early_stop` and `batch_invariant`,
    which are compared on resume. `batch_size` None is what fits; `device` may be a list, with
    commas between. `base_url` is the address of a server.
    """

    batch_size: int | None = settings.BATCH_SIZE.default
    device: str = settings.DEVICE.default
    dtype: str = settings.DTYPE.default
    quantization: str = settings.QUANTIZATION.default
    merge: bool = True
    attention: str = settings.ATTENTION.default
    early_stop: bool = True
    base_url: str | None = settings.BASE_URL.default
    batch_invariant: bool = False


class EngineKind(ABC):
    """An engine as `--engine` names it.

    `loads_weights`: into this process, so that it can be told devices, quantization and merging.
    `needs_model_files`: a model is a folder or a hub id, and not a name that others give it; it is
    drawn from on devices of this machine. `can_be_batch_invariant`: so that the same request gives
    the same bits, whatever it is computed along with. `keyed`: tokens are drawn by
    `sampling.next_tokens`, from each sample's key.
    """

    name: ClassVar[str]
    summary: ClassVar[str]
    loads_weights: ClassVar[bool] = False
    needs_model_files: ClassVar[bool] = False
    needs_base_url: ClassVar[bool] = False
    keyed: ClassVar[bool] = False
    can_be_batch_invariant: ClassVar[bool] = False

    def check(self, options: DrawingOptions) -> None:  # noqa: B027  (most have nothing to check)
        """Refuse, by a UsageError, what can be seen to be wrong without looking at the machine."""

    @abstractmethod
    def prepare(self, spec: ModelSpec, prompt_mode: str) -> Prepared:
        """Find the model. Raises UsageError or PreflightError where it is not to be had."""

    @abstractmethod
    def describe(self, options: DrawingOptions) -> EngineInfo:
        """What it will run on. Raises UsageError for what this machine does not have."""

    def model_pool(self, *, keep_base: bool = False) -> ModelPool | None:
        """What keeps a base loaded from one model to the next; None where none is loaded.

        `keep_base`: for several adapters of one base, one after the other.
        """
        return None

    @abstractmethod
    def start(
        self,
        prepared: Prepared,
        params: SamplingParams,
        options: DrawingOptions,
        info: EngineInfo,
        models: ModelPool | None = None,
    ) -> AbstractContextManager[Engine]:
        """An engine that is ready to draw, on what `describe` said.

        `models` lends weights that are already loaded, to engines that load any.
        """
