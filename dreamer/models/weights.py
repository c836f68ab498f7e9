"""Where a network's weights come from, as data, and finding them on this machine.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from dreamer.errors import MissingWeightsError, WeightsError
from dreamer.files.digests import digest_of, stamp_of
from dreamer.models import store


class Located(NamedTuple):
    """Weights on this machine.

    Attributes:
        path: The file that the network is built from.
        sha256: Digest of the file as it was published, or as the user gave it; hexadecimal digits.
    """

    path: Path
    sha256: str


WITHOUT_CLASSIFIER = "-without-classifier"
"""Is in the name of a file of weights in the cache that has no classifier."""


def has_classifier(path: Path) -> bool:
    """Whether a file of weights in the cache has a classifier."""
    return WITHOUT_CLASSIFIER not in path.name


@dataclass(frozen=True)
class BundledWeights:
    """Weights that arrive with pip: inside this package, or inside a distribution that it depends on.

    Attributes:
        distribution: Name of the distribution; None for this package.
        file: Path of the weights inside it; in this package beneath ``dreamer/models``.
        sha256: Digest of the file, as hexadecimal digits.
        size: Bytes of the file.
        license: SPDX identifier.
        made_by: Whose work they are.
        extra: The extra of this package that installs the distribution; None for one that is always there.
    """

    distribution: str | None
    file: str
    sha256: str
    size: int
    license: str
    made_by: str
    extra: str | None = None

    @property
    def install(self) -> str:
        """The command that brings them, or brings them anew."""
        if self.extra is not None:
            return f"python -m pip install 'deepdreamer[{self.extra}]'"
        return f"python -m pip install --force-reinstall {self.distribution or 'deepdreamer'}"

    def is_here(self) -> bool:
        """Whether the distribution is installed. The file is not read."""
        if self.extra is None or self.distribution is None:
            return True
        from importlib import metadata

        try:
            metadata.distribution(self.distribution)
        except metadata.PackageNotFoundError:
            return False
        return True

    def locate(self) -> Located:
        """Find the file and check its digest.

        Returns:
            A file that has the published digest.

        Raises:
            WeightsError: The distribution is not installed, or the file is missing or another.
        """
        from importlib import metadata  # Which takes longer to import than help to print.

        mend = f"Mend it with: {self.install}"
        try:
            if self.distribution is None:
                path = Path(__file__).parent / self.file
            else:
                path = Path(str(metadata.distribution(self.distribution).locate_file(self.file)))
            digest = digest_of(path)
        except metadata.PackageNotFoundError:
            raise WeightsError(
                f"the distribution {self.distribution} with the weights is not installed. {mend}"
            ) from None
        except OSError as error:
            raise WeightsError(f"cannot read the weights at {path}: {error.strerror}. {mend}") from error
        if digest != self.sha256:
            raise WeightsError(f"the weights at {path} are damaged: sha256 {digest}, expected {self.sha256}. {mend}")
        return Located(path, digest)

    def stamp(self) -> str:
        """Tells whether the weights are still the same: always, since pip does not change them under a process."""
        return self.sha256


@dataclass(frozen=True)
class PublishedWeights:
    """Weights that are fetched when first needed, or imported by hand, and kept in the cache.

    Attributes:
        name: Name of the network, under which they are kept.
        url: Where they are published.
        digest: ``"sha256:..."`` or ``"md5:..."`` of the file at ``url``; ``""`` where its publisher
            pins none.
        size: Bytes of that file, about.
        license: SPDX identifier.
        made_by: Whose work they are.
        convert: ``module:function`` that turns the published file into what the network is built from.
        also: Digests of other published forms of them.
        by_hand: Whether they are imported by hand alone, since their licence does not allow everything.
    """

    name: str
    url: str
    digest: str
    size: int
    license: str
    made_by: str
    convert: str
    also: tuple[str, ...] = ()
    by_hand: bool = False

    @property
    def file(self) -> str:
        """Name of the published file."""
        return self.url.rpartition("/")[2]

    def is_published(self, path: Path) -> bool:
        """Whether a file has one of the published digests."""
        pinned = {digest for digest in (self.digest, *self.also) if digest}
        algorithms = {digest.partition(":")[0] for digest in pinned}
        return any(f"{algorithm}:{digest_of(path, algorithm)}" in pinned for algorithm in algorithms)

    def stamp(self) -> str:
        """Tells whether the weights are still the same, without reading them.

        Raises:
            MissingWeightsError: They are not there.
        """
        return self._installed().source_sha256

    def locate(self) -> Located:
        """Find the weights in the cache and check that they are as they were put there.

        Raises:
            MissingWeightsError: They are not there.
            WeightsError: They are damaged.
        """
        installed = self._installed()
        try:
            installed.check()
        except WeightsError:
            again = self._installed()
            if again == installed:
                raise
            # They were replaced meanwhile.
            again.check()
            installed = again
        return Located(installed.network, installed.source_sha256)

    def _installed(self) -> store.Installed:
        installed = store.find(self.name)
        if installed is None:
            raise MissingWeightsError(
                f"the weights of {self.name} are not installed. Get them with: dreamer models fetch {self.name}"
            )
        return installed


@dataclass(frozen=True)
class FileWeights:
    """A user's own ``.keras`` file, network and weights in one.

    Attributes:
        path: The file.
    """

    path: Path
    license: ClassVar[str] = "your own"
    made_by: ClassVar[str] = "you"

    def stamp(self) -> str:
        """Tells whether the file is still the same, without reading it.

        Raises:
            WeightsError: It is not there.
        """
        try:
            return stamp_of(self.path)
        except OSError as error:
            raise WeightsError(f"cannot read {self.path}: {error.strerror}") from error

    def locate(self) -> Located:
        """Find the file and compute its digest.

        Raises:
            WeightsError: It cannot be read.
        """
        try:
            return Located(self.path, digest_of(self.path))
        except OSError as error:
            raise WeightsError(f"cannot read {self.path}: {error.strerror}") from error


@dataclass(frozen=True)
class HeldWeights:
    """The weights of a Keras network that this process holds, and no file.

    Attributes:
        sha256: Digest of their names, shapes and bytes.
    """

    sha256: str
    license: ClassVar[str] = "your own"
    made_by: ClassVar[str] = "you"

    def stamp(self) -> str:
        """Tells whether the weights are still the same: always, since they are a copy."""
        return self.sha256

    def locate(self) -> Located:
        """There is no file to find.

        Raises:
            WeightsError: Always.
        """
        raise WeightsError(
            "the network is in the memory of another process only; save it with network.save('mine.keras') and name "
            "the file"
        )
