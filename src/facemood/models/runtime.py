"""Open ONNX Runtime sessions. This is the only module that imports it, so telemetry and spinning are off everywhere.

ONNX Runtime 1.29 and later send telemetry on Linux and macOS unless ``ORT_DISABLE_TELEMETRY=1`` is set before the
first import. ``import facemood`` sets it; a value that the user has set is kept.
"""

from __future__ import annotations

import functools
import logging
import os
import sys
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

IMPORTED_BEFORE = "onnxruntime" in sys.modules
"""Whether something else imported ONNX Runtime before facemood, and perhaps before telemetry was off."""

import onnxruntime  # noqa: E402 - after the check for an earlier import

from facemood.errors import DeviceError, OptionError, did_you_mean, require  # noqa: E402
from facemood.models.cpu_share import usable_cpus  # noqa: E402
from facemood.models.memory_limit import COPIES, OPENING, RUNNING, limited_growth  # noqa: E402

if IMPORTED_BEFORE and os.environ["ORT_DISABLE_TELEMETRY"] == "1":
    onnxruntime.disable_telemetry_events()  # late, but better than not at all

logger: logging.Logger = logging.getLogger("facemood")

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
}
"""ONNX Runtime's execution provider of each device."""

PACKAGES = {
    "cuda": "replace the package onnxruntime by onnxruntime-gpu",
    "coreml": "the package onnxruntime for macOS has it",
    "directml": "replace the package onnxruntime by onnxruntime-directml, which is for Windows",
    "openvino": "replace the package onnxruntime by onnxruntime-openvino",
}
"""How to get the provider of each device but the CPU."""

AUTO_DEVICES = ("cuda", "cpu")
"""What ``"auto"`` tries, best first. The other devices are used only by name: no figures were measured on them."""

DEVICES = ("auto", *PROVIDERS)
"""Names of devices; ``"auto"`` uses an NVIDIA GPU if there is one."""

OTHER_NAMES: dict[str, str] = {
    **dict.fromkeys(("gpu", "nvidia", "0"), "cuda"),
    **dict.fromkeys(("mps", "metal", "apple"), "coreml"),
    **dict.fromkeys(("dml", "dx12"), "directml"),
    "intel": "openvino",
}
"""What other programs call a device; a message says what it is called here."""


BOUND = ("cuda",)
"""Devices whose memory holds input and outputs of a run. It was not tried on a GPU."""


def open_session(model: str | bytes | Path, *, device: str = "cpu", threads: int | None = None) -> Any:
    """Open an ONNX model.

    Waiting threads do not spin: next to one busy process, spinning makes a photo take four times as long.
    Memory is limited while the model is opened and while it runs (`memory_limit`).

    Args:
        model: The file, or its bytes.
        device: One of `DEVICES`.
        threads: Threads per run; None for `default_threads`.

    Returns:
        An ``onnxruntime.InferenceSession``.

    Raises:
        DeviceError: The device is unknown, or ONNX Runtime has no provider for it.
        Exception: ONNX Runtime's own exceptions, if the model cannot be loaded.
    """
    _limit_runs()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # print no error: what fails is raised anyway
    options.add_session_config_entry("session.use_env_allocators", "1")
    for pool in ("intra_op", "inter_op"):
        options.add_session_config_entry(f"session.{pool}.allow_spinning", "0")
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, Integral) or threads < 1):
        raise OptionError(f"threads must be a whole number from 1 on or None, but is {threads!r}")
    options.intra_op_num_threads = default_threads() if threads is None else int(threads)
    source = model if isinstance(model, bytes) else str(model)
    size = len(model) if isinstance(model, bytes) else Path(model).stat().st_size
    with limited_growth(OPENING + COPIES * size):
        return onnxruntime.InferenceSession(source, options, providers=select_providers(device))


def default_threads() -> int:
    """Return the threads per run where the user names none: 0 lets ONNX Runtime take one per core.

    Where an affinity or the quota of a container allows fewer CPUs than the machine has, it is their number.
    """
    usable = usable_cpus()
    return usable if usable < (os.cpu_count() or 1) else 0


@functools.cache
def _limit_runs() -> None:
    """Give all sessions one allocator, which refuses to go beyond `RUNNING`."""
    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    try:
        onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg({"max_mem": RUNNING}))
    except Exception as error:  # the program around us has registered one of its own: that one holds
        logger.debug("ONNX Runtime keeps another allocator (%s)", error)


def quantization_tools() -> Any:
    """Return ONNX Runtime's package for quantization.

    Raises:
        MissingExtraError: It needs the package onnx, which is not installed (extra ``train``).
    """
    require("onnx", extra="train")
    from onnxruntime import quantization

    return quantization


def quiet_run() -> Any:
    """Return run options (``onnxruntime.RunOptions``) that do not print errors, because they are raised anyway."""
    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    return options


def available_providers() -> list[str]:
    """Return the execution providers of this ONNX Runtime, best first."""
    return list(onnxruntime.get_available_providers())


def telemetry_state() -> str:
    """Describe in one sentence whether ONNX Runtime's telemetry is off."""
    value = os.environ.get("ORT_DISABLE_TELEMETRY", "")
    if value != "1":
        return f"may be on: ORT_DISABLE_TELEMETRY is {value!r}; set it to 1 to turn it off"
    if IMPORTED_BEFORE:
        return "may be on: onnxruntime was imported before facemood; import facemood first"
    return "off (ORT_DISABLE_TELEMETRY=1)"


def select_providers(device: str) -> list[str]:
    """Return ONNX Runtime's execution providers for a device, best first.

    Raises:
        DeviceError: The device is unknown, or ONNX Runtime has no provider for it.
    """
    if device not in DEVICES:
        meant = OTHER_NAMES.get(str(device).partition(":")[0].lower(), str(device))
        raise DeviceError(
            f"unknown device {device!r}; expected one of {', '.join(DEVICES)}.{did_you_mean(meant, DEVICES)}"
        )
    available = available_providers()
    if device == "auto":
        return [PROVIDERS[name] for name in AUTO_DEVICES if PROVIDERS[name] in available]
    if PROVIDERS[device] not in available:
        raise DeviceError(
            f"device {device!r} is not available; this ONNX Runtime has only {', '.join(available)}; "
            f"{PACKAGES[device]}, or use device='auto'"
        )
    return [PROVIDERS[device]]


def device_of(session: Any, *, asked: str) -> str:
    """Return the device that a session runs on. A fallback is an error, and with ``"auto"`` a warning.

    Raises:
        DeviceError: It is not the requested one.
    """
    names = {provider: device for device, provider in PROVIDERS.items()}
    found, wanted = (names[providers[0]] for providers in (session.get_providers(), select_providers(asked)))
    if found != wanted:
        message = f"device {wanted!r} could not be started, so ONNX Runtime fell back to {found!r}; check the driver"
        if asked != "auto":
            raise DeviceError(message)
        logger.warning("%s, or use device=%r", message, found)
    return found


def run_session(session: Any, wanted: list[str], inputs: Mapping[str, Any], options: Any, *, device: str) -> list[Any]:
    """Run a network. On a GPU, input and outputs are bound to its memory, and only the wanted outputs are copied back.

    Args:
        session: An ``onnxruntime.InferenceSession``.
        wanted: Names of outputs.
        inputs: Arrays by the names of inputs.
        options: ``onnxruntime.RunOptions``.
        device: The device that the session runs on.

    Returns:
        An array for each wanted output.
    """
    if device not in BOUND:
        return list(session.run(wanted, inputs, options))
    binding = session.io_binding()
    for name, values in inputs.items():
        binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(values, device, 0))
    for name in wanted:
        binding.bind_output(name, device, 0)
    session.run_with_iobinding(binding, options)
    return list(binding.copy_outputs_to_cpu())
