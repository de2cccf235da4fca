"""What every dataset is once it is loaded."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int64

from simplicert.errors import InputError, unknown_name
from simplicert.units import PIXELS, PLAIN, Unit
from simplicert.votes.sources import NeighboursSource


@runtime_checkable
class Reader(Protocol):
    """Fetches inputs by row of the source; the rows never all sit in memory at once."""

    def __call__(
        self, rows: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows ..."]:
        """Inputs of these rows, in the data set's unit, in the order asked."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Inputs that are read when asked for, and what is known about them.

    Attributes:
        name: Name it is recorded under.
        split: Part of the dataset, such as ``"train"`` or ``"test"``.
        shape: Of every input: channels, height and width of images; any length.
        class_names: One name a class; a label is a position in it. Empty if unknown.
        labels: One class an image, or None where the source has none.
        indices: One stable number an image: its row in the source. It is unique within
            the split and survives ``select``.
        reader: Fetches inputs by ``indices``. Can be pickled, for worker processes.
        fingerprint: Computes ``digest``. Called once, when it is first wanted.
        skipped: Images that were left out because they cannot be decoded, and why.
        notes: What else was left out, converted or supposed, one line each.
        cut: How every image is cut to its shape, in words; None if it is as it is.
        unit: What the numbers are. Default: of images pixels in [0, 1]; of others
            they are as they are, without a range.
        features: A name for each entry of an input's first axis: the columns of a
            table, the channels of a signal. Empty if they have none.
        texts: What each input of the source is, in words, by its index: the sentence
            of an embedding, the file of a sound. None if nobody says.
        neighbours: Of which other inputs these are neighbours, and where they lie; None
            if they are none.
        split_indices: Those of the whole split, where only some images are selected.
    """

    name: str
    split: str
    shape: tuple[int, ...]
    class_names: tuple[str, ...]
    labels: Int64[np.ndarray, " labels"] | None
    indices: Int64[np.ndarray, " images"]
    reader: Reader
    fingerprint: Callable[[], str]
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    cut: str | None = None
    unit: Unit = None  # type: ignore[assignment]  # what its shape tells
    features: tuple[str, ...] = ()
    texts: Callable[[int], str] | None = None
    neighbours: NeighboursSource | None = None
    split_indices: Int64[np.ndarray, " split"] | None = None

    def __post_init__(self) -> None:
        where = f"dataset {self.name!r}, split {self.split!r}"
        if len(self.indices) == 0:
            raise InputError(f"{where} has no images: check the path and the split")
        if self.unit is None:
            usual = PIXELS if len(self.shape) == 3 else PLAIN
            object.__setattr__(self, "unit", usual)
        self.unit.check_shape(self.shape, self.name)
        if self.features and len(self.features) != self.shape[0]:
            raise InputError(
                f"{where} has inputs of shape {self.shape}, and {len(self.features)} "
                "names of features: give one for each of the first axis"
            )
        if self.labels is None:
            return
        if len(self.labels) != len(self.indices):
            raise InputError(
                f"{where} has {len(self.indices)} images and {len(self.labels)} "
                "labels: give one label an image"
            )
        if not self.class_names:
            return
        classes = len(self.class_names)
        wrong = np.flatnonzero((self.labels < 0) | (self.labels >= classes))
        if wrong.size:
            raise InputError(
                f"{where}: image {self.indices[wrong[0]]} has label "
                f"{self.labels[wrong[0]]}, but labels must be in [0, {classes - 1}] "
                f"({wrong.size} such images): {_remedy(self.labels, classes)}"
            )

    def __len__(self) -> int:
        return len(self.indices)

    def check_classes(self, classes: int) -> None:
        """Refuse to belong to a classifier of so many classes, if it does not.

        Raises:
            InputError: There are names of more or fewer classes, or labels of others.
        """
        named = len(self.class_names)
        if named and named != classes:
            raise InputError(
                f"the model has {classes} classes but {self.name} has {named}: "
                f"{_remedy(self.labels, classes)}"
            )
        highest = -1 if self.labels is None else int(self.labels.max())
        if highest >= classes:
            raise InputError(
                f"labels must lie in 0 … {classes - 1}, since the model has {classes} "
                f"classes, but {self.name} has a label {highest}: "
                f"{_remedy(self.labels, classes)}"
            )

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the bytes of the whole split, whichever images are selected."""
        return self.fingerprint()

    def read(
        self, positions: Int64[np.ndarray, " rows"]
    ) -> Float[np.ndarray, "rows ..."]:
        """Inputs at these positions, in the unit."""
        return self.reader(self.indices[positions])

    def entry(self, number: int) -> str:
        """An entry of an input's first axis, in words."""
        if self.features:
            return f"{self.features[number]!r}"
        return f"{'feature' if len(self.shape) == 1 else 'channel'} {number}"

    def select(self, positions: Int64[np.ndarray, " rows"]) -> "Dataset":
        """The same dataset with these images only, in this order."""
        labels = None if self.labels is None else self.labels[positions]
        return replace(
            self,
            labels=labels,
            indices=self.indices[positions],
            split_indices=self.whole.indices,
        )

    @property
    def whole(self) -> "Dataset":
        """All of the split's inputs, whichever are selected, without labels."""
        if self.split_indices is None:
            return self
        return replace(
            self, labels=None, indices=self.split_indices, split_indices=None
        )


def _remedy(labels: Int64[np.ndarray, " labels"] | None, classes: int) -> str:
    if labels is not None and labels.min() >= 1 and labels.max() == classes:
        return "labels start at 0, and these at 1, it seems: subtract 1 from them"
    return "check the labels, the class names, and whether the model is for them"


def unknown_split(source: object, split: str, known: Iterable[str]) -> InputError:
    """The error for a split that a source does not have."""
    return InputError(
        f"{unknown_name(f'split of {source}', split, known)}. Choose one with --split, "
        "or for training with --set train_split=NAME, --set validation_split=NAME"
    )
