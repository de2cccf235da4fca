"""What was given to be sampled: a dataset, or an array of inputs."""

import reprlib
from collections.abc import Callable, Sequence
from functools import partial
from os import PathLike
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from simplicert.data.dataset import Dataset
from simplicert.data.digests import digest_of_bytes
from simplicert.data.labels import label_notes, labels_of
from simplicert.errors import InputError
from simplicert.units import PIXELS


@runtime_checkable
class TorchTensor(Protocol):
    """A torch tensor, which this module can do without importing torch."""

    def detach(self) -> Any:
        """Itself, without its history."""


Images: TypeAlias = Dataset | np.ndarray | TorchTensor


def as_dataset(
    images: object,
    labels: object,
    *,
    name: str = "array",
    split: str = "all",
) -> Dataset:
    """The dataset itself, or one around an array.

    Raises:
        InputError: The array is not images, or the labels do not match it.
    """
    if isinstance(images, Dataset):
        if labels is not None:
            raise InputError("labels come with a dataset; pass them for arrays only")
        return images
    if not isinstance(images, np.ndarray | TorchTensor):
        raise InputError(
            "images must be a Dataset, or one numpy array or torch tensor; got "
            f"{_described(images)}"
        )
    array = _plain("images", images)
    if array.ndim < 2 or not array.size or array.dtype.kind not in "fiu":
        raise InputError(
            "inputs must be numbers, inputs × their shape, as in (images, channels, "
            f"height, width) or (rows, features), at least one; got {array.dtype} of "
            f"shape {array.shape}"
        )
    pixels = _as_floats(array)
    stored = None if labels is None else _as_array(labels)
    classes = None if stored is None else labels_of(f"labels of {name}", stored)
    if classes is not None and (len(classes) != len(pixels) or (classes < 0).any()):
        raise InputError(
            f"labels must be {len(pixels)} classes, integers from 0, one an image; got "
            f"{len(classes)}, from {classes.min(initial=0)}"
        )
    return Dataset(
        name=name,
        split=split,
        shape=pixels.shape[1:],
        class_names=(),
        labels=classes,
        indices=np.arange(len(pixels)),
        reader=lambda rows: pixels[rows],
        fingerprint=partial(
            digest_of_bytes, pixels, b"" if stored is None else stored.tobytes()
        ),
        notes=label_notes(classes),
    )


def _as_floats(array: np.ndarray) -> np.ndarray:
    """Bytes of images in [0, 1]; pixels in float32, what has no range in full."""
    are_images = array.ndim == 4
    if array.dtype == np.uint8 and are_images:
        return array.astype(np.float32) / 255
    exact = array.dtype.kind in "iu" or array.dtype.itemsize > 4
    kind = np.float64 if exact and not are_images else np.float32
    with np.errstate(over="ignore"):  # what is infinite is refused when it is read
        return array.astype(kind, order="C", subok=False)


def _plain(what: str, given: Any) -> Any:
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


def _as_array(labels: object) -> np.ndarray:
    """Labels as an array; of objects, which are refused later, if they are unequal."""
    labels = _plain("labels", labels)
    try:
        array = np.asarray(labels)
    except ValueError:
        return np.array([reprlib.repr(labels)], dtype=object)
    if array.ndim:
        return array
    raise InputError(
        f"labels must be one class an image, got a {type(labels).__name__}: give a list"
    )


def inputs_and_labels(found: Any) -> tuple[object, Any]:
    """What a function of somebody returned for a dataset, taken apart.

    Raises:
        InputError: It is neither inputs nor a pair of inputs and labels; says what it
            is, and how to make them of it.
    """
    if not isinstance(found, tuple):
        return _stacked(found), None
    if len(found) != 2:
        raise InputError(
            f"a dataset is inputs, or a pair of inputs and labels; got a tuple of "
            f"{len(found)}: return the two, (inputs, labels)"
        )
    return _stacked(found[0]), found[1]


def _stacked(inputs: object) -> object:
    """A list of equal arrays as one array; anything else as it is."""
    if not isinstance(inputs, list) or _are_pairs(inputs):
        return inputs
    try:
        array = np.asarray(inputs)
    except ValueError as error:
        raise InputError(
            f"the inputs are a list of unequal shapes ({error}): make them equal"
        ) from error
    return inputs if array.dtype == object else array


def _are_pairs(thing: object) -> bool:
    some = thing[:1] if isinstance(thing, list | tuple) else ()
    return bool(some) and isinstance(some[0], tuple) and len(some[0]) == 2


_TAKEN_APART = "(np.stack([np.asarray(x) for x, _ in {}]), [y for _, y in {}])"

# What may be given in place of an array, and how to make one of it; the first fits.
_REMEDIES: tuple[tuple[Callable[[Any], bool], str], ...] = (
    (lambda it: it is None, "does the function return what it makes?"),
    (
        lambda it: isinstance(it, str | PathLike),
        "simplicert.data.load_dataset gives the dataset of a name or a path",
    ),
    (lambda it: hasattr(it, "keys"), "give the inputs and labels in it, as a pair"),
    (lambda it: hasattr(it, "to_numpy"), "give its to_numpy()"),
    (_are_pairs, f"of (image, label) give {_TAKEN_APART.format('it', 'it')}"),
    (lambda it: isinstance(it, list | tuple), "stack single images first"),
    (
        lambda it: hasattr(it, "__getitem__"),
        "if it gives (image, label) by number, as torch's do, give "
        f"{_TAKEN_APART.format('it', 'it')}",
    ),
    (
        lambda it: hasattr(it, "__iter__"),
        "it gives one thing after another: make a list of it first; of (image, label) "
        f"give {_TAKEN_APART.format('pairs', 'pairs')} with pairs = list(it)",
    ),
)


def _described(thing: object) -> str:
    remedy = next((text for fits, text in _REMEDIES if fits(thing)), "")
    return f"a {type(thing).__name__}{remedy and ': '}{remedy}"


def check_range(
    pixels: Float[np.ndarray, "images ..."],
    dataset: Dataset,
    positions: Sequence[int] | Int[np.ndarray, " images"],
) -> Float[np.ndarray, "images ..."]:
    """The same inputs, if they lie in the range of their unit, and are finite.

    Raises:
        InputError: Some do not; names the first, and where.
    """
    unit = dataset.unit
    inside = unit.contains(pixels)
    if inside.all():
        return pixels
    bad = int(np.argmin(inside))
    own, called = pixels[bad], "image" if len(dataset.shape) == 3 else "input"
    which = f"{called} {dataset.indices[positions[bad]]} of {dataset.name}"
    if not np.isfinite(own).all():
        entry = int(np.argwhere(~np.isfinite(own))[0][0])
        raise InputError(
            f"{which} has a number that is missing or not finite, in "
            f"{dataset.entry(entry)}: fill it in, or leave that {called} out"
        )
    if unit == PIXELS:
        raise InputError(
            f"{which} has pixels in [{own.min():g}, "
            f"{own.max():g}], outside [0, 1]: scale the images first, or say what they "
            "are in, --unit levels for 0 to 255, --unit plain for no range: sigma and "
            "radii are in that unit"
        )
    raise InputError(
        f"{which} lies in [{own.min():g}, {own.max():g}], and "
        f"these are {unit}: correct it, or give the unit that it is in (--unit)"
    )
