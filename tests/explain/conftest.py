from __future__ import annotations

import cv2
import numpy as np
import pytest

from facemood import EmotionRecognizer, Face
from facemood.explain import InputScorer
from facemood.models import ModelSession, find_model
from facemood.schema import Image
from tests.conftest import PHOTOS


@pytest.fixture(scope="session")
def nano() -> EmotionRecognizer:
    """A recognizer whose model outputs its feature map."""
    return EmotionRecognizer("nano", threads=1)


@pytest.fixture(scope="session")
def scorer() -> InputScorer:
    return InputScorer(ModelSession(find_model("nano"), device="cpu", threads=1), "ferplus")


@pytest.fixture(scope="session")
def photo() -> Image:
    return np.asarray(cv2.imread(str(PHOTOS / "grace_hopper.jpg")), np.uint8)


@pytest.fixture(scope="session")
def faces(nano: EmotionRecognizer, photo: Image) -> list[Face]:
    return nano.detect(photo)


@pytest.fixture(scope="session")
def crop(nano: EmotionRecognizer, photo: Image, faces: list[Face]) -> Image:
    """A face crop framed for the network: predicted neutral, with moderate confidence."""
    return nano.pipeline.crops(photo, faces)[0]
