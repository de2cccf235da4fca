"""What a form of data is: how files are recognised, and how they are opened."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simplicert.data.dataset import Dataset
from simplicert.data.encoded import EncodedImages

__all__ = ["Form"]


@dataclass(frozen=True)
class Form:
    """A form that people have data sets in.

    Attributes:
        recognises: Whether a path, which exists, holds data in this form.
        open: ``(path, *, split)`` → the data set, or its images, still encoded.
    """

    recognises: Callable[[Path], bool]
    open: Callable[..., Dataset | EncodedImages]
