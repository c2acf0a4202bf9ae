"""Drawing on pixels."""

from facemood.render.draw import draw_faces, draw_profile
from facemood.render.pictures import PICTURES, encode_png, write_picture

__all__ = ["PICTURES", "draw_faces", "draw_profile", "encode_png", "write_picture"]
