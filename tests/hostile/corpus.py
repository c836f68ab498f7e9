"""The corpus as files, to try by hand: ``python tests/hostile/corpus.py FOLDER``."""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

import hostile_pictures
import hostile_words


def main() -> None:
    """Write every file of the corpus, and a list of what is right of each."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True)
    right = []
    files = (hostile_pictures.cases, hostile_words.presets, hostile_words.networks, hostile_words.graphs)
    for case in chain(*(cases() for cases in files), hostile_words.checkpoints()):
        (folder / case.name).write_bytes(case.data)
        right.append(f"{case.right}\t{case.name}\n")
    (folder / "right.tsv").write_text("".join(right), encoding="utf-8")


if __name__ == "__main__":
    main()
