from __future__ import annotations

import logging
import platform
from pathlib import Path

import pytest
import torch

from facemood.train import half_precision
from facemood.train.half_precision import computes_in_half
from tests.train.test_module import module_and_batch

CPU = torch.device("cpu")


def has_instructions() -> bool:
    """Whether this CPU has the instructions with which oneDNN computes in bfloat16, as the system lists them."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        pytest.skip("needs Linux on x86_64, which lists the CPU's instructions in /proc/cpuinfo")
    listed = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    return {"avx512bw", "avx512vl", "avx512dq"} <= listed or "avx_ne_convert" in listed


def test_bfloat16_is_used_where_the_recipe_asks_for_it_and_the_cpu_has_it() -> None:
    assert computes_in_half("bfloat16", CPU) == has_instructions()
    assert not computes_in_half("float32", CPU)


def test_a_cpu_without_it_computes_as_in_float32() -> None:
    (half, batch), (single, _) = (module_and_batch(f"train.precision='{name}'") for name in ("bfloat16", "float32"))
    images = half._fit(batch.images.float(), batch)
    for head, logits in half._run(images).items():
        assert logits.dtype == torch.float32
        assert torch.equal(logits, single._run(images)[head]) != has_instructions()


def test_float32_in_place_of_bfloat16_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    half_precision._has_bfloat16.cache_clear()
    with caplog.at_level(logging.INFO, logger="facemood"):
        assert [computes_in_half("bfloat16", CPU) for _ in range(2)] == [has_instructions()] * 2
    assert [one.message.endswith("computes in float32, which is faster here") for one in caplog.records] == (
        [] if has_instructions() else [True]
    )
