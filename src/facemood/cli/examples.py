"""An example or two for each command, which its help shows."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "analyze": ("analyze photos/ -o table.csv -o drawn/", "analyze talk.mp4 --every 0.2s -o table.csv -o report.html"),
    "archive alike": ("archive alike out/ -o alike.html",),
    "archive collect": ("archive collect out/ -o all.parquet",),
    "archive status": ("archive status out/",),
    "doctor": ("doctor",),
    "evaluate": ("evaluate --data photos:DIR", "evaluate --data fer2013:DIR --split PublicTest --json"),
    "explain": ("explain photo.jpg -o why.png", "explain photo.jpg --method cam --label sad -o sad.png"),
    "export": ("export runs/own --data photos:DIR -o own.onnx",),
    "learn check": ("learn check",),
    "learn filters": ("learn filters photo.jpg -o filters.png",),
    "learn show": ("learn show photo.jpg -o layers.png",),
    "learn train": ("learn train --data fer2013:DIR",),
    "live": ("live", "live screen --no-window --json"),
    "models": ("models", "models --json"),
    "models show": ("models show nano",),
    "review": ("review out/", "review out/ -o agreement.html", "review out/ --export my_faces/"),
    "serve": ("serve", "serve --port 8080 --model nano"),
    "soft-labels": ("soft-labels runs/teacher-0 runs/teacher-1 --data fer2013:DIR -o labels.npz",),
    "train": (
        "train --list",
        "train own --data photos:DIR",
        "train default-start --data fer2013:DIR --set train.epochs=20",
    ),
    "tune": ("tune cnn48 --data fer2013:DIR --trials 20 --hours 4",),
    "web": ("web site/", "web --serve --model nano"),
}
"""By the name of each command: what follows ``facemood``."""


def epilog(name: str, *, markdown: bool) -> str | None:
    """Return what stands below the help of a command: its examples, one a line; None if it has none.

    Args:
        name: The command, such as ``"archive status"``.
        markdown: Whether the help is written in Markdown; otherwise as plain text.

    Example:
        >>> epilog("doctor", markdown=False)
        'Example: facemood doctor'
    """
    lines = [f"facemood {line}" for line in EXAMPLES.get(name, ())]
    if not lines:
        return None
    if not markdown:
        return "\n\n".join(f"Example: {line}" for line in lines)
    return "\n\n".join(["Examples:" if len(lines) > 1 else "Example:", *(f"- `{line}`" for line in lines)])
