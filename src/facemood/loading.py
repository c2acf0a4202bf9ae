"""Open any model by name or file: the task on its card selects the recognizer class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facemood.defaults import DEFAULT_PRECISION
from facemood.errors import ModelError
from facemood.models import DEFAULT_MODEL, ModelSession, find_model
from facemood.recognizer import EmotionRecognizer


def open_recognizer(
    name_or_file: str | Path = DEFAULT_MODEL,
    *,
    device: str = "auto",
    threads: int | None = None,
    precision: str = DEFAULT_PRECISION,
    **options: Any,
) -> EmotionRecognizer:
    """Open a model in the recognizer for its task. The task on the model's card decides, not its name or path.

    Args:
        name_or_file: Name of a model in the package, such as ``"nano"`` or ``"ferc"``, or the path of an .onnx file
            with a card.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"coreml"``, ``"directml"`` or ``"openvino"``.
        threads: Threads per run of a network; None for one per core that may be used.
        precision: ``"fp32"``, or ``"int8"`` for a model that has an int8 file (`EmotionRecognizer`).
        options: The other options of `EmotionRecognizer`.

    Raises:
        ModelError: The model, head or detector is unknown or damaged, or the model is for another task.
        DeviceError: The device is not available.
        OptionError: An option is out of range.

    Example:
        >>> open_recognizer("ferc").labels
        ('angry', 'happy', 'sad', 'surprise', 'neutral')
        >>> type(open_recognizer("ferc")).__name__, type(open_recognizer()).__name__
        ('FERC', 'EmotionRecognizer')
    """
    file = find_model(name_or_file, precision=precision)
    session = ModelSession(file, device=device, threads=threads)
    kinds = _recognizers(session.card.task)
    if session.card.task not in kinds:
        raise ModelError(
            f"{file}: the card's task is {session.card.task!r}, and no recognizer runs such a model; "
            f"expected {' or '.join(map(repr, kinds))}"
        )
    return kinds[session.card.task](session, threads=threads, precision=precision, **options)


def _recognizers(task: str) -> dict[str, type[EmotionRecognizer]]:
    """Return the recognizer classes by their tasks, among them that of a task; FERC's networks load only for others."""
    if task == EmotionRecognizer.task:
        return {task: EmotionRecognizer}
    from facemood.ferc import FERC

    return {kind.task: kind for kind in (EmotionRecognizer, FERC)}
