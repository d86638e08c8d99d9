"""flash-attn 2.8.3 in plain PyTorch: the names, signatures and refusals of the real package, on any
device. It says what the kernels have to give, and lets a machine without a GPU take a GPU's path.
"""

from flash_attn.flash_attn_interface import (
    flash_attn_func,
    flash_attn_varlen_func,
    flash_attn_with_kvcache,
)

__version__ = "2.8.3"
__all__ = ["flash_attn_func", "flash_attn_varlen_func", "flash_attn_with_kvcache"]
