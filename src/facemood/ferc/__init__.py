"""FERC: two networks in series. One removes the background, one classifies 24 distances between facial parts."""

from facemood.ferc.face_mask import MaskedFaces, MaskModel, mask_overlap
from facemood.ferc.ferc_strategy import FercStrategy
from facemood.ferc.parts import PartsModel, with_parts
from facemood.ferc.system import FERC, with_layers
from facemood.ferc.vector import PAIRS, PARTS, distances, expressional_vector, facial_parts

__all__ = [
    "FERC",
    "PAIRS",
    "PARTS",
    "FercStrategy",
    "MaskModel",
    "MaskedFaces",
    "PartsModel",
    "distances",
    "expressional_vector",
    "facial_parts",
    "mask_overlap",
    "with_layers",
    "with_parts",
]
