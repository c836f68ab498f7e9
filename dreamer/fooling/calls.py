"""The call that fools a network: a photo in, the same photo changed as little as can be out.

(The function lives here and not in a module ``fool``, because importing that would hide ``dreamer.fool``.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dreamer.fooling.fooled import Fooled
from dreamer.fooling.run import Attack
from dreamer.fooling.settings import WORK_BYTES, FoolSettings
from dreamer.sources import opened

if TYPE_CHECKING:
    from dreamer.models.network import Network


def fool(
    picture: Any,
    settings: FoolSettings | None = None,
    *,
    network: Network | str | None = None,
    judge: Network | str | None = None,
    on_step: Callable[[int], None] | None = None,
    **keywords: Any,
) -> Fooled:
    """Change a photo so that a network takes it for something else: an adversarial example.

    Args:
        picture: A path, a Pillow image, an earlier result, or an array ``(height, width, 3)`` of RGB: float in [0, 1],
            or uint8. It is taken in whole levels of 255, as files have it.
        settings: How; by default the least change, by its length, after which another class has the highest score.
        network: Which is fooled: a name, the path of a ``.keras`` file, or what :func:`dreamer.load` gave; in place of
            ``model`` of the settings.
        judge: Another network of the same classes that says what it sees.
        on_step: Called with each gradient, with how many there were. What it raises ends the attack.
        **keywords: Fields of :class:`FoolSettings`, in place of ``settings`` or on top of them.

    Returns:
        What it came to; ``success`` says whether the network is fooled by the levels that a file will hold.

    Raises:
        SettingsError: A setting is impossible or unknown.
        ImageReadError: The picture cannot be read.
        ModelError: The network, its classifier, a class or the weights are not there.

    Example:
        >>> import dreamer
        >>> found = dreamer.fool("cat.jpg", to="broccoli", eps=4)  # doctest: +SKIP
        >>> found.success, found.linf, found.after[0].name  # doctest: +SKIP
        (True, 4, 'broccoli')
    """
    chosen = FoolSettings.merged(settings, keywords)
    photo, source = opened(picture, max_side=chosen.max_size, work_bytes=WORK_BYTES)
    return Attack(chosen, network, judge).on(photo, source, on_step=on_step)
