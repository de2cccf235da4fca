"""Data sets by name, by plug-in, and in the forms in which files are recognised."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np

from simplicert.data import huggingface
from simplicert.data.cifar import cifar
from simplicert.data.dataset import Dataset
from simplicert.data.digits import digits
from simplicert.data.encoded import EncodedImages, decoded
from simplicert.data.folder import folder
from simplicert.data.form import Form
from simplicert.data.given import as_dataset
from simplicert.data.idx import idx
from simplicert.data.npz import npz
from simplicert.data.parquet import parquet
from simplicert.errors import InputError, unknown_name
from simplicert.files import regular
from simplicert.plugins import Kind, Origin, shown_as_theirs

Loader = Callable[..., object]
"""``(*, split)`` → a data set, or inputs, or inputs and labels."""

FORMS: tuple[Form, ...] = (npz, cifar, idx, parquet, folder)
"""In the order in which they are tried; a new one is a file and its place here."""

# Where Debian's dataset packages install.
_INSTALLED = Path("/usr/share/datasets")


def load_dataset(
    name_or_path: str | Dataset,
    *,
    split: str = "test",
    size: int | None = None,
    corrupt: Literal["refuse", "skip"] = "refuse",
) -> Dataset:
    """A data set by name, or from files in any of the forms that people have them in.

    Args:
        name_or_path: ``"digits"``; the name of a dataset in /usr/share/datasets;
            ``"hf:NAME"`` on the Hugging Face hub; the path of a Parquet directory, an
            image folder, CIFAR's binary files, idx files, or an ``.npz`` file; or
            ``file.py:thing``, ``package:thing`` or an installed entry point: a
            ``Dataset``, arrays of inputs and of labels, or a function of ``split`` that
            returns one of these.
        split: Part of it.
        size: Cut encoded images to a square of this side; see ``encoded.decoded``.
        corrupt: Whether to refuse encoded images that cannot be decoded when one is
            read, or to decode all of them now and skip those.

    Raises:
        InputError: If there is no such dataset or split, or it cannot be read.

    Example:
        >>> digits = load_dataset("digits", split="test")
        >>> len(digits), digits.shape
        (355, (1, 8, 8))
    """
    found: object
    if isinstance(name_or_path, Dataset):
        return name_or_path
    if name_or_path in DATASETS.names:
        found = DATASETS.find(name_or_path)(split=split)
    elif name_or_path.startswith(huggingface.PREFIX):
        found = huggingface.find(name_or_path, split=split)
    else:
        path = Path(name_or_path)
        if not path.exists():
            path = _INSTALLED / name_or_path
        if path.exists():
            if not path.is_dir():
                regular(path)
            found = _recognised(path).open(path, split=split)
        elif ":" in name_or_path:
            found = DATASETS.find(name_or_path)(split=split)
        else:
            raise _no_such(name_or_path)
    if isinstance(found, EncodedImages):
        return decoded(found, size=size, corrupt=corrupt)
    if size is not None:
        raise InputError(f"{name_or_path} holds images of one size: leave out the size")
    assert isinstance(found, Dataset)
    return found


def _recognised(path: Path) -> Form:
    for form in FORMS:
        if form.recognises(path):
            return form
    _refuse_pickles(path)
    raise InputError(
        f"{path} is no dataset: it should hold Parquet files, SPLIT/CLASS/FILE images, "
        "CIFAR's .bin files or idx files, or be an .npz file. Is it empty, or the "
        "directory above or below?"
    )


def _no_such(name_or_path: str) -> InputError:
    if "/" in name_or_path or "." in name_or_path:
        return InputError(f"no dataset at {name_or_path}: check the path")
    return InputError(
        f"{unknown_name('dataset', name_or_path, DATASETS.names)}, the names in "
        f"{_INSTALLED}, hf:NAME, file.py:NAME, or a path (./ in front if there is no / "
        "in it)"
    )


def _admit(thing: object, origin: Origin) -> Loader:
    """A function of the split that gives a ``Dataset``, whatever was given."""

    def load(*, split: str) -> Dataset:
        found: Any = thing
        if callable(thing) and not isinstance(thing, Dataset):
            with shown_as_theirs(
                f"{origin.text}(split={split!r})",
                ". It must take a split and return a Dataset, inputs, or (inputs, "
                "labels)",
            ):
                found = thing(split=split)
        if isinstance(found, Dataset):
            return found
        inputs, labels = found if isinstance(found, tuple) else (found, None)
        return as_dataset(
            np.asarray(inputs) if isinstance(inputs, list) else inputs,
            labels,
            name=origin.name,
            split=split,
        )

    return load


DATASETS: Kind[Loader] = Kind(name="dataset", built_in={"digits": digits}, admit=_admit)


def _refuse_pickles(path: Path) -> None:
    """Refuse CIFAR's Python batches, here or below: reading them would unpickle."""
    places = [path, *path.glob("*/")] if path.is_dir() else [path.parent]
    archives = {
        "data_batch_1": "cifar-10",
        "test_batch": "cifar-10",
        "meta": "cifar-100",
    }
    for place in places:
        for mark, archive in archives.items():
            if (place / mark).is_file():
                raise InputError(
                    f"{place} holds CIFAR's pickled Python batches, and a pickle can "
                    f"run code when it is opened: get {archive}-binary.tar.gz, which "
                    "is beside them on the same page, and unpack it"
                )
