"""Write the trained networks as ONNX with their cards."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from facemood.errors import DatasetError
from facemood.evaluation.crop_framing import framing_of_points
from facemood.geometry import Floats
from facemood.models.card import ModelCard
from facemood.models.session import prepare
from facemood.schema import Image
from facemood.sources import load_image
from facemood.stages.align import LANDMARK_FRAMING, cut_faces, squares_of
from facemood.stages.detect import FinderDetector
from facemood.stages.landmarks import landmarks_of
from facemood.train.faces.appearance_network import NUMBERS, AppearanceNetwork
from facemood.train.faces.appearance_network import SIZE as APPEARANCE_SIZE
from facemood.train.faces.landmark_network import SIZE
from facemood.train.faces.teach import APPEARANCE, FINDER, LANDMARKS, MASK, REFINED
from facemood.train.faces.train_loop import Plan
from facemood.train.onnx_file import save_onnx

CELLS = (
    "score", "left", "top", "right", "bottom", "right_eye_x", "right_eye_y", "left_eye_x", "left_eye_y", "nose_x",
    "nose_y", "right_mouth_x", "right_mouth_y", "left_mouth_x", "left_mouth_y",
)  # fmt: skip
"""Names of the finder's output channels."""

TRAINED_ON: dict[str, Any] = {
    "dataset": "FER2013 (Goodfellow et al. 2013), marked by mediapipe's face mesh and laid into 783 everyday photos "
    "(of the imagenet-sample-images collection)",
    "split": "Training",
    "images": 26_942,
}
"""Training data of all face networks; the number of composed images follows from their plans."""

ORIGIN = (
    "The training faces are FER2013's, whose pictures were collected from the web for research, and their rights were "
    "never cleared; ages, skin tones and cultures are not balanced and not recorded, so accuracy for a group is "
    "unknown.",
    "The points were taught by another network (mediapipe's face mesh, Apache-2.0), not by people.",
)
"""Limits of all face networks, because of their training data."""


def _drawn(*plans: Plan) -> dict[str, int]:
    """Count the batches and images of consecutive training plans."""
    return {"steps": sum(plan.steps for plan in plans), "pictures": sum(plan.steps * plan.batch for plan in plans)}


FINDER_CARD = ModelCard(
    name="finder",
    task="detection",
    description="It finds faces: a score, a box and five points for every 8x8 pixels of a grey picture of any size",
    heads={"cells": CELLS},
    default_head="cells",
    input_size=(144, 144),
    trained_on={**TRAINED_ON, **_drawn(FINDER)},
    limits=(
        "It finds upright faces and faces tilted by up to 60 degrees, frontal to three quarters; not upside down, and "
        "profiles only by luck.",
        "Painted, drawn and sculpted faces are found as well, and animals' faces at times.",
        *ORIGIN,
    ),
)
"""The card of the face finder."""

LANDMARKS_CARD = ModelCard(
    name="landmarks",
    task="landmarks",
    description="It reads 68 points of a face in iBUG order, and whether there is a face, from a grey crop",
    heads={"points": tuple(f"{axis}{index}" for index in range(68) for axis in "xy"), "presence": ("face",)},
    default_head="points",
    input_size=(SIZE, SIZE),
    trained_on={**TRAINED_ON, **_drawn(LANDMARKS, REFINED)},
    limits=(
        "The jaw of the mesh lies a little inside of where people mark it.",
        "Points that are covered or turned away are guessed.",
        *ORIGIN,
    ),
)
"""The card of the landmark network."""


MASK_CARD = ModelCard(
    name="mask",
    task="mask",
    description="It tells face from background: the logit of each pixel of a grey crop to lie in the face's oval",
    heads={"mask": ("face",)},
    default_head="mask",
    input_size=(SIZE, SIZE),
    trained_on={**TRAINED_ON, **_drawn(MASK)},
    limits=(
        "The oval is the outer ring of the teacher's mesh: it ends below the hair, and has no ears and no neck.",
        "What covers the face, a hand or glasses, counts as face.",
        *ORIGIN,
    ),
)
"""The card of the mask network."""


APPEARANCE_CARD = ModelCard(
    name="appearance",
    task="appearance",
    description="It embeds the look of a face in a grey crop: two shots of one person are near, other people are apart",
    heads={"embedding": tuple(f"look{index}" for index in range(NUMBERS))},
    default_head="embedding",
    input_size=(APPEARANCE_SIZE, APPEARANCE_SIZE),
    trained_on={
        "dataset": "FER2013 (Goodfellow et al. 2013), without labels: two altered versions of a tile belong together "
        "(NT-Xent, Chen et al. 2020)",
        "split": "Training",
        "images": 27_838,
        **_drawn(APPEARANCE),
    },
    limits=(
        "It joins the tracks of one video and, if that is asked for, the people of a few videos. It cannot tell who "
        "somebody is, and it is too coarse to find a person again among many.",
        "It never saw two photos of one person, so another haircut, glasses or a turned head may make another person.",
        "People who look alike, by face, hair and light, are joined; see docs/people.md.",
        ORIGIN[0],
    ),
)
"""The card of the appearance network."""


def export_finder(network: nn.Module, file: Path) -> None:
    """Write the finder for single images of any size whose sides are multiples of 16."""
    rows, columns = torch.export.Dim("rows", min=2, max=512), torch.export.Dim("columns", min=2, max=512)
    save_onnx(network, file, FINDER_CARD, example=torch.zeros(1, 1, 160, 192), free={2: 16 * rows, 3: 16 * columns})


def export_landmarks(network: nn.Module, file: Path) -> None:
    """Write the landmark network for any batch size."""
    batch = torch.export.Dim("batch", min=1, max=4096)
    save_onnx(network, file, LANDMARKS_CARD, example=torch.zeros(2, 1, SIZE, SIZE), free={0: batch})


def export_mask(network: nn.Module, file: Path) -> None:
    """Write the mask network for any batch size, with weights in half precision."""
    batch = torch.export.Dim("batch", min=1, max=4096)
    save_onnx(network, file, MASK_CARD, example=torch.zeros(2, 1, SIZE, SIZE), free={0: batch}, half=True)


def export_appearance(network: AppearanceNetwork, file: Path, points: Floats, photos: Sequence[Path]) -> None:
    """Centre the appearance network, and write it for any batch size, with weights in half precision.

    Args:
        network: The trained network.
        file: The ONNX file.
        points: (N, 68, 2) landmarks of the training tiles in units of the tile, NaN where there are none. They say how
            a face is framed in a tile.
        photos: Photos of different people, by whose faces it is centred.

    Raises:
        DatasetError: No tile has landmarks, or no photo has a face.
        SourceError: A photo cannot be read.
    """
    left, top, right, bottom = (round(edge, 4) for edge in framing_of_points(points).crop)
    card = dataclasses.replace(APPEARANCE_CARD, framing={LANDMARK_FRAMING: (left, top, right, bottom)})
    crops = _sure_faces(photos, card)
    network.set_centre(torch.from_numpy(prepare(crops, card)))
    card = dataclasses.replace(card, trained_on={**card.trained_on, "centred_on": f"{len(crops)} faces of photos"})
    example = torch.zeros(2, 1, APPEARANCE_SIZE, APPEARANCE_SIZE)
    batch = torch.export.Dim("batch", min=1, max=4096)
    save_onnx(network, file, card, example=example, free={0: batch}, half=True)


def _sure_faces(photos: Sequence[Path], card: ModelCard) -> list[Image]:
    """Return the faces in photos of which the finder is sure, as a card frames them."""
    finder, crops = FinderDetector(threads=1), list[Image]()
    for photo in photos:
        image = load_image(photo)
        faces = [face for face in finder(image) if landmarks_of(face) is not None and face.score >= finder.SURE]
        crops += cut_faces(image, squares_of(faces, card.framing, finder.name))
    if not crops:
        raise DatasetError(f"{', '.join(map(str, photos))}: found no face to centre the network on; give other photos")
    return crops
