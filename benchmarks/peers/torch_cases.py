"""The cases that run in the peers' environment: plain PyTorch, and the libraries that are built on it.

python torch_cases.py CASE NETWORK SIZE [--weights FILE] [--gradient FILE]
python torch_cases.py probe        which peers there are
python torch_cases.py draw_lucent efficientnet_lite0 224 --classes 281 937 --pictures FILE.npy
"""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np
from measuring import answer, measure, measure_steps, picture

LAYERS = {"inception_v3": ("mixed3", "mixed5"), "efficientnet_lite0": ("block5c",)}
PEERS = {"torch": "torch", "torch-lucent": "lucent.optvis.render", "dreamlens": "dreamlens"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=[*GRADIENTS, *STEPS, *DRAWINGS, "probe"])
    parser.add_argument("network", nargs="?", choices=list(LAYERS), default="efficientnet_lite0")
    parser.add_argument("size", type=int, nargs="?", default=512)
    parser.add_argument("--weights", type=Path, help="what keras_cases.py export wrote, for inception_v3")
    parser.add_argument("--gradient", type=Path, help="write the gradient there instead of measuring")
    parser.add_argument("--classes", type=int, nargs="+", help="what to draw")
    parser.add_argument("--pictures", type=Path, help="write what was drawn there")
    options = parser.parse_args()
    if options.case in DRAWINGS:
        answer(draw(DRAWINGS[options.case], options.classes, options.size, options.pictures))
    elif options.case == "probe":
        answer({name: probe(name, module) for name, module in PEERS.items()})
    elif options.case in STEPS:
        answer(measure_steps(STEPS[options.case](options.size)))
    else:
        gradient = plain(options.network, options.size, options.weights, **GRADIENTS[options.case])
        if options.gradient:
            np.save(options.gradient, gradient())
        else:
            answer(measure(gradient))


def probe(name: str, module: str) -> dict:
    """A peer's version, or why it is not there."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            import_module(module)
        return {"version": version(name)}
    except Exception as error:  # noqa: BLE001 Importing may fail in any way: torchvision beside another torch does.
        return {"not_installed": f"{type(error).__name__}: {error}"}


def plain(
    name: str, size: int, weights: Path | None, *, channels_last: bool = False, bfloat16: bool = False
) -> Callable[[], np.ndarray]:
    """The loop that the ports of DeepDream to PyTorch have: forward, mean square, backward."""
    import torch
    import torch_networks

    order = torch.channels_last if channels_last else torch.contiguous_format
    network = torch_networks.load(name, weights).to(memory_format=order)
    image = torch.from_numpy(picture(size)).permute(2, 0, 1)[None].contiguous(memory_format=order).requires_grad_()

    def gradient() -> np.ndarray:
        image.grad = None
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            activations = network(image, LAYERS[name])
        loss = sum(one.float().square().mean() for one in activations)
        loss.backward()
        return image.grad.numpy().transpose(0, 2, 3, 1)

    return gradient


def lucent(size: int, *, frozen: bool = False) -> Callable:
    """``render_vis`` of a channel, all as by default but for the size; the network prepares pictures itself."""
    import torch
    import torch_networks
    from lucent.optvis import param, render

    network = torch_networks.load("efficientnet_lite0", None, frozen=frozen)

    def run(steps: int, tick: Callable[[], None]) -> None:
        def optimizer(params: list) -> torch.optim.Optimizer:
            adam = torch.optim.Adam(params, lr=5e-2)  # As render_vis makes one.
            adam.register_step_post_hook(lambda *_: tick())
            return adam

        render.render_vis(
            network,
            "block5c:17",
            lambda: param.image(size),
            optimizer,
            thresholds=(steps,),
            preprocess=False,
            progress=False,
            show_image=False,
        )

    return run


def dreamlens(size: int, *, frozen: bool = False) -> Callable:
    """``amplify`` of a photo, all as by default."""
    import torch
    import torch_networks
    from dreamlens import AmplifyConfig, FeatureVisualizer

    network = torch_networks.load("efficientnet_lite0", None, frozen=frozen)
    visualizer = FeatureVisualizer(network, quiet=True, normalize=False)  # The network prepares pictures itself.

    def run(steps: int, tick: Callable[[], None]) -> None:
        def optimizer(params: list, **settings: float) -> torch.optim.Optimizer:
            adam = torch.optim.AdamW(params, **settings)  # As amplify makes one.
            adam.register_step_post_hook(lambda *_: tick())
            return adam

        visualizer.amplify(picture(size), "block5c", AmplifyConfig(steps=steps, optimizer_cls=optimizer))

    return run


def draw(drawing: Callable[[int, int], np.ndarray], classes: list[int], size: int, pictures: Path) -> dict:
    """Pictures of classes, one after the other, and the seconds that each took."""
    torch_drawn, seconds = [], []
    for index in classes:
        start = time.perf_counter()
        torch_drawn.append(drawing(index, size))
        seconds.append(time.perf_counter() - start)
    np.save(pictures, np.stack(torch_drawn).astype(np.float32))
    return {"seconds": sum(seconds) / len(seconds)}


def draw_lucent(index: int, size: int) -> np.ndarray:
    """A class by ``render_vis``: Fourier, decorrelated colours and its standard transforms, for 256 steps."""
    import torch_networks
    from lucent.optvis import param, render

    network = torch_networks.load("efficientnet_lite0", None)
    drawn = render.render_vis(
        network,
        f"logits:{index}",
        lambda: param.image(size, fft=True, decorrelate=True),
        thresholds=(256,),
        preprocess=False,
        progress=False,
        show_image=False,
    )
    return np.asarray(drawn[-1][0])


def draw_dreamlens(index: int, size: int) -> np.ndarray:
    """A class by ``maximize``, all as by default but for the size."""
    import torch_networks
    from dreamlens import FeatureTarget, FeatureVisualizer, RenderConfig

    network = torch_networks.load("efficientnet_lite0", None)
    visualizer = FeatureVisualizer(network, quiet=True, normalize=False)
    drawn = visualizer.maximize(FeatureTarget("logits", neuron=index), RenderConfig(width=size, height=size))
    return np.asarray(drawn.as_hwc())


DRAWINGS = {"draw_lucent": draw_lucent, "draw_dreamlens": draw_dreamlens}
GRADIENTS = {
    "torch": {},
    "torch_channels_last": {"channels_last": True},
    "torch_bfloat16": {"channels_last": True, "bfloat16": True},
}
STEPS = {
    "lucent": lucent,
    "lucent_frozen": lambda size: lucent(size, frozen=True),
    "dreamlens": dreamlens,
    "dreamlens_frozen": lambda size: dreamlens(size, frozen=True),
}

if __name__ == "__main__":
    main()
