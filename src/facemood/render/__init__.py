"""Draw results on images, hide faces, and write image files."""

from facemood.render.anonymize import anonymize, check_anonymize
from facemood.render.draw import draw_faces, draw_profile
from facemood.render.image_files import IMAGE_SUFFIXES, encode_png, write_image
from facemood.render.overlay import LAYERS, check_layers

__all__ = [
    "IMAGE_SUFFIXES",
    "LAYERS",
    "anonymize",
    "check_anonymize",
    "check_layers",
    "draw_faces",
    "draw_profile",
    "encode_png",
    "write_image",
]
