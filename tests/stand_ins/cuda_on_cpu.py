"""Stands in for an H100: whatever torch is told to do on "cuda" is done by the processor.

It is imported at every start of Python from an environment's site folder (cuda_on_cpu.pth) and
changes torch, when that is imported, at its boundary to the device: what asks for a device, moves
something to one, or asks for its memory. Tensors say of themselves that they are on the processor,
so it does not notice when two of them should be on different devices.
"""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

NAME = "NVIDIA H100 80GB HBM3"
CAPABILITY = (9, 0)
MEMORY = 85_029_158_912  # bytes, as torch reports it
KEPT_BY_DRIVER = 600 << 20

# What has nothing to do where there is no device.
DOES_NOTHING = (
    "_lazy_init",
    "empty_cache",
    "init",
    "ipc_collect",
    "manual_seed",
    "manual_seed_all",
    "reset_accumulated_memory_stats",
    "reset_max_memory_allocated",
    "reset_peak_memory_stats",
    "set_device",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "synchronize",
)


def elsewhere(device: Any) -> Any:
    """The processor for the GPU, whatever form the device was named in; else the same."""
    import torch

    if isinstance(device, str) and (device == "cuda" or device.startswith("cuda:")):
        check_index(torch.device(device).index)
        return torch.device("cpu")
    if isinstance(device, torch.device) and device.type == "cuda":
        check_index(device.index)
        return torch.device("cpu")
    if isinstance(device, int) and not isinstance(device, bool):  # an ordinal is a GPU's
        check_index(device)
        return torch.device("cpu")
    return device


def check_index(index: int | None) -> None:
    """There is one GPU."""
    if index:
        raise RuntimeError("CUDA error: invalid device ordinal")


def by_keyword(original: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose `device` is named, and whose memory need not be pinned."""

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("device") is not None:
            kwargs["device"] = elsewhere(kwargs["device"])
        if kwargs.get("pin_memory"):
            kwargs["pin_memory"] = False
        return original(*args, **kwargs)

    return call


def by_position(original: Callable[..., Any]) -> Callable[..., Any]:
    """A tensor's method that takes a device among its first arguments."""

    @functools.wraps(original)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        args = (elsewhere(args[0]), *args[1:]) if args else args
        if kwargs.get("device") is not None:
            kwargs["device"] = elsewhere(kwargs["device"])
        return original(self, *args, **kwargs)

    return call


def resident() -> int:
    """Bytes that this process holds: what it has on the GPU is among them."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def change(torch: Any) -> None:
    """Put the stand-ins in place."""
    # Which functions make tensors is asked for by identity; those that are meant are the originals.
    devices = importlib.import_module("torch.utils._device")
    constructors = devices._device_constructors()
    for space in (torch, torch.fft, torch.nested):
        for name, function in vars(space).copy().items():
            if callable(function) and function in constructors:
                setattr(space, name, by_keyword(function))
    for name in ("empty", "full", "ones", "rand", "randn", "zeros"):
        setattr(torch, f"{name}_like", by_keyword(getattr(torch, f"{name}_like")))
        if hasattr(torch.Tensor, f"new_{name}"):
            setattr(torch.Tensor, f"new_{name}", by_keyword(getattr(torch.Tensor, f"new_{name}")))
    torch.Tensor.new_tensor = by_keyword(torch.Tensor.new_tensor)
    torch.Tensor.to = by_position(torch.Tensor.to)
    torch.Tensor.cuda = lambda self, device=None, **_: self.to(device or "cuda")
    torch.Tensor.pin_memory = lambda self, *_: self
    torch.Tensor.is_pinned = lambda self, *_: False
    context = devices.DeviceContext
    begin = context.__init__
    context.__init__ = lambda self, device: begin(self, elsewhere(device))
    generator = torch.Generator

    class Generator(generator):  # type: ignore[misc, valid-type]
        """One of the processor's."""

        def __new__(cls, device: Any = "cpu") -> Any:
            return generator(elsewhere(device))

    torch.Generator = Generator
    autocast = torch.autocast.__init__
    torch.autocast.__init__ = lambda self, device_type, *given, **more: autocast(
        self, "cpu" if device_type == "cuda" else device_type, *given, **more
    )
    load = torch.load
    torch.load = functools.wraps(load)(
        lambda f, map_location=None, **options: load(f, elsewhere(map_location), **options)
    )
    change_cuda(torch, torch.cuda)


PROPERTIES = types.SimpleNamespace(
    name=NAME,
    major=CAPABILITY[0],
    minor=CAPABILITY[1],
    total_memory=MEMORY,
    multi_processor_count=132,
    warp_size=32,
    max_threads_per_multi_processor=2048,
    shared_memory_per_block_optin=232_448,
    regs_per_multiprocessor=65536,
    gcnArchName="",
    is_integrated=False,
    is_multi_gpu_board=False,
    L2_cache_size=52_428_800,
)


def change_cuda(torch: Any, cuda: Any) -> None:
    """What torch.cuda says of itself."""
    # Long because it is a list.

    def one(value: Any) -> Callable[..., Any]:
        def ask(device: Any = None, *_: Any, **__: Any) -> Any:
            elsewhere(device)  # refuses a second GPU
            return value() if callable(value) else value

        return ask

    # torch's compiler wants to tell functions apart, so each gets one of its own.
    def nothing() -> Callable[..., None]:
        return lambda *_, **__: None

    memory = {"allocated_bytes.all.current": resident, "reserved_bytes.all.current": resident}
    answers: dict[str, Any] = {
        "current_device": 0,
        "get_device_capability": CAPABILITY,
        "get_device_name": NAME,
        "get_device_properties": PROPERTIES,
        "get_rng_state": torch.get_rng_state,
        "max_memory_allocated": resident,
        "max_memory_reserved": resident,
        "mem_get_info": lambda: (MEMORY - KEPT_BY_DRIVER - resident(), MEMORY),
        "memory_allocated": resident,
        "memory_reserved": resident,
        "memory_stats": lambda: {name: figure() for name, figure in memory.items()},
    }
    for name, value in answers.items():
        setattr(cuda, name, one(value))
        if hasattr(cuda.memory, name):
            setattr(cuda.memory, name, one(value))
    for name in DOES_NOTHING:
        setattr(cuda, name, nothing())
        if hasattr(cuda.memory, name):
            setattr(cuda.memory, name, nothing())
    cuda.random.get_rng_state, cuda.random.set_rng_state = cuda.get_rng_state, cuda.set_rng_state
    cuda.is_available = cuda.is_initialized = lambda: True
    cuda.is_bf16_supported = lambda including_emulation=True: True
    cuda.device_count = lambda: 1
    cuda.is_current_stream_capturing = lambda: False
    torch.version.cuda = torch.version.cuda or "12.8"


class AfterTorch(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Lets torch be imported as it is, and changes it then."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find torch itself, for whoever asks where it is, too."""
        if name != "torch":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None:
            return None
        self._loader = spec.loader
        spec.loader = self
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType | None:
        """As its own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        """As its own loader does, and then our changes."""
        sys.meta_path.remove(self)
        spec = module.__spec__
        assert spec is not None
        spec.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        change(module)


if (
    not any(isinstance(finder, AfterTorch) for finder in sys.meta_path)
    and "torch" not in sys.modules
):
    sys.meta_path.insert(0, AfterTorch())
