"""Where networks compute in bfloat16: the recipe asks for it, and the hardware has instructions for it."""

from __future__ import annotations

import logging
from functools import cache

import torch

logger: logging.Logger = logging.getLogger("facemood")


def computes_in_half(precision: str, device: torch.device) -> bool:
    """Return whether a network of this ``train.precision`` computes in bfloat16 on a device.

    Where a processor lacks the instructions, as many laptops do, torch imitates bfloat16. A step then takes about
    eleven times as long as in float32 (`benchmarks/half_precision.py`), so the network computes in float32.
    """
    return precision == "bfloat16" and _has_bfloat16(device.type)


@cache
def _has_bfloat16(kind: str) -> bool:
    """Return whether a kind of device has instructions for bfloat16, and tell once if it has none."""
    has: bool = True
    if kind == "cuda":
        has = torch.cuda.is_bf16_supported(including_emulation=False)
    elif kind == "cpu":  # oneDNN runs convolutions and products of matrices
        has = torch._C._has_mkldnn and bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    if not has:
        logger.info("the processor has no bfloat16; the network computes in float32, which is faster here")
    return has
