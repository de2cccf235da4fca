"""Files sorted into folders: SPLIT/CLASS/FILE, CLASS/FILE, or one folder of files."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from simplicert.data.dataset import unknown_split
from simplicert.data.digests import digest_of_files
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
from simplicert.files import printable

__all__ = ["FoundFiles", "SortedFiles"]

_ALL = "all"
_TABLES = {".csv", ".tsv", ".txt", ".json", ".jsonl", ".xml", ".mat"}
# So many files are looked at to see whether there are any of a kind in a folder.
_ENOUGH = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class FoundFiles:
    """The files of one split, in the order of their names.

    Attributes:
        name: Of the data set.
        split: Part of it.
        class_names: The folders that the files lie in; empty if in none.
        labels: One class a file; ``None`` if they lie in no folders.
        files: Their paths.
        fingerprint: Computes the digest of all files.
        notes: What was left out or supposed in finding them.
    """

    name: str
    split: str
    class_names: tuple[str, ...]
    labels: Int64[np.ndarray, " files"] | None
    files: tuple[Path, ...]
    fingerprint: Callable[[], str]
    notes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class SortedFiles:
    """Files of one kind, sorted into folders.

    Attributes:
        kind: What they are, as ``"images"``.
        one: One of them, as ``"an image"``.
        suffixes: The ends of their names, in small letters.
    """

    kind: str
    one: str
    suffixes: Callable[[], frozenset[str]]

    @property
    def layout(self) -> str:
        """Where they lie, in words."""
        return f"SPLIT/CLASS/FILE or CLASS/FILE, where FILE is {self.one}"

    def are_sorted(self, path: Path) -> bool:
        """Whether some are two folders deep, or in folders that are classes."""
        return bool(self._splits(path))

    def are_flat(self, path: Path) -> bool:
        """Whether some are in this folder, and no folder is beside them."""
        return not folders(path) and self._some_in(path)

    def _some_in(self, path: Path) -> bool:
        return any(map(self._is_one, islice(map(Path, entries(path)), _ENOUGH)))

    def _is_one(self, file: Path) -> bool:
        return file.suffix.lower() in self.suffixes() and file.is_file()

    def _splits(self, path: Path) -> dict[str, dict[str, Path]]:
        """Split → class → folder; the one split of CLASS/FILE is ``"all"``."""
        parts = {
            part.name: {each.name: each for each in folders(part)}
            for part in folders(path)
        }
        names = {name for part in parts.values() for name in part}
        if any(
            self._has_some(each) for part in parts.values() for each in part.values()
        ):
            # Splits in place of the classes: the data set lies one folder below.
            return {} if names <= SPLITS else parts
        classes = {part.name: part for part in folders(path)}
        # One folder alone is one of images, as in images/ beside a table, and no class;
        # and one of no images may be none: it would shift the others.
        if len(classes) < 2 or classes.keys() <= SPLITS:
            return {}
        return {_ALL: classes} if all(map(self._has_some, classes.values())) else {}

    def _has_some(self, place: Path) -> bool:
        """Whether some are there, and not in splits further down."""
        known = self.suffixes()
        return any(
            file.suffix.lower() in known
            and not SPLITS & {*file.relative_to(place).parts}
            for file in islice(files_below(place, Counter()), _ENOUGH)
        )

    def lacks(self, path: Path) -> str | None:
        """What keeps a folder of them, or of folders of folders, from being read."""
        known, what = self.suffixes(), self.kind
        if path.is_file():
            return f"it is one {what[:-1]}" if path.suffix.lower() in known else None
        inside = [Path(entry) for entry in entries(path) if kind(entry) == "files"]
        tables = [printable(file.name) for file in inside if file.suffix in _TABLES]
        remedy = f" (does {tables[0]} name it? Sort them by it)" if tables else ""
        if any(file.suffix.lower() in known for file in inside):
            return (
                f"its {what} lie in no folder that names their class, beside folders"
                f"{remedy}"
            )
        parts = folders(path)
        bare = [printable(part.name) for part in parts if self._has_some(part)]
        others = [printable(part.name) for part in parts if not self._has_some(part)]
        if others and len(bare) > 1:
            return (
                f"the folders {', '.join(others[:3])} hold no {what}, as classes would"
            )
        if bare:
            names = ", ".join(bare[:3])
            return (
                f"the {what} in {names} lie in no folder that names their class"
                f"{remedy}; to do without labels, give {path / bare[0]}"
            )
        classes = [each for part in parts for each in folders(part)]
        found = {
            file.suffix
            for each in classes
            for file in islice(files_below(each, Counter()), _ENOUGH)
        }
        if any(suffix.lower() in known for suffix in found):
            return "its splits lie in its classes: put the classes into the splits"
        ends = sorted(filter(None, found))
        there = f"; there are {', '.join(ends[:5])}{' …' if ends[5:] else ''}"
        return f"no file is {self.one}{there if ends else ''}" if classes else None

    def find(self, path: Path, *, split: str) -> FoundFiles:
        """The files of one split, in the order of their names.

        Labels number the classes of *all* splits in the order of their names, so that a
        class that is missing from one split does not shift the others.

        Raises:
            InputError: If there is no such split, or it has no files.
        """
        splits = self._splits(path)
        if split not in splits:
            raise _unknown(path, split, splits)
        strays = _strays(splits)
        if split in strays:
            raise InputError(
                f"{path / split} has one folder, {', '.join(splits[split])}, which is "
                f"no class of the other splits: its {self.kind} have no classes. Sort "
                "them into SPLIT/CLASS/FILE"
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
            found = self._files(splits[split][name], left_out)
            files += found
            labels += [label] * len(found)
        if not files:
            raise InputError(
                f"{path / split} has no {self.kind}: a folder of {self.kind} is "
                f"{self.layout}. {_said(left_out)}"
            )
        return FoundFiles(
            name=printable(path.resolve().name),
            split=split,
            class_names=tuple(map(printable, class_names)),
            labels=np.array(labels, dtype=np.int64),
            files=tuple(files),
            fingerprint=partial(digest_of_files, path, files),
            notes=(
                *_notes(left_out, class_names),
                *self._missing(class_names, labels),
            ),
        )

    def find_flat(self, path: Path, *, split: str) -> FoundFiles:
        """The files of one folder, without labels, as the split ``"all"``.

        Raises:
            InputError: Another split.
        """
        if split not in {_ALL, path.name}:
            raise InputError(
                f"{unknown_split(path, split, {_ALL})}. Its {self.kind} lie in no "
                "folders that are splits"
            )
        left_out: Counter[str] = Counter()
        files = self._files(path, left_out)
        tables = [
            printable(file.name)
            for file in map(Path, entries(path))
            if file.suffix in _TABLES
        ]
        by = f" (does {tables[0]} name them? Sort by it)" if tables else ""
        return FoundFiles(
            name=printable(path.resolve().name),
            split=split,
            class_names=(),
            labels=None,
            files=tuple(files),
            fingerprint=partial(digest_of_files, path, files),
            notes=(
                *_notes(left_out, []),
                f"no labels: the {self.kind} lie in no folders that name their "
                f"classes{by}",
            ),
        )

    def _files(self, folder: Path, left_out: Counter[str]) -> list[Path]:
        known = self.suffixes()
        found = []
        for file in files_below(folder, left_out):
            suffix = file.suffix.lower()
            if suffix in known:
                found.append(file)
            else:
                left_out[f"files that end in {suffix}" if suffix else "files"] += 1
        return sorted(found)

    def _missing(self, class_names: list[str], labels: list[int]) -> list[str]:
        seen = {*labels}
        without = [name for n, name in enumerate(class_names) if n not in seen]
        named = ", ".join(map(printable, without[:3]))
        return (
            [f"no {self.kind} of {len(without)} classes ({named})"] if without else []
        )


def _unknown(path: Path, split: str, splits: dict[str, dict[str, Path]]) -> InputError:
    error = unknown_split(path, split, splits)
    if splits.keys() != {_ALL}:
        return error
    return InputError(f"{error}. Its folders are classes, CLASS/FILE, without a split")


def _strays(splits: dict[str, dict[str, Path]]) -> set[str]:
    """Splits of one folder that no other has: files put away without classes."""
    strays = set()
    for name, part in splits.items():
        others = [each for other, each in splits.items() if other != name]
        shared = any(part.keys() & each.keys() for each in others if len(each) > 1)
        if len(part) == 1 and not shared and any(len(each) > 1 for each in others):
            strays.add(name)
    return strays


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
