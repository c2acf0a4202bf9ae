"""Drawing on pixels."""

from facemood.render.anonymize import anonymize, check_way
from facemood.render.draw import draw_faces, draw_profile
from facemood.render.overlay import LAYERS, check_layers
from facemood.render.pictures import PICTURES, encode_png, write_picture

__all__ = [
    "LAYERS",
    "PICTURES",
    "anonymize",
    "check_layers",
    "check_way",
    "draw_faces",
    "draw_profile",
    "encode_png",
    "write_picture",
]
