"""The settings of an augmentation, which recipes have for each view of the training images."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """Augmentation of training images. Each image draws its own values.

    Attributes:
        upright: Share of the images that are turned upright, centred and scaled by their landmarks, as inference does;
            the others, and faces without landmarks, stay as they are. 0 for none; then no landmarks are needed.
        mirror: Probability of a left-right mirror image.
        rotation: Largest rotation, degrees either way.
        scale: Smallest and largest zoom factor: below 1 zooms out, above 1 zooms in.
        shift: Largest shift, as a share of the side, either way.
        shear: Largest horizontal shear, degrees either way.
        fill: Fill of pixels from outside: ``"reflect"``, ``"nearest"`` (the edge repeated) or ``"constant"`` (black).
        brightness: Largest factor of the brightness, drawn between 1 / brightness and brightness.
        gamma: Largest factor of the tone curve's exponent, drawn between 1 / gamma and gamma.
        overexpose: Probability that the brightness is multiplied by up to `overexposure` and clipped at white.
        overexposure: Largest factor of the brightness of overexposed images.
        blur: Probability of a 3 x 3 blur.
        low_resolution: Probability that an image is shrunk, to a quarter of its side at least, and enlarged again.
        noise: Probability of Gaussian noise.
        noise_level: The noise's largest standard deviation, of 255.
        jpeg: Probability of JPEG compression.
        jpeg_quality: Lowest quality of the compression, 1..100.
        erase: Probability of a grey rectangle over 2% to 20% of the image.
        mixup: Probability that a batch is mixed: each image and its targets with those of another.
        mixup_alpha: Both parameters of the Beta distribution of the shares in mixup.
    """

    upright: float = 0.0
    mirror: float = 0.5
    rotation: float = 12.0
    scale: tuple[float, float] = (0.85, 1.15)
    shift: float = 0.06
    shear: float = 5.0
    fill: str = "reflect"
    brightness: float = 1.0
    gamma: float = 1.5
    overexpose: float = 0.0
    overexposure: float = 2.2
    blur: float = 0.15
    low_resolution: float = 0.0
    noise: float = 0.1
    noise_level: float = 12.0
    jpeg: float = 0.0
    jpeg_quality: float = 10.0
    erase: float = 0.3
    mixup: float = 0.0
    mixup_alpha: float = 0.4
