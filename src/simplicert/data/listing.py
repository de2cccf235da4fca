"""What lies in a folder: what is no data is counted, and never left out in silence."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from simplicert.data.dataset import unknown_split

SPLITS = {"train", "training", "val", "valid", "validation", "dev", "test", "testing"}
"""What people call the parts of a data set, in small letters."""

_ONLY = "test"
_THE_SYSTEMS = {"thumbs.db", "desktop.ini", "__macosx"}


def check_split_of(file: Path, split: str) -> None:
    """Refuse a split that a file without splits is not: it is called so, or test.

    Raises:
        InputError: As said.
    """
    only = file.stem if file.stem.lower() in SPLITS else _ONLY
    if split not in {only, file.stem}:
        raise unknown_split(file, split, {only})


def is_hidden(name: str) -> bool:
    """Whether a system or an editor put it there: a dot in front, or a known name."""
    return name.startswith(".") or name.lower() in _THE_SYSTEMS


def folders(path: Path) -> list[Path]:
    """The folders in a folder, in the order of their names; none in a file."""
    found = (Path(entry) for entry in entries(path) if kind(entry) == "folders")
    return sorted(found)


def entries(path: Path) -> list[os.DirEntry[str]]:
    """All that is visible in a folder; nothing in a file."""
    return [entry for entry in scanned(path) if not is_hidden(entry.name)]


def kind(entry: os.DirEntry[str]) -> str:
    """``"files"``, ``"folders"``, or what is neither: words for messages.

    A link is what it leads to, and one that leads nowhere is a file: it was to be one.
    """
    try:
        # Asks the disk for links only: a folder may hold a million files.
        mode = entry.stat().st_mode if entry.is_symlink() else None
        if entry.is_dir() if mode is None else S_ISDIR(mode):
            return "folders"
        if entry.is_file() if mode is None else S_ISREG(mode):
            return "files"
    except FileNotFoundError:
        return "files"
    except OSError:  # a link in a circle
        return "links that lead nowhere"
    return "pipes or devices"


def files_below(folder: Path, left_out: Counter[str]) -> Iterator[Path]:
    """The files of a folder and of those in it; counts what is left out, and why.

    Links to folders below are not followed, since they may lead in a circle.
    """
    for entry in scanned(folder):
        what = kind(entry)
        if is_hidden(entry.name):
            left_out[f"hidden {what}"] += 1
        elif what == "files":
            yield Path(entry)
        elif what != "folders":
            left_out[what] += 1
        elif entry.is_symlink():
            left_out["links to folders"] += 1
        else:
            yield from files_below(Path(entry), left_out)


def scanned(folder: Path) -> Iterator[os.DirEntry[str]]:
    """All that is in a folder; nothing in a file."""
    if folder.is_dir():
        with os.scandir(folder) as found:
            yield from found
