"""How a picture is prepared for a network: data, one row per convention.

Must not import Keras, NumPy or anything heavy.
"""

from __future__ import annotations

from dataclasses import dataclass

RGB = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocessing:
    """An affine map of each colour, and the order the colours come in.

    A network of one channel is given the mean of the three prepared colours.

    Attributes:
        mean: Subtracted from a picture in [0, 1]: red, green, blue.
        std: What the difference is then divided by: red, green, blue.
        order: ``"RGB"``, or ``"BGR"`` where the network wants blue first.

    Example:
        >>> halves = Preprocessing(mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))
        >>> halves == PREPROCESSINGS["-1..1"]
        True
    """

    mean: RGB = (0.0, 0.0, 0.0)
    std: RGB = (1.0, 1.0, 1.0)
    order: str = "RGB"

    def to_dict(self) -> dict[str, object]:
        """As JSON can hold it."""
        return {"mean": list(self.mean), "std": list(self.std), "order": self.order}


def _grey(value: float) -> RGB:
    return (value, value, value)


PREPROCESSINGS: dict[str, Preprocessing] = {
    "0..1": Preprocessing(),
    "0..255": Preprocessing(std=_grey(1 / 255)),
    "-1..1": Preprocessing(mean=_grey(0.5), std=_grey(0.5)),
    # Keras's mode "torch": the mean and deviation of ImageNet's pictures.
    "imagenet": Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    # Keras's mode "caffe": blue first, 0..255, less the mean of ImageNet's pictures.
    "caffe": Preprocessing(mean=(123.68 / 255, 116.779 / 255, 103.939 / 255), std=_grey(1 / 255), order="BGR"),
    # TensorFlow's EfficientNet-Lite: (pixel - 127) / 128.
    "efficientnet_lite": Preprocessing(mean=_grey(127 / 255), std=_grey(128 / 255)),
    # The 2015 GoogLeNet: 0..255 less 117.
    "inception_v1": Preprocessing(mean=_grey(117 / 255), std=_grey(1 / 255)),
}
"""The conventions by name."""

GENERAL = ("0..1", "0..255", "-1..1", "imagenet", "caffe")
"""Those that are not one network's own: a user's network is described with them."""
