"""Why a model says what it says of a face: explanations that can be seen, and checked."""

from facemood.explain.explanation import Explanation
from facemood.explain.faces import METHODS, ExplainOptions, explain_crop, explain_faces
from facemood.explain.layer import add_maps, can_map, with_maps
from facemood.explain.reader import ExpressionReader
from facemood.explain.regions import REGIONS, face_regions
from facemood.explain.segmenters import SEGMENTERS, segment_face
from facemood.explain.traits import traits_of

__all__ = [
    "METHODS",
    "REGIONS",
    "SEGMENTERS",
    "ExplainOptions",
    "Explanation",
    "ExpressionReader",
    "add_maps",
    "can_map",
    "explain_crop",
    "explain_faces",
    "face_regions",
    "segment_face",
    "traits_of",
    "with_maps",
]
