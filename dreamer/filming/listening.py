"""What is heard in the sound of a video, frame by frame, and what it does to settings.

Must not import: networks, Keras, files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dreamer.arrays import FloatArray
from dreamer.filming.settings import Listen

RATE = 22_050
"""Samples per second that are listened to."""

_QUIETEST = -30.0  # dB below the loud places of the sound: silence.
_LOUD = 95  # Percentile: what counts as loud.
_WINDOW, _HOP = 2048, 512
_FALL = 0.25  # Seconds in which what is heard falls to a third; it rises at once.


def driven(sound: FloatArray, times: Sequence[float], listen: Sequence[Listen]) -> list[dict[str, float]]:
    """What settings are, frame by frame.

    Args:
        sound: Mono at :data:`RATE`, from time 0.
        times: Of the frames, in seconds of the sound, growing.
        listen: What drives what.

    Returns:
        For each frame the settings that are driven, by name.

    Example:
        >>> noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
        >>> loud = np.concatenate([0 * noise, noise])
        >>> [round(one["strength"], 1) for one in driven(loud, [0.5, 1.5], [Listen("strength", 0.2, 1.0)])]
        [0.2, 1.0]
    """
    heard: Mapping[str, FloatArray] = {
        name: _falling(_HEARD[name](sound, np.asarray(times)), times) for name in {one.heard for one in listen}
    }
    return [
        {one.name: float(one.low + (one.high - one.low) * heard[one.heard][index]) for one in listen}
        for index in range(len(times))
    ]


def loudness(sound: FloatArray, times: FloatArray) -> FloatArray:
    """How loud it is at each time, over 30 decibels.

    Args:
        sound: Mono at :data:`RATE`, from time 0.
        times: In seconds, growing.

    Returns:
        For each time 0 for silence to 1 for the loud places of the sound.

    Example:
        >>> loudness(np.zeros(RATE, np.float32), np.array([0.5])).tolist()
        [0.0]
    """
    power = _per_hop(sound**2)
    loud = np.percentile(power, _LOUD) if power.any() else 0.0
    if loud <= 0:
        return np.zeros(len(times), np.float32)
    level = 10 * np.log10(np.maximum(power / loud, 1e-9))
    return _sampled(np.clip(1 - level / _QUIETEST, 0, 1), times)


def beats(sound: FloatArray, times: FloatArray) -> FloatArray:
    """Where something begins in a sound: what its spectrum gains from moment to moment.

    Args:
        sound: Mono at :data:`RATE`, from time 0.
        times: In seconds, growing.

    Returns:
        For each time 0 for nothing to 1 for the strongest beginnings.

    Example:
        >>> beats(np.zeros(RATE, np.float32), np.array([0.5])).tolist()
        [0.0]
    """
    count = max(1, 1 + (len(sound) - _WINDOW) // _HOP)
    padded = np.pad(sound, (0, max(0, _WINDOW + (count - 1) * _HOP - len(sound))))
    window = np.hanning(_WINDOW).astype(np.float32)
    flux, before = np.zeros(count, np.float32), np.zeros(_WINDOW // 2 + 1)
    for index in range(count):
        spectrum = np.log1p(100 * np.abs(np.fft.rfft(padded[index * _HOP : index * _HOP + _WINDOW] * window)))
        flux[index] = np.maximum(spectrum - before, 0).sum() if index else 0.0
        before = spectrum
    around = np.array([np.median(flux[max(0, at - 20) : at + 21]) for at in range(count)])
    peaks = np.maximum(flux - around, 0)
    most = np.percentile(peaks, _LOUD)
    # What is heard in a window is heard at its middle.
    return _sampled(np.clip(peaks / most, 0, 1) if most > 0 else np.zeros(count), times, (_WINDOW / 2) / RATE)


_HEARD = {"loudness": loudness, "beats": beats}


def _per_hop(values: FloatArray) -> FloatArray:
    count = max(1, -(-len(values) // _HOP))
    padded = np.pad(values, (0, count * _HOP - len(values)))
    return np.asarray(padded.reshape(count, _HOP).mean(1), np.float32)


def _sampled(values: NDArray[np.floating], times: FloatArray, delay: float = 0.5 * _HOP / RATE) -> FloatArray:
    """Values of hops at the times of frames: the largest since the frame before."""
    at = np.clip(np.round((np.asarray(times) - delay) * RATE / _HOP).astype(int), 0, len(values) - 1)
    since = np.concatenate([at[:1], np.minimum(at[:-1] + 1, at[1:])])
    return np.array([values[first : last + 1].max() for first, last in zip(since, at, strict=True)], np.float32)


def _falling(heard: FloatArray, times: Sequence[float]) -> FloatArray:
    """The same, but it falls slowly: pictures that jump with every wave of a sound would flicker."""
    found = heard.copy()
    for index in range(1, len(found)):
        kept = found[index - 1] * np.exp(-(times[index] - times[index - 1]) / _FALL)
        found[index] = max(found[index], kept)
    return found
