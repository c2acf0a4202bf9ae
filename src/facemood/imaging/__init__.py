"""Arrays and Pillow images as (H, W, 3) uint8 BGR: every place that takes an image converts it here."""

from facemood.imaging.any_image import AnyImage, as_crops, as_image, wrong_array
from facemood.imaging.pillow_image import ORIENTATION, from_pillow, upright
from facemood.imaging.pixel_values import to_eight_bits

__all__ = [
    "ORIENTATION",
    "AnyImage",
    "as_crops",
    "as_image",
    "from_pillow",
    "to_eight_bits",
    "upright",
    "wrong_array",
]
