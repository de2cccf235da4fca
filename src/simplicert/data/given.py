"""What was given to be sampled: a dataset, or an array of inputs."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from simplicert.data.dataset import Dataset
from simplicert.data.digests import digest_of_bytes
from simplicert.errors import InputError


@runtime_checkable
class TorchTensor(Protocol):
    """A torch tensor, which this module can do without importing torch."""

    def detach(self) -> Any:
        """Itself, without its history."""


Images: TypeAlias = Dataset | np.ndarray | TorchTensor


def as_dataset(
    images: object,
    labels: Sequence[int] | Int[np.ndarray, " images"] | None,
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
    if isinstance(images, str):
        raise InputError(
            f"images must be a Dataset or an array, got {images!r}: read a data set by "
            f"its name or path with simplicert.data.load_dataset({images!r})"
        )
    if not isinstance(images, np.ndarray | TorchTensor):
        raise InputError(
            "images must be a Dataset, or one numpy array or torch tensor; got a "
            f"{type(images).__name__}: stack single images first"
        )
    array = images if isinstance(images, np.ndarray) else images.detach().cpu().numpy()
    if array.ndim < 2 or not array.size or not np.issubdtype(array.dtype, np.floating):
        raise InputError(
            "images must be floating point, images × their shape, as in (images, "
            f"channels, height, width), at least one; got {array.dtype} of shape "
            f"{array.shape}"
        )
    pixels = array.astype(np.float32)
    classes = None if labels is None else np.asarray(labels)
    if classes is not None and (
        classes.shape != (len(pixels),)
        or not np.issubdtype(classes.dtype, np.integer)
        or (classes < 0).any()
    ):
        raise InputError(
            f"labels must be {len(pixels)} classes, integers from 0, one an image; got "
            f"{classes.dtype} of shape {classes.shape}"
        )
    content = pixels.tobytes() + (b"" if classes is None else classes.tobytes())
    return Dataset(
        name=name,
        split=split,
        shape=pixels.shape[1:],
        class_names=(),
        labels=None if classes is None else classes.astype(np.int64),
        indices=np.arange(len(pixels)),
        reader=lambda rows: pixels[rows],
        fingerprint=partial(digest_of_bytes, content),
    )


def check_range(
    pixels: Float[np.ndarray, "images ..."],
    dataset: Dataset,
    positions: Sequence[int] | Int[np.ndarray, " images"],
) -> Float[np.ndarray, "images ..."]:
    """The same pixels, if they lie in [0, 1].

    Raises:
        InputError: Some do not, or are NaN; names the image.
    """
    flat = pixels.reshape(len(pixels), -1)
    inside = ((flat >= 0) & (flat <= 1)).all(axis=1)  # false for NaN too
    if not inside.all():
        bad = int(np.argmin(inside))
        raise InputError(
            f"image {dataset.indices[positions[bad]]} of {dataset.name} has pixels in "
            f"[{flat[bad].min():g}, {flat[bad].max():g}], outside [0, 1]: scale the "
            "images first, since sigma and radii are in these units"
        )
    return pixels
