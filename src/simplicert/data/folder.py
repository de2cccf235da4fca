"""A folder of images: SPLIT/CLASS/FILE."""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from simplicert.data.dataset import unknown_split
from simplicert.data.digests import digest_of_files
from simplicert.data.encoded import EncodedImages
from simplicert.data.form import Form
from simplicert.errors import InputError
from simplicert.files import regular

_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".ppm", ".tif", ".tiff", ".webp"}


def _recognises(path: Path) -> bool:
    """Whether there are directories two levels deep."""
    return any(True for split in _folders(path) for _ in _folders(split))


def _find(path: Path, *, split: str) -> EncodedImages:
    """The images of one split, in the order of their names.

    Labels number the classes of *all* splits in the order of their names, so that a
    class that is missing from one split does not shift the others.

    Raises:
        InputError: If there is no such split, or it has no images.
    """
    splits = {folder.name: folder for folder in _folders(path)}
    if split not in splits:
        raise unknown_split(path, split, splits)
    every_class = {folder.name for part in splits.values() for folder in _folders(part)}
    class_names = tuple(sorted(every_class))
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(class_names):
        found = sorted(
            Path(folder, file)
            for folder, _, names in os.walk(splits[split] / name)
            for file in names
            if Path(file).suffix.lower() in _SUFFIXES
        )
        files += found
        labels += [label] * len(found)
    if not files:
        raise InputError(
            f"{splits[split]} has no images: a folder of images is SPLIT/CLASS/FILE, "
            f"where FILE ends in {', '.join(sorted(_SUFFIXES))}"
        )
    fetch = _Files(tuple(files))
    return EncodedImages(
        name=path.resolve().name,
        split=split,
        class_names=class_names,
        labels=np.array(labels, dtype=np.int64),
        rows=len(files),
        fetch=fetch,
        locate=fetch.locate,
        fingerprint=partial(digest_of_files, path, files),
    )


@dataclass(frozen=True)
class _Files:
    files: tuple[Path, ...]

    def __call__(self, row: int) -> bytes:
        return regular(self.files[row]).read_bytes()

    def locate(self, row: int) -> str:
        return str(self.files[row])


def _folders(path: Path) -> list[Path]:
    if not path.is_dir():
        return []
    return sorted(
        entry
        for entry in path.iterdir()
        if entry.is_dir() and not entry.name.startswith(".")
    )


folder = Form(_recognises, _find)
