"""Arrays and tensors as others give them, as NumPy's."""

import reprlib
from typing import Any, Protocol, runtime_checkable

import numpy as np

from simplicert.errors import InputError

__all__ = ["TorchTensor", "as_array", "as_floats", "plain"]


@runtime_checkable
class TorchTensor(Protocol):
    """A torch tensor, which this module can do without importing torch."""

    def detach(self) -> Any:
        """Itself, without its history."""


def as_floats(array: np.ndarray) -> np.ndarray:
    """Bytes of images in [0, 1]; pixels in float32, what has no range in full."""
    are_images = array.ndim == 4
    if array.dtype == np.uint8 and are_images:
        return array.astype(np.float32) / 255
    exact = array.dtype.kind in "iu" or array.dtype.itemsize > 4
    whole: np.ndarray = array.astype(
        np.float64 if exact else np.float32, order="C", subok=False
    )
    if not (exact and are_images):
        return whole
    with np.errstate(over="ignore"):  # what is infinite is refused when it is read
        short = whole.astype(np.float32)
    # Of pixels it moves none noticeably, but beside an offset it moves far.
    are_pixels = bool(((whole >= 0) & (whole <= 1)).all())
    lossless = are_pixels or np.array_equal(short, whole, equal_nan=True)
    return short if lossless else whole


def plain(what: str, given: Any) -> Any:
    """A tensor as an array; anything else as it is.

    Raises:
        InputError: It cannot be, or leaves values out.
    """
    if isinstance(given, TorchTensor):
        try:
            return given.detach().cpu().numpy()
        except (
            TypeError,
            RuntimeError,
        ) as error:  # what NumPy has not, in torch's words
            raise InputError(
                f"{what} cannot become a NumPy array ({error}): give one"
            ) from error
    if np.ma.is_masked(given):
        raise InputError(f"{what} are masked in part: give them whole, or leave out")
    return given


def as_array(labels: object) -> np.ndarray:
    """Labels as an array; of objects, which are refused later, if they are unequal."""
    labels = plain("labels", labels)
    try:
        array = np.asarray(labels)
    except ValueError:
        return np.array([reprlib.repr(labels)], dtype=object)
    if array.ndim:
        return array
    raise InputError(
        f"labels must be one class an image, got a {type(labels).__name__}: give a list"
    )
