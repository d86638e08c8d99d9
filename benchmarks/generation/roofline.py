"""How fast a machine could decode: the time in which a step's bytes can be read, or its
operations done, whichever is longer, at the bandwidth and the rate that this machine shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import torch


@dataclass(frozen=True)
class Roofline:
    """A model's bytes and a machine's rates: bytes of weights, bytes of keys and values for a
    token, parameters; bytes and floating-point operations a second."""

    weight_bytes: int
    bytes_per_token: int
    parameters: int
    bandwidth: float
    flops: float

    @classmethod
    def measure(cls, model: Any, device: str) -> Self:
        """Measure the device with the model's precision."""
        config = model.config
        size = config.hidden_size // config.num_attention_heads
        parameters = model.num_parameters()
        item = model.dtype.itemsize
        return cls(
            weight_bytes=parameters * item,
            bytes_per_token=2 * config.num_hidden_layers * config.num_key_value_heads * size * item,
            parameters=parameters,
            bandwidth=_bandwidth(device),
            flops=_flops(device, model.dtype),
        )

    def tokens_per_second(self, batch: int, context: float) -> float:
        """The most that is possible for so many answers, each with so many tokens before."""
        bytes_read = self.weight_bytes + batch * context * self.bytes_per_token
        return batch / max(bytes_read / self.bandwidth, 2 * self.parameters * batch / self.flops)

    def __str__(self) -> str:
        return (
            f"{self.weight_bytes / 1e9:.2f} GB of weights, {self.bytes_per_token / 1024:.1f} KiB a "
            f"token; measured {self.bandwidth / 1e9:.0f} GB/s and {self.flops / 1e12:.2f} TFLOP/s"
        )


def clock_of(device: str) -> Callable[[], float]:
    """Wall time for a GPU; for a CPU the processor's own, on one thread, which other work on the
    machine does not lengthen."""
    return time.perf_counter if device.startswith("cuda") else time.process_time


def _bandwidth(device: str) -> float:
    """Bytes read a second, by summing numbers."""
    numbers = torch.ones((1 << 30 if device.startswith("cuda") else 1 << 26), device=device)
    return numbers.nbytes / _seconds(numbers.sum, device)


def _flops(device: str, dtype: torch.dtype) -> float:
    """Floating-point operations a second, by multiplying square matrices."""
    side = 8192 if device.startswith("cuda") else 1024
    left, right = torch.randn(2, side, side, device=device).to(dtype)
    return 2 * side**3 / _seconds(lambda: left @ right, device)


def _seconds(work: Callable[[], object], device: str) -> float:
    """The shortest time of ten."""
    times, clock = [], clock_of(device)
    for _ in range(11):
        began = clock()
        work()
        if device.startswith("cuda"):
            torch.cuda.synchronize(device)
        times.append(clock() - began)
    return min(times[1:])
