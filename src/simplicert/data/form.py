"""What a form of data is: how files are recognised, and how they are opened."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simplicert.data.dataset import Dataset
from simplicert.data.encoded import EncodedImages

__all__ = ["Form"]


@dataclass(frozen=True, kw_only=True)
class Form:
    """A form that people have data sets in.

    Attributes:
        name: In words, after "looks like".
        looks_for: What the files should be called, or be.
        files: Pattern of the names of files that belong to it, but do not make it up.
        recognises: Whether a path, which exists, holds data in this form.
        open: ``(path, *, split)`` → the data set, or its images, still encoded.
        lacks: What a path that is not recognised, but comes near, is in the way of
            being so; None if it is not near.
        columns: Which of the options ``image_column``, ``label_column`` and
            ``feature_columns`` its ``open`` takes, too: names of what holds the images,
            the labels and the features; None to find them.
        below: Whether such data is looked for below a path that is none itself.
    """

    name: str
    looks_for: str
    recognises: Callable[[Path], bool]
    open: Callable[..., Dataset | EncodedImages]
    lacks: Callable[[Path], str | None] = lambda _: None
    columns: tuple[str, ...] = ()
    below: bool = True
    files: str = ""
