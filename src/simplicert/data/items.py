"""Inputs that are got by number, one by one: lists, and torch's map-style data sets."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int64

from simplicert.data.tensors import as_array, as_floats, plain
from simplicert.errors import InputError
from simplicert.plugins import shown_as_theirs

__all__ = ["ByNumber", "Items", "collected"]

KEPT = 1 << 30
"""Bytes of inputs that are kept in memory; of more each is got again to be read."""

_INPUTS = (
    *("image", "img", "pixel_values", "input", "inputs", "x", "features"),
    *("embedding", "audio", "input_values"),
)
_LABELS = ("label", "labels", "target", "targets", "y")


@runtime_checkable
class ByNumber(Protocol):
    """What has a length, and gives an input, or an input and its label, by number."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, row: int, /) -> Any:
        """One of them."""


@dataclass(frozen=True, eq=False)
class Items:
    """Inputs that were all looked at once.

    Attributes:
        shape: Of each.
        inputs: All of them, or ``None`` if they are too many to be kept.
        reader: Gets them by number.
        labels: One an input, as they are given; ``None`` if there are none.
        digest: SHA-256 over the values of all, and then of the labels: the same as of
            one array.
    """

    shape: tuple[int, ...]
    inputs: Float[np.ndarray, "inputs ..."] | None
    reader: "_Again"
    labels: list[Any] | None
    digest: str


@dataclass(frozen=True, eq=False)
class _Again:
    """Gets inputs again, and refuses those that are not what they were."""

    source: Any
    name: str
    marks: Int64[np.ndarray, " inputs"]

    def __call__(
        self, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows ..."]:
        return np.stack([self.one(int(row)) for row in rows])

    def one(self, row: int) -> Float[np.ndarray, "..."]:
        """One input.

        Raises:
            InputError: It is another than it was.
        """
        found = _apart(self.source, row, self.name)[0]
        if _mark(found) != self.marks[row]:
            raise InputError(
                f"{self.name} gives another input {row} each time that it is asked, "
                "and a certificate is about one: leave out what is random in it, such "
                "as transforms that augment"
            )
        return found


def collected(source: ByNumber, *, name: str) -> Items:
    """All inputs and labels of a source, got once; so a digest can be over them.

    Raises:
        InputError: There are none; one is no array of numbers, or of another shape than
            the first; or is another when it is asked for again.
    """
    with shown_as_theirs(f"len({name})"):
        count = len(source)
    if not count:
        raise InputError(f"{name} has no inputs: give at least one")
    digest, marks = hashlib.sha256(), np.empty(count, np.int64)
    kept: list[np.ndarray] | None = []
    labels: list[Any] = []
    shape: tuple[int, ...] = ()
    for row in range(count):
        found, label = _apart(source, row, name)
        if row == 0:
            shape = found.shape
        if found.shape != shape:
            raise InputError(
                f"{name}: input {row} has shape {found.shape}, and input 0 has "
                f"{shape}: the inputs are of unequal shapes: make them equal"
            )
        if (label is None) != (not labels) and row:
            raise InputError(f"{name}: input {row} has a label, or none, unlike others")
        labels += [] if label is None else [label]
        digest.update(found.data)
        marks[row] = _mark(found)
        if kept is not None:
            kept.append(found)
            kept = kept if found.nbytes * len(kept) <= KEPT else None
    reader = _Again(source, name, marks)
    for row in {0, count // 2, count - 1}:
        reader.one(row)
    if labels:
        digest.update(as_array(labels).tobytes())
    return Items(
        shape=shape,
        inputs=None if kept is None else np.stack(kept),
        reader=reader,
        labels=labels or None,
        digest=digest.hexdigest(),
    )


def _mark(found: Float[np.ndarray, "..."]) -> int:
    digest = hashlib.blake2b(found.data, digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def _apart(source: Any, row: int, name: str) -> tuple[np.ndarray, Any]:
    """An input as floats, and its label, or ``None``.

    Raises:
        InputError: It is something else; says what.
    """
    with shown_as_theirs(f"{name}[{row}]"):
        item = source[row]
    given, label = _pair(item, f"{name}: item {row}")
    where = f"input {row} of {name}"
    if hasattr(given, "convert") and hasattr(given, "getpixel"):
        raise InputError(
            f"{where} is a picture of Pillow's: give the data set "
            "transform=torchvision.transforms.ToTensor(), or arrays"
        )
    try:
        array = np.asarray(plain(where, given))
    except ValueError as error:
        raise InputError(
            f"{where} is a list of unequal shapes ({error}): make them equal"
        ) from error
    if array.dtype.kind not in "fiu" or not array.ndim or not array.size:
        raise InputError(
            f"{where} must be an array of numbers, got a {type(given).__name__} "
            f"({array.dtype} of shape {array.shape})"
        )
    label = None if label is None else plain("labels", label)
    if isinstance(label, np.ndarray):
        label = label[()] if label.ndim == 0 else label
    return np.ascontiguousarray(as_floats(array[None])[0]), label


def _pair(item: Any, where: str) -> tuple[Any, Any]:
    """What an item is: an input, or an input and its label."""
    if isinstance(item, Mapping):
        inputs = [key for key in _INPUTS if key in item]
        labels = [key for key in _LABELS if key in item]
        if len(inputs) != 1:
            raise InputError(
                f"{where} is a dictionary of {', '.join(map(str, item))}: give pairs "
                "of an input and its label"
            )
        return item[inputs[0]], item[labels[0]] if labels else None
    if isinstance(item, tuple) and item and not np.isscalar(item[0]):
        if len(item) > 2:
            raise InputError(
                f"{where} is a tuple of {len(item)}: give pairs of an input and its "
                "label"
            )
        return item if len(item) == 2 else (item[0], None)
    # As torch's collate makes pairs of one label.
    if (
        isinstance(item, list)
        and len(item) == 2
        and np.ndim(item[0]) > np.ndim(item[1])
    ):
        return item[0], item[1]
    return item, None
