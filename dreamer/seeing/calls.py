"""The call that says what a network sees in a photo.

(The function lives here and not in a module ``see``, because importing that would hide ``dreamer.see``.)
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dreamer import targets
from dreamer.arrays import FloatArray, Size, StoredArray, as_float, fitted, resize_stored
from dreamer.errors import ModelError, SettingsError
from dreamer.models import landmarks, reach, registry
from dreamer.models.network import Prediction
from dreamer.models.opened import Opened
from dreamer.models.usual import Usual
from dreamer.recipes import recipe_of
from dreamer.searching import peaks
from dreamer.searching.filling import Index
from dreamer.searching.looking import Photos
from dreamer.seeing import attributing, drawing
from dreamer.seeing.crops import crops
from dreamer.seeing.drawing import Unit
from dreamer.seeing.photo import LayerSeen, PhotoSeen, unit_of
from dreamer.seeing.settings import SeeSettings
from dreamer.sources import opened
from dreamer.workers.places import Place

if TYPE_CHECKING:
    from dreamer.models.network import Network

_SHOWN_SIDE = 1024  # Pixels: the longer side of a photo as it is shown.
_SMALLEST_SHOWN = 512  # And the least, so that one can point at a small one.
_CLASSES = 5


def see(
    picture: Any,
    settings: SeeSettings | None = None,
    *,
    network: Network | str | None = None,
    photos: str | Path | None = None,
    atlas: str | Path | None = None,
    place: Place | None = None,
    on_photo: Callable[[int, int], None] = lambda _done, _of: None,
    on_step: Callable[[float], None] = lambda _share: None,
    note: Callable[[str], None] | None = None,
    **keywords: Any,
) -> PhotoSeen:
    """Say what a network sees in a photo: classes, channels that stand out and where, what speaks for a class.

    Args:
        picture: A path, a Pillow image, an earlier result, or an array ``(height, width, 3)`` of RGB.
        settings: What is asked.
        network: Who looks: a name, the path of a ``.keras`` file, or what :func:`dreamer.load` gave; in place of
            ``model`` of the settings.
        photos: A folder of photos by which it is told what channels usually give; None for what is known of the
            network.
        atlas: The folder of an atlas, from which the pictures of channels are taken that it has.
        place: Where the folder of photos is looked at; by default in this process.
        on_photo: Told how many of how many photos of that folder were looked at.
        on_step: Told which share of the drawing is done.
        note: Told in a line what is done otherwise than asked; by default a warning.
        **keywords: Fields of :class:`SeeSettings`, in place of ``settings`` or on top of them.

    Returns:
        All of it as values; ``save`` writes a page.

    Raises:
        SettingsError: A setting is impossible or unknown.
        ImageReadError: The photo cannot be read.
        ModelError: The network, a layer, a class or the weights are not there.
        AtlasError: The atlas is none, or one of another network.

    References:
        Olah et al., "The Building Blocks of Interpretability", Distill 2018.

    Example:
        >>> import dreamer
        >>> seen = dreamer.see("cat.jpg", for_class="tabby cat", against="tiger")  # doctest: +SKIP
        >>> seen.save("page")  # doctest: +SKIP
        PosixPath('page/index.html')
    """
    chosen = SeeSettings.merged(settings, keywords)
    tell = _warn if note is None else note
    photo, source = opened(picture)
    loaded, chosen = registry.load_for(chosen, network)
    layers = list(chosen.layers) or landmarks.early_to_late(loaded)
    for name in layers:
        loaded.check(name)
    held = None if atlas is None else drawing.opened(Path(atlas), loaded)
    wanted, question = _question(chosen, loaded)
    usual = _usual(loaded, layers, photos, place, on_photo, tell)
    shown = _shown(photo.pixels)
    together = [*layers, *([loaded.logits] if loaded.logits else [])]
    seen = loaded.seen_at(together[-1], photo.pixels.shape[:2])
    small = _at(photo.pixels, seen)
    found = loaded.activations(small, together)
    if not all(np.isfinite(one).all() for one in found.values()):
        raise ModelError(targets.no_number(None, loaded.spec.name))
    where = loaded.positions(together, loaded.sides(together).nearest(*seen))
    looked = []
    for name in layers:
        places = where[name]
        if places is not None:
            places = reach.in_effect(loaded, name, places).on(shown.shape[:2])
        looked.append(_layer(name, found[name], places, usual, chosen.top))
    if wanted is not None:
        looked = [_asked(layer, loaded, small, wanted, chosen, found[layer.name]) for layer in looked]
    looked = _with_pictures(looked, chosen, loaded, held, None if atlas is None else Path(atlas), on_step, tell)
    predictions: tuple[Prediction, ...] = ()
    if loaded.logits is not None:
        predictions = tuple(loaded.predict(small, top=_CLASSES))  # type: ignore[arg-type]
    recipe = recipe_of(loaded, dataclasses.replace(chosen, layers=tuple(layers)).to_dict(), {}) | {
        "command": "see", **({"source": source} if source else {}),
    }  # fmt: skip
    return PhotoSeen(
        pixels=shown,
        seen=seen,
        predictions=predictions,
        crops=None if loaded.logits is None else crops(loaded, photo.pixels, _CLASSES),
        question=question,
        layers=tuple(looked),
        recipe=recipe,
        title=Path(picture).name if isinstance(picture, str | Path) else "the photo",
        top=chosen.top,
    )


def _question(settings: SeeSettings, network: Network) -> tuple[FloatArray | None, tuple[str, str | None] | None]:
    """The weights of the classes that are asked for, and what a person calls them."""
    if settings.for_class is None:
        return None, None
    wanted = np.zeros(0 if network.logits is None else network.channels(network.logits), np.float32)
    titles: list[str | None] = [None, None]
    for place, (name, weight) in enumerate(((settings.for_class, 1.0), (settings.against, -1.0))):
        if name is not None:
            index = network.class_of(name)
            wanted[index] += weight
            titles[place] = network.labels[index].name.split(", ")[0] if network.labels else f"class {index}"
    if not wanted.any():
        raise SettingsError(f"{settings.for_class!r} and {settings.against!r} are the same class; name another one")
    return wanted, (str(titles[0]), titles[1])


def _usual(
    network: Network,
    layers: list[str],
    photos: str | Path | None,
    place: Place | None,
    on_photo: Callable[[int, int], None],
    note: Callable[[str], None],
) -> Usual | None:
    """What the channels usually give: in a folder of photos, or as it is known of the network."""
    if photos is not None:
        index = Index(network, Photos.of(str(photos)), layers)
        index.fill(where=place, on_photo=on_photo, note=note)
        return peaks.usual(index, layers)
    shipped = Usual.shipped(network)
    unknown = [name for name in layers if shipped is None or name not in shipped.layers]
    if unknown:
        note(
            f"nobody knows what the channels of {', '.join(unknown)} in {network.spec.name} usually give, so they are "
            "compared with each other; with --photos FOLDER it is found out"
        )
    return shipped


def _shown(pixels: StoredArray) -> FloatArray:
    """A photo as it is shown: neither larger than a screen nor too small to point at."""
    size = fitted(pixels.shape[:2], _SHOWN_SIDE)
    if max(size) < _SMALLEST_SHOWN:
        size = fitted(size, _SMALLEST_SHOWN, enlarge=True)
    return _at(pixels, size)


def _at(pixels: StoredArray, size: Size) -> FloatArray:
    """A photo at a size, in [0, 1]."""
    return np.asarray(np.clip(as_float(resize_stored(pixels, size)), 0, 1), np.float32)


def _layer(name: str, found: FloatArray, where: Any, usual: Usual | None, top: int) -> LayerSeen:
    known = usual is not None and name in usual.layers
    # Where nobody knows, a channel is held against the largest of all.
    out = (
        usual.stands_out(name, found) if usual is not None and known else found / max(float(np.abs(found).max()), 1e-9)
    )
    best = out.reshape(-1, out.shape[-1]).max(axis=0)
    units = []
    for channel in np.argsort(-best, kind="stable")[:top]:
        one = unit_of(found, out, int(channel), None)
        beats = usual.beats(name, one.channel, one.score) if usual is not None and known else None
        units.append(dataclasses.replace(one, beats=beats))
    return LayerSeen(name, where, found, np.asarray(out, np.float32), tuple(units))


def _asked(
    layer: LayerSeen, network: Network, small: FloatArray, wanted: FloatArray, settings: SeeSettings, found: FloatArray
) -> LayerSeen:
    """The same with what it says for the class."""
    through = Opened(network, layer.name)
    picture = _at(small, through.seen((small.shape[0], small.shape[1])))
    said = attributing.attribution(through, picture, wanted, groups=settings.groups, seed=settings.seed)
    if said.activations.shape != found.shape:  # The classes see the network's own size only, and the layer any.
        raise SettingsError(
            f"{layer.name!r} of {network.spec.name} sees the photo at another size than the classes do, so what it "
            "says for them is not where it fires; name a layer behind the resizing"
        )
    units = tuple(dataclasses.replace(unit, attribution=float(said.by_channel[unit.channel])) for unit in layer.units)
    return dataclasses.replace(layer, attribution=said, units=units)


def _with_pictures(
    layers: list[LayerSeen],
    settings: SeeSettings,
    network: Network,
    held: Any,
    atlas: Path | None,
    on_step: Callable[[float], None],
    note: Callable[[str], None],
) -> list[LayerSeen]:
    """The same with what the channels look like."""
    units: list[Unit] = [(layer.name, channel) for layer in layers for channel in layer.shown(settings.top)]
    # Whoever points at a place sees channels that do not stand out in the whole photo: an atlas may have those, too.
    there = [(layer.name, channel) for layer in layers for channel in layer.at_places()]
    taken = {} if atlas is None else drawing.from_atlas(atlas, held, list(dict.fromkeys([*units, *there])))
    groups = {
        layer.name: [one.direction for one in layer.attribution.groups]
        for layer in layers
        if layer.attribution is not None
    }
    missing = [unit for unit in units if unit not in taken]
    drawn, of_groups = drawing.draw(missing, groups, settings, network, on_step, note)
    pictures = taken | drawn
    return [
        dataclasses.replace(
            layer,
            pictures={channel: pictures[name, channel] for name, channel in pictures if name == layer.name},
            group_pictures=tuple(of_groups.get(layer.name, ())),
        )
        for layer in layers
    ]


def _warn(line: str) -> None:
    warnings.warn(line, RuntimeWarning, stacklevel=2)
