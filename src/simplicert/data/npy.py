"""One NumPy array of inputs, and one of labels beside it."""

from functools import partial
from pathlib import Path

import numpy as np

from simplicert.data.dataset import Dataset
from simplicert.data.digests import digest_of_files
from simplicert.data.form import Form
from simplicert.data.labels import label_notes, labels_of
from simplicert.data.listing import check_split_of
from simplicert.data.stacked import as_inputs
from simplicert.errors import InputError
from simplicert.files import is_the_systems, printable, regular

_LABELS = "_labels"


def _recognises(path: Path) -> bool:
    """Whether this is an array of inputs."""
    return path.suffix.lower() == ".npy" and path.is_file()


def _load(path: Path, *, split: str) -> Dataset:
    """The rows of an array, which stays in its file, and labels of ``FILE_labels.npy``.

    The split is ``test``, or the one that the file is called after.

    Raises:
        InputError: The split is another; a file is cut short or holds pickles; the
            labels are not one an input.
    """
    if path.stem.lower().endswith(_LABELS):
        raise InputError(
            f"{path} holds labels, by its name: give the array of inputs, "
            f"{path.name.removesuffix(path.suffix)[: -len(_LABELS)]}{path.suffix}"
        )
    check_split_of(path, split)
    inputs = as_inputs(path, _mapped(path))
    beside = path.with_name(f"{path.stem}{_LABELS}{path.suffix}")
    has_labels = beside.exists()
    stored = np.array(_mapped(beside)) if has_labels else None
    labels = None if stored is None else labels_of(beside, stored)
    rows = len(_mapped(path))
    none = f"no labels: they are looked for in {beside.name}, beside it"
    return Dataset(
        name=printable(path.stem),
        split=split,
        shape=inputs.shape,
        class_names=(),
        labels=labels,
        indices=np.arange(rows),
        reader=inputs.reader,
        fingerprint=partial(
            digest_of_files, path.parent, [path, *([beside] if has_labels else [])]
        ),
        notes=(
            *inputs.notes,
            *label_notes(labels),
            *([none] if not has_labels else []),
        ),
        unit=inputs.unit,
    )


def _mapped(path: Path) -> np.ndarray:
    """The array of a file, read where it is asked for.

    Raises:
        InputError: It is cut short or damaged, or holds pickled objects.
    """
    try:
        regular(path)
        # A pickle inside could run code: nothing is unpickled.
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # damaged bytes raise almost anything
        if is_the_systems(error):
            raise
        raise InputError(
            f"{path} cannot be read as a plain array ({error}): it is cut short, is no "
            "array, or holds pickled objects. Save an array of numbers with np.save"
        ) from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path} holds no array, whatever its name: call it .npz")
    return array


npy = Form(
    name="an .npy array",
    looks_for="FILE.npy of inputs, with FILE_labels.npy beside it",
    recognises=_recognises,
    open=_load,
)
