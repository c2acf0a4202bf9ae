"""Drawing on pixels."""

from facemood.render.anonymize import anonymize, check_way
from facemood.render.draw import draw_faces, draw_profile
from facemood.render.image_files import PICTURES, encode_png, write_picture
from facemood.render.overlay import LAYERS, check_layers

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
