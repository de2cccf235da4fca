"""What a verifier proved of a base classifier, image by image: its table, read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from simplicert.errors import InputError
from simplicert.interop.roles import ROLES, key
from simplicert.interop.table import Table, numbers, shown, whole
from simplicert.interop.table_file import read_table
from simplicert.interop.verdicts import FALSIFIED, UNDECIDED, VERIFIED, verdicts
from simplicert.interop.verifier_log import log_table

__all__ = ["Verified", "read_verified"]

NORMS = {
    **dict.fromkeys(("l2", "2"), "l2"),
    **dict.fromkeys(("linf", "inf", "infinity", "linfinity", "npinf"), "linf"),
    **dict.fromkeys(("l1", "1"), "l1"),
}
"""What files say, as ``_alike`` has it: ``2.0`` is ``2``, and ``.inf`` ``inf``."""

_NAMES: Mapping[str, Sequence[str]] = {
    **{
        role: ROLES[role]
        for role in ("index", "label", "predict", "correct", "radius", "time")
    },
    "radius": [*ROLES["radius"], "verifiedradius", "robustradius", "lowerbound"],
    "epsilon": ["epsilon", "eps", "perturbation"],
    "verdict": ["status", "verdict", "result", "verified", "outcome", "robust"],
    "norm": ["norm"],
    "unit": ["unit", "units"],
    "network": ["network", "model", "classifier", "net"],
}
_CORRECT = {"true": True, "1": True, "yes": True, "false": False, "0": False}
_CORRECT |= {"1.0": True, "0.0": False, "no": False}


@dataclass(frozen=True, kw_only=True, eq=False)
class Verified:
    """Radii within which a base classifier keeps its class: proved, not estimated.

    They say nothing of the smoothed classifier, and its certificates nothing of them.

    Attributes:
        path: The file.
        network: Whose radii they are, in the file's words or the user's; ``""``:
            nobody says.
        norm: Of their balls: ``"l2"``, ``"linf"`` or ``"l1"``.
        unit: What they are in, in the file's words or the user's; ``""``: nobody says.
        indices: Each image's index in its data set.
        radius: The largest that is verified; 0 where none is.
        falsified: The smallest at which the class is known to change; NaN where none
            is.
        labels: True classes, if the file has them.
        predicted: The base classifier's classes, if the file has them.
        right: Where these are the labels, if the file says so.
        seconds: How long each image took, if the file says so.
        notes: What was read in a way that its reader should know.
    """

    path: Path
    network: str
    norm: str
    unit: str
    indices: Int[np.ndarray, " images"]
    radius: Float[np.ndarray, " images"]
    falsified: Float[np.ndarray, " images"]
    labels: Int[np.ndarray, " images"] | None = None
    predicted: Int[np.ndarray, " images"] | None = None
    right: Bool[np.ndarray, " images"] | None = None
    seconds: Float[np.ndarray, " images"] | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def verdict(self) -> np.ndarray:
        """In a word: ``verified`` (to a radius above 0), ``falsified``, ``undecided``.

        What is verified to one radius may be falsified at a larger one.
        """
        known = [self.radius > 0, ~np.isnan(self.falsified)]
        return np.select(known, [VERIFIED, FALSIFIED], default=UNDECIDED)


def read_verified(
    path: Path | str,
    *,
    norm: str | None = None,
    unit: str | None = None,
    network: str | None = None,
) -> Verified:
    """Read what any verifier found: a radius an image, or verdicts at some radii.

    A table in any form that ``simplicert import`` reads, or what alpha-beta-CROWN
    prints. It needs a column for the image, and ``radius``, which is proved unless a
    column ``status`` says otherwise; or ``epsilon`` and ``status``, in any number of
    rows an image: its radius is the largest that is verified.

    Args:
        path: The file.
        norm: Of the balls; by default what the file says, or l2.
        unit: What the radii are in; by default what the file says.
        network: Whose radii they are; by default what the file says.

    Raises:
        InputError: It is no such table; a radius is negative or no number; an image
            has two radii, or is verified at a radius where it is falsified.
    """
    path = Path(path)
    table = read_table(path)
    table = log_table(table) or table
    table.check_whole()
    columns = _columns(table)
    rows = _rows(table, columns)
    said = {
        fact: _stated(table, columns, fact, asked)
        for fact, asked in (("norm", norm), ("unit", unit), ("network", network))
    }
    grouped = _grouped(rows, path, once="radius" in columns)
    return Verified(
        path=path,
        network=said["network"],
        unit=said["unit"],
        norm=_norm(said["norm"], path),
        notes=_notes(table, rows),
        **grouped,
    )


def _columns(table: Table) -> dict[str, str]:
    """By role, the column that there is.

    Raises:
        InputError: One is missing, or there are two of one kind.
    """
    if not table.named:
        raise InputError(
            f"{table.path} has no names over its columns: write them in the first "
            "line, as image,radius or image,epsilon,status"
        )
    found: dict[str, str] = {}
    for role, words in _NAMES.items():
        theirs = [name for name in table.names if key(name) in words]
        if len(theirs) > 1:
            theirs.sort(key=lambda name: words.index(key(name)))
            raise InputError(
                f"{table.path} has columns {shown(theirs)}, which may be the same: "
                "leave one"
            )
        if theirs:
            found[role] = theirs[0]
    has = f"its columns are: {shown(table.names)}"
    if "index" not in found:
        raise InputError(
            f"{table.path} has no column that says which image a row is about, such "
            f"as image or index; {has}"
        )
    if ("radius" in found) == ("epsilon" in found):
        wants = "one of" if "radius" in found else "a column"
        raise InputError(
            f"{table.path} needs {wants} radius (proved, one row an image) or epsilon "
            f"(with a verdict in status); {has}"
        )
    if "epsilon" in found and "verdict" not in found:
        raise InputError(
            f"{table.path} has epsilon, which was tried, and no column status that "
            f"says what came of it; {has}"
        )
    return found


def _rows(table: Table, columns: Mapping[str, str]) -> pd.DataFrame:
    """The rows by role, each cell checked."""
    path, frame = table.path, table.frame
    rows = pd.DataFrame({"image": whole(frame[columns["index"]], "image", path)})
    for role in {"label", "predict"} & columns.keys():
        rows[role] = whole(frame[columns[role]], columns[role], path, counts=False)
    if "correct" in columns:
        cells = frame[columns["correct"]].astype(str).str.strip().str.casefold()
        if not (known := cells.isin(list(_CORRECT))).all():
            row = int(np.argmin(known))
            raise InputError(
                f"{path}, row {row}, column {columns['correct']}: "
                f"{cells.iloc[row]!r} is neither true nor false"
            )
        rows["correct"] = cells.map(_CORRECT).astype(bool)
    rows["verdict"] = VERIFIED
    if "verdict" in columns:
        name = columns["verdict"]
        rows["verdict"] = verdicts(frame[name], name, path)
    name = columns.get("radius") or columns["epsilon"]
    rows["at"] = _lengths(frame[name], name, path, blank=rows["verdict"] == UNDECIDED)
    if "time" in columns:
        rows["time"] = _lengths(frame[columns["time"]], columns["time"], path)
    return rows


def _lengths(
    column: pd.Series, name: str, path: Path, *, blank: pd.Series | None = None
) -> Float[np.ndarray, " rows"]:
    """Numbers that are finite and not negative; 0 where there may be none and is none.

    Raises:
        InputError: Which row is another, and why.
    """
    found = numbers(column)
    if blank is not None:
        empty = (column.isna() | (column.astype(str).str.strip() == "")).to_numpy()
        found = np.where(blank.to_numpy() & empty, 0.0, found)
    for rule, broken in (
        ("is not a number", np.isnan(found)),
        ("is not finite", np.isinf(found)),
        ("is negative", found < 0),
    ):
        if broken.any():
            row = int(np.argmax(broken))
            value = str(column.iloc[row]).strip() or "an empty cell"
            raise InputError(f"{path}, row {row}, column {name}: {value} {rule}")
    return found


def _stated(
    table: Table, columns: Mapping[str, str], fact: str, asked: str | None
) -> str:
    """What holds for all rows, from a column, beside the rows, or as it was asked.

    Raises:
        InputError: They differ.
    """
    said = {
        value.strip()
        for name, values in table.stated.items()
        if key(name) in _NAMES[fact]
        for value in values
    }
    if fact in columns:
        said |= set(table.frame[columns[fact]].astype(str).str.strip())
    said.discard("")
    alike = {_alike(fact, each): each for each in said}
    if len(alike) > 1:
        raise InputError(
            f"{table.path} is of more than one {fact}: "
            f"{shown(sorted(alike.values()))}. Divide it"
        )
    if asked is None:
        return next(iter(alike.values()), "")
    if alike and _alike(fact, asked) not in alike:
        raise InputError(
            f"{table.path} says that its {fact} is {next(iter(alike.values()))}, and "
            f"{asked} was asked for"
        )
    return asked


def _alike(fact: str, text: str) -> str:
    if fact != "norm" or text.startswith("-"):
        return text
    return NORMS.get(key(text.removesuffix(".0")), text)


def _norm(text: str, path: Path) -> str:
    norm = _alike("norm", text) or "l2"
    if norm not in NORMS.values():
        raise InputError(f"{path}: unknown norm {text!r}. Known: l2, linf, l1")
    return norm


def _grouped(rows: pd.DataFrame, path: Path, *, once: bool) -> dict[str, Any]:
    """The rows of each image as one, in the order of their numbers."""
    images, place = np.unique(rows["image"].to_numpy(), return_inverse=True)
    keys = ["image"] if once else ["image", "at"]
    if (twice := rows.duplicated(keys)).any():
        row = int(np.argmax(twice))
        where = "" if once else f" at epsilon {rows['at'].iloc[row]:g}"
        raise InputError(
            f"{path}, row {row}: image {rows['image'].iloc[row]} is there twice{where}"
        )
    at, verdict = rows["at"].to_numpy(), rows["verdict"].to_numpy()
    radius = np.zeros(len(images))
    np.maximum.at(radius, place, np.where(verdict == VERIFIED, at, 0.0))
    falsified = np.full(len(images), np.inf)
    np.minimum.at(falsified, place, np.where(verdict == FALSIFIED, at, np.inf))
    contradicted = (falsified <= radius) & (radius > 0)
    if contradicted.any():
        first = int(np.argmax(contradicted))
        raise InputError(
            f"{path}: image {images[first]} is verified at {radius[first]:g} and "
            f"falsified at {falsified[first]:g}: one of them is wrong, so none is used"
        )
    found: dict[str, Any] = {
        "indices": images,
        "radius": radius,
        "falsified": np.where(np.isinf(falsified), np.nan, falsified),
        "seconds": None,
    }
    if "time" in rows:
        found["seconds"] = np.bincount(place, rows["time"], minlength=len(images))
    for role, name in (("label", "labels"), ("predict", "predicted")):
        found[name] = _of_all_rows(rows, role, images, place, path)
    found["right"] = _of_all_rows(rows, "correct", images, place, path)
    if found["labels"] is not None and found["predicted"] is not None:
        right = found["labels"] == found["predicted"]
        if found["right"] is not None and (differ := right != found["right"]).any():
            raise InputError(
                f"{path}: image {images[int(np.argmax(differ))]}: correct contradicts "
                "its label and predicted class"
            )
        found["right"] = right
    return found


def _of_all_rows(
    rows: pd.DataFrame, role: str, images: np.ndarray, place: np.ndarray, path: Path
) -> np.ndarray | None:
    """What each image's rows agree on."""
    if role not in rows:
        return None
    values: np.ndarray = rows[role].to_numpy()
    found: np.ndarray = np.empty(len(images), dtype=values.dtype)
    found[place] = values
    if (differ := found[place] != values).any():
        image = images[place[int(np.argmax(differ))]]
        raise InputError(f"{path}: rows of image {image} differ in {role}")
    return found


def _notes(table: Table, rows: pd.DataFrame) -> tuple[str, ...]:
    notes = list(table.notes)
    tried = int(((rows["verdict"] == UNDECIDED) & (rows["at"] > 0)).sum())
    if tried:
        notes.append(
            f"rows that decide nothing (timeout, unknown): {tried:,}. Their radius was "
            "tried, not proved, and counts for nothing"
        )
    return tuple(re.sub(r"\s+", " ", note) for note in notes)
