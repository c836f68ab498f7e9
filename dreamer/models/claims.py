"""What files of weights claim to hold, compared with what they can hold, before any of it is taken into memory.

The one idea: an archive, an HDF5 file or an array says in a few bytes how large its content is. Honest weights hardly
shrink when they are compressed, so what would grow to many times its size on the disk is refused unread.

Must not import Keras or anything heavy.
"""

from __future__ import annotations

import math
import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO

from dreamer.errors import WeightsError

if TYPE_CHECKING:
    import h5py

_MOST_GROWTH = 20  # Weights grow to a little more than their size, texts to about ten times it.
_HARMLESS = 16_000_000  # Bytes that anything may grow to.


def check_growth(what: str, *, claimed: int, held: int) -> None:
    """Refuse what would grow to many times its size.

    Args:
        what: Its name, for the message.
        claimed: Bytes that it would have.
        held: Bytes that it takes in the file.

    Raises:
        WeightsError: It claims far more than it can hold.

    Example:
        >>> check_growth("model.weights.h5", claimed=96_000_000, held=90_000_000)
    """
    if claimed < 0 or claimed > _MOST_GROWTH * held + _HARMLESS:
        raise WeightsError(
            f"{what} claims to hold {claimed / 1e6:,.0f} MB but takes {held / 1e6:,.3f} MB of the file; "
            "no honest weights do, so none of it was read"
        )


def check_archive(archive: zipfile.ZipFile) -> None:
    """Refuse a zip archive of which a member would grow to many times its size.

    Raises:
        WeightsError: As :func:`check_growth` says.
    """
    for member in archive.infolist():
        check_growth(member.filename, claimed=member.file_size, held=member.compress_size)


def check_arrays(archive: zipfile.ZipFile) -> None:
    """Refuse an archive of NumPy's arrays (``.npz``) of which one has not the size that it claims.

    Raises:
        WeightsError: One claims another size than its member has, or holds Python objects.
    """
    from numpy.lib import format as npy

    check_archive(archive)
    for member in archive.infolist():
        with archive.open(member) as file:
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read(file)
            claimed, held = math.prod(shape) * dtype.itemsize, member.file_size - file.tell()
        if claimed != held or dtype.hasobject:
            raise WeightsError(f"{member.filename} claims to hold {claimed:,} bytes of numbers, but has {held:,}")


def check_hdf5(file: h5py.File) -> None:
    """Refuse an HDF5 file that points to other files, or of which an array would grow to many times its size.

    Raises:
        WeightsError: As :func:`check_growth` says, or an array lies in another file.
    """
    import h5py

    def check(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset):
            return
        if item.external or item.is_virtual:
            raise WeightsError(f"{name} points to another file; weights must hold all of themselves")
        check_growth(name, claimed=item.nbytes, held=item.id.get_storage_size())

    file.visititems(check)


def read_exactly(file: BinaryIO, count: int) -> bytes:
    """Read so many bytes, after a look at whether they are there.

    Raises:
        EOFError: The file is shorter.
    """
    here = file.tell()
    end = file.seek(0, 2)
    file.seek(here)
    if not 0 <= count <= end - here:
        raise EOFError(f"{count:,} bytes expected, {end - here:,} are left")
    return file.read(count)
