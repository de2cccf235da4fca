"""Neighbours of inputs, as a data set that is sampled like any other.

What is stored is what is drawn from: the neighbours, and the inputs that they are
neighbours of, as they were read. Distances are those of these numbers.
"""

import io
import json
import math
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int64, Shaped
from numpy.typing import ArrayLike
from pydantic import ValidationError

from simplicert.data.archives import array_of, opened_archive
from simplicert.data.dataset import Dataset, unknown_split
from simplicert.data.digests import digest_of_bytes
from simplicert.data.form import Form
from simplicert.data.given import check_range
from simplicert.errors import InputError
from simplicert.files import opened, printable, write_whole
from simplicert.structured import parse_json
from simplicert.units import Unit
from simplicert.votes.sources import NeighboursSource

__all__ = ["neighbours", "neighbours_of", "save_neighbours", "seen_from"]

_MEMBERS = ("neighbours", "origins", "about", "digest")
_SUFFIX = ".npz"

_UP = 1.0 + 2.0**-46
"""What makes a distance no smaller than the true one: sums are exact but for a few
roundings of 2**-53. ``certificates/balls.py`` allows four times as much."""


def neighbours_of(
    dataset: Dataset, points: ArrayLike, *, how: Mapping[str, object] | None = None
) -> Dataset:
    """Inputs near those of a data set, as a data set of their own.

    They are not clipped, and have the unit of the data set without its range; they are
    sampled in no other. Choose them by draws that are not counted, or by none: what
    bounds them must not have chosen them. Under one seed, inputs of one number have one
    noise, in every data set.

    Args:
        dataset: Whose inputs they are neighbours of: all that are selected.
        points: Inputs × neighbours of each × the shape of an input, in its unit, as
            float32, which they are rounded to.
        how: How they were found, to be kept beside them. Nothing depends on it.

    Raises:
        InputError: Another shape; numbers that are not finite; a neighbour that is the
            input itself; a data set that are neighbours already.

    Example:
        >>> from simplicert.data.given import as_dataset
        >>> inputs = as_dataset(np.zeros((1, 2)), None)
        >>> around = neighbours_of(inputs, [[[3.0, 4.0], [0.0, -2.0]]])
        >>> len(around), np.round(around.neighbours.distances, 6).tolist()
        (2, [[5.0, 2.0]])
    """
    stored = np.asarray(points, dtype=np.float32)
    shape = tuple(dataset.shape)
    if stored.shape[:1] + stored.shape[2:] != (len(dataset), *shape):
        raise InputError(
            f"neighbours of {len(dataset)} inputs of shape {shape} must be an array of "
            f"{len(dataset)} × as many as each has × that shape, got {stored.shape}"
        )
    if dataset.neighbours is not None:
        raise InputError(f"{dataset.name} holds neighbours already: give the inputs")
    positions = np.arange(len(dataset))
    origins = check_range(dataset.read(positions), dataset, positions)
    unit = {**asdict(dataset.unit), "low": None, "high": None}
    about = {
        "name": f"{dataset.name}-neighbours",
        "split": dataset.split,
        "of": dataset.digest,
        "images": dataset.indices.tolist(),
        "labels": None if dataset.labels is None else dataset.labels.tolist(),
        "class_names": list(dataset.class_names),
        "features": list(dataset.features),
        "cut": dataset.cut,
        "unit": unit,
        "shape": list(stored.shape),
        "how": dict(how or {}),
    }
    return _dataset(stored, origins, json.dumps(about), source="neighbours")


def save_neighbours(path: Path | str, around: Dataset) -> None:
    """Write what ``neighbours_of`` made: ``FILE.npz``, which every command reads.

    Raises:
        InputError: They are none; another suffix; or the path cannot be replaced.
        OSError: It cannot be written.
    """
    reader = around.reader
    if not isinstance(reader, _Stored):
        raise InputError(f"{around.name} holds no neighbours")
    if Path(path).suffix.lower() != _SUFFIX:
        raise InputError(f"{path}: neighbours are written to a file FILE.npz")
    content = io.BytesIO()
    np.savez_compressed(
        content,
        neighbours=reader.around,
        origins=reader.origins,
        about=np.array(reader.about),
        digest=np.array(around.digest),
    )
    write_whole(Path(path), content.getvalue())


@dataclass(frozen=True, eq=False)
class _Stored:
    """Reads neighbours one after another; keeps what they are neighbours of.

    Attributes:
        around: Inputs × neighbours of each × shape.
        origins: The inputs.
        about: What is to be known of them, as JSON.
    """

    around: Float[np.ndarray, "inputs each ..."]
    origins: Float[np.ndarray, "inputs ..."]
    about: str

    def __call__(
        self, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows ..."]:
        """Those of these numbers."""
        one_by_one = self.around.reshape(-1, *self.around.shape[2:])
        wanted: np.ndarray = one_by_one[rows]
        return wanted


def seen_from(
    origin: Float[np.ndarray, "..."], around: Float[np.ndarray, "each ..."]
) -> tuple[list[float], list[float]]:
    """Distances of an input's neighbours, and cosines between their directions.

    Both are rounded up, by less than ``certificates/balls.py`` allows for.

    Raises:
        InputError: A neighbour is the input itself, or nearer than 1e-30.

    Example:
        >>> seen_from(np.zeros(2), np.array([[1.0, 0.0], [-1.0, 0.0]]))[1]
        [-0.9999999999999858]
    """
    distances, directions = [], []
    for way in (around.astype(np.float64) - origin).reshape(len(around), -1):
        largest = float(np.abs(way).max())
        if largest < 1e-30:
            raise InputError("a neighbour is the input itself, which adds nothing")
        scaled = way / largest
        length = math.sqrt(math.fsum((scaled * scaled).tolist()))
        distances.append(length * largest * _UP)
        directions.append(scaled / length)
    cosines = [
        min(1.0, math.fsum((one * other).tolist()) + (_UP - 1.0))
        for one, other in combinations(directions, 2)
    ]
    return distances, cosines


def _dataset(
    around: Float[np.ndarray, "inputs each ..."],
    origins: Float[np.ndarray, "inputs ..."],
    about: str,
    *,
    source: str,
) -> Dataset:
    """The data set of what is stored; its digest is of all of that.

    Raises:
        InputError: The parts do not belong together, or are damaged.
    """
    said: dict[str, Any] = parse_json(about.encode(), Path(source))
    try:
        same = said["shape"] == list(around.shape)
        same &= around.shape[0:1] + around.shape[2:] == origins.shape
        if not same or not np.isfinite(around).all() or not np.isfinite(origins).all():
            raise ValueError("its arrays do not belong together, or are not finite")
        places = [seen_from(*each) for each in zip(origins, around, strict=True)]
        labels = said["labels"]
        return Dataset(
            name=said["name"],
            split=said["split"],
            shape=origins.shape[1:],
            class_names=tuple(said["class_names"]),
            labels=None if labels is None else np.repeat(labels, around.shape[1]),
            indices=np.arange(around.shape[0] * around.shape[1]),
            reader=_Stored(around, origins, about),
            fingerprint=partial(digest_of_bytes, around, origins, about.encode()),
            cut=said["cut"],
            unit=Unit(**said["unit"]),
            features=tuple(said["features"]),
            neighbours=NeighboursSource(
                of=said["of"],
                each=around.shape[1],
                images=said["images"],
                distances=[distances for distances, _ in places],
                cosines=[cosines for _, cosines in places],
            ),
        )
    except (KeyError, TypeError, ValidationError) as error:
        raise InputError(f"{source} is damaged, or was edited: {error}") from error
    except ValueError as error:
        raise InputError(f"{source}: {error}") from error


def _recognises(path: Path) -> bool:
    """Whether this is an archive of neighbours and what they are neighbours of."""
    if path.suffix.lower() != _SUFFIX or not path.is_file():
        return False
    try:
        with opened(path) as file, zipfile.ZipFile(file) as archive:
            return {*archive.namelist()} == {f"{name}.npy" for name in _MEMBERS}
    except (zipfile.BadZipFile, OSError):
        return False


def _load(path: Path, *, split: str) -> Dataset:
    """What ``save_neighbours`` wrote, whose split is that of their inputs.

    Raises:
        InputError: Another split is asked for; the file is damaged, or was edited.
    """
    advice = "it is cut short or damaged. Find the neighbours again"
    with opened_archive(path, advice) as archive:
        around, origins, about, digest = (
            array_of(path, archive, name) for name in _MEMBERS
        )
    _check_kinds(path, around, origins, about)
    found = _dataset(around, origins, str(about), source=printable(path))
    if found.digest != str(digest):  # whose neighbours they are is in the text alone
        raise InputError(f"{path} was edited: find the neighbours again")
    if split not in {"test", found.split}:
        raise unknown_split(path, split, [found.split])
    return found


def _check_kinds(path: Path, *members: Shaped[np.ndarray, "..."]) -> None:
    around, origins, about = members
    kinds = around.dtype == np.float32, origins.dtype.kind == "f", about.dtype.kind
    if kinds != (True, True, "U") or around.ndim < 3:
        raise InputError(f"{path} is damaged, or was edited: find the neighbours again")


neighbours = Form(
    name="neighbours of inputs",
    looks_for="FILE.npz as `simplicert neighbours` writes it",
    recognises=_recognises,
    open=_load,
)
