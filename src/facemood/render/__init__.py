"""Drawing on pixels."""

from facemood.render.draw import draw_faces, draw_profile
from facemood.render.overlay import LAYERS, check_layers
from facemood.render.pictures import PICTURES, encode_png, write_picture

__all__ = ["LAYERS", "PICTURES", "check_layers", "draw_faces", "draw_profile", "encode_png", "write_picture"]
