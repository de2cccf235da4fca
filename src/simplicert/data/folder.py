"""A folder of images: SPLIT/CLASS/FILE, or CLASS/FILE."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np

from simplicert.data.conversions import image_suffixes
from simplicert.data.dataset import unknown_split
from simplicert.data.digests import digest_of_files
from simplicert.data.encoded import EncodedImages
from simplicert.data.form import Form
from simplicert.data.listing import (
    SPLITS,
    entries,
    files_below,
    folders,
    is_hidden,
    kind,
    scanned,
)
from simplicert.errors import InputError
from simplicert.files import printable, regular

_LAYOUT = "SPLIT/CLASS/FILE or CLASS/FILE, where FILE is an image"
_ALL = "all"
_TABLES = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".xml", ".mat"}
# So many files are looked at to see whether there are images in a folder.
_ENOUGH = 1000


def _recognises(path: Path) -> bool:
    """Whether there are images two folders deep, or in folders that are classes."""
    return bool(_splits(path))


def _splits(path: Path) -> dict[str, dict[str, Path]]:
    """Split → class → folder; the one split of CLASS/FILE is ``"all"``."""
    parts = {
        part.name: {each.name: each for each in folders(part)} for part in folders(path)
    }
    names = {name for part in parts.values() for name in part}
    if any(_has_images(each) for part in parts.values() for each in part.values()):
        # Splits in place of the classes: the data set lies one folder below.
        return {} if names <= SPLITS else parts
    classes = {part.name: part for part in folders(path)}
    # One folder alone is one of images, as in images/ beside a table, and no class; and
    # one of no images may be none: it would shift the others.
    if len(classes) < 2 or classes.keys() <= SPLITS:
        return {}
    return {_ALL: classes} if all(map(_has_images, classes.values())) else {}


def _has_images(place: Path) -> bool:
    """Whether images are there, and not in splits further down."""
    known = image_suffixes()
    return any(
        file.suffix.lower() in known and not SPLITS & {*file.relative_to(place).parts}
        for file in islice(files_below(place, Counter()), _ENOUGH)
    )


def _lacks(path: Path) -> str | None:
    """What keeps a folder with images, or with folders of folders, from being read."""
    if path.is_file():
        return "it is one image" if path.suffix.lower() in image_suffixes() else None
    inside = [Path(entry) for entry in entries(path) if kind(entry) == "files"]
    tables = [printable(file.name) for file in inside if file.suffix in _TABLES]
    remedy = f" (does {tables[0]} name it? Sort them by it)" if tables else ""
    if any(file.suffix.lower() in image_suffixes() for file in inside):
        return f"its images lie in no folder that names their class{remedy}"
    parts = folders(path)
    bare = [printable(part.name) for part in parts if _has_images(part)]
    others = [printable(part.name) for part in parts if not _has_images(part)]
    if others and len(bare) > 1:
        return f"the folders {', '.join(others[:3])} hold no images, as classes would"
    if bare:
        names = ", ".join(bare[:3])
        return f"the images in {names} lie in no folder that names their class{remedy}"
    classes = [each for part in parts for each in folders(part)]
    found = {
        file.suffix
        for each in classes
        for file in islice(files_below(each, Counter()), _ENOUGH)
    }
    if any(suffix.lower() in image_suffixes() for suffix in found):
        return "its splits lie in its classes: put the classes into the splits"
    ends = sorted(filter(None, found))
    there = f"; there are {', '.join(ends[:5])}{' …' if ends[5:] else ''}"
    return f"no file is an image{there if ends else ''}" if classes else None


def _find(path: Path, *, split: str) -> EncodedImages:
    """The images of one split, in the order of their names.

    Labels number the classes of *all* splits in the order of their names, so that a
    class that is missing from one split does not shift the others.

    Raises:
        InputError: If there is no such split, or it has no images.
    """
    splits = _splits(path)
    if split not in splits:
        raise _unknown(path, split, splits)
    strays = _strays(splits)
    if split in strays:
        raise InputError(
            f"{path / split} has one folder, {', '.join(splits[split])}, which is no "
            "class of the other splits: its images have no classes. Sort them into "
            "SPLIT/CLASS/FILE"
        )
    parts = [part for name, part in splits.items() if name not in strays]
    class_names = sorted({name for part in parts for name in part})
    left_out: Counter[str] = Counter()
    above = next((each.parent for each in splits[split].values()), path / split)
    for entry in scanned(above):
        if is_hidden(entry.name):
            left_out[f"hidden {kind(entry)}"] += 1
        elif entry.name not in class_names:
            left_out[f"{kind(entry)} beside the class folders"] += 1
    left_out["folders of other splits that are no classes"] += len(strays)
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(class_names):
        if name not in splits[split]:
            continue
        found = _images(splits[split][name], left_out)
        files += found
        labels += [label] * len(found)
    if not files:
        raise InputError(
            f"{path / split} has no images: a folder of images is {_LAYOUT}. "
            f"{_said(left_out)}"
        )
    fetch = _Files(tuple(files))
    return EncodedImages(
        name=printable(path.resolve().name),
        split=split,
        class_names=tuple(map(printable, class_names)),
        labels=np.array(labels, dtype=np.int64),
        rows=len(files),
        fetch=fetch,
        locate=fetch.locate,
        fingerprint=partial(digest_of_files, path, files),
        notes=(*_notes(left_out, class_names), *_missing(class_names, labels)),
    )


def _unknown(path: Path, split: str, splits: dict[str, dict[str, Path]]) -> InputError:
    error = unknown_split(path, split, splits)
    if splits.keys() != {_ALL}:
        return error
    return InputError(f"{error}. Its folders are classes, CLASS/FILE, without a split")


def _strays(splits: dict[str, dict[str, Path]]) -> set[str]:
    """Splits of one folder that no other has: images put away without classes."""
    strays = set()
    for name, part in splits.items():
        others = [each for other, each in splits.items() if other != name]
        shared = any(part.keys() & each.keys() for each in others if len(each) > 1)
        if len(part) == 1 and not shared and any(len(each) > 1 for each in others):
            strays.add(name)
    return strays


def _images(folder: Path, left_out: Counter[str]) -> list[Path]:
    known = image_suffixes()
    found = []
    for file in files_below(folder, left_out):
        suffix = file.suffix.lower()
        if suffix in known:
            found.append(file)
        else:
            left_out[f"files that end in {suffix}" if suffix else "files"] += 1
    return sorted(found)


def _said(left_out: Counter[str]) -> str:
    counted = ", ".join(
        f"{what} ({count})" for what, count in left_out.items() if count
    )
    return counted and f"left out: {counted}"


def _notes(left_out: Counter[str], class_names: list[str]) -> Iterator[str]:
    if left_out.total():
        yield _said(left_out)
    parts = [re.fullmatch(r"(\D*)(\d+)", name) for name in class_names]
    numbers = [int(part[2]) for part in parts if part]
    alike = len({part and part[1] for part in parts}) == 1
    if alike and numbers != sorted(numbers):
        yield (
            f"classes are numbered in the order of their names as text "
            f"({', '.join(class_names[:4])}, …), as torchvision does, and not as "
            "numbers: if the model's third class is the folder of 2, give all names "
            "one length, as in 02"
        )


def _missing(class_names: list[str], labels: list[int]) -> list[str]:
    seen = {*labels}
    without = [name for n, name in enumerate(class_names) if n not in seen]
    named = ", ".join(map(printable, without[:3]))
    return [f"no images of {len(without)} classes ({named})"] if without else []


@dataclass(frozen=True)
class _Files:
    files: tuple[Path, ...]

    def __call__(self, row: int) -> bytes:
        return regular(self.files[row]).read_bytes()

    def locate(self, row: int) -> str:
        return printable(self.files[row])


folder = Form(
    name="a folder of images",
    looks_for=_LAYOUT,
    recognises=_recognises,
    open=_find,
    lacks=_lacks,
)
