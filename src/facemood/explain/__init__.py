"""Explain predictions: which parts of a face support a label, by LIME, class activation or occlusion."""

from facemood.explain.explain_faces import METHODS, ExplainOptions, explain_crop, explain_faces
from facemood.explain.explanation import Explanation
from facemood.explain.map_layer import add_maps, can_map, with_maps
from facemood.explain.regions import REGIONS, face_regions
from facemood.explain.scoring import InputScorer
from facemood.explain.segmenters import SEGMENTERS, segment_face
from facemood.explain.traits import traits_of

__all__ = [
    "METHODS",
    "REGIONS",
    "SEGMENTERS",
    "ExplainOptions",
    "Explanation",
    "InputScorer",
    "add_maps",
    "can_map",
    "explain_crop",
    "explain_faces",
    "face_regions",
    "segment_face",
    "traits_of",
    "with_maps",
]
