"""How long `dreamer mask` takes for a large photo, start-up included: a process for each kind, what it took and held.

python benchmarks/masks.py PHOTO
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dreamer.mask_kinds import KINDS


def main() -> None:
    """Print a line for each kind of mask; an exit status of 2 says that there is none in the photo."""
    photo = str(Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            command = [sys.executable, "-m", "dreamer", "mask", photo, kind, "-q", "-o", f"{folder}/{kind}.png"]
            began = time.perf_counter()
            status = subprocess.run(command, check=False, capture_output=True).returncode
            print(f"{kind:8} {time.perf_counter() - began:5.1f} s  exit status {status}", flush=True)


if __name__ == "__main__":
    main()
