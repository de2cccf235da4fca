"""Data sets by name, by plug-in, and in the forms in which files are recognised."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from simplicert.data import huggingface
from simplicert.data.cifar import cifar
from simplicert.data.cuts import Cut, choose_cut
from simplicert.data.dataset import Dataset
from simplicert.data.delimited import delimited
from simplicert.data.digits import digits
from simplicert.data.encoded import EncodedImages, decoded
from simplicert.data.folder import flat, folder
from simplicert.data.form import Form
from simplicert.data.given import as_dataset
from simplicert.data.idx import idx
from simplicert.data.neighbours import neighbours
from simplicert.data.npy import npy
from simplicert.data.npz import npz
from simplicert.data.parquet import parquet
from simplicert.data.recognise import recognised
from simplicert.data.sounds import flat_sounds, sounds
from simplicert.errors import InputError, unknown_name
from simplicert.files import printable
from simplicert.plugins import Kind, Origin, shown_as_theirs

Loader = Callable[..., object]
"""``(*, split)`` → a data set, or inputs, or inputs and labels."""

FORMS: tuple[Form, ...] = (
    *(npz, neighbours, npy, delimited, cifar, idx, parquet, folder, sounds),
    *(flat, flat_sounds),
)
"""In the order in which they are tried; a new one is a file and its place here."""

# Where Debian's dataset packages install.
_INSTALLED = Path("/usr/share/datasets")


def load_dataset(
    name_or_path: str | Dataset,
    *,
    split: str = "test",
    size: int | None = None,
    cut: Cut | None = None,
    corrupt: Literal["refuse", "skip"] = "refuse",
    image_column: str | None = None,
    label_column: str | None = None,
    feature_columns: Sequence[str] | None = None,
    known_features: Sequence[str] = (),
) -> Dataset:
    """A data set by name, or from files in any of the forms that people have them in.

    Args:
        name_or_path: ``"digits"``; the name of a dataset in /usr/share/datasets;
            ``"hf:NAME"`` on the Hugging Face hub; the path of a table (CSV, Parquet),
            of a folder of images or sounds, of ``.npz``, ``.npy``, CIFAR's binary or
            idx files; or ``file.py:thing``, ``package:thing`` or an installed entry
            point: a ``Dataset``, what ``as_dataset`` takes in its place, or a function
            of ``split`` that returns one of these.
        split: Part of it.
        size: Cut encoded images to squares of this side.
        cut: How to cut them. Default: the shorter side to 8/7 of the size, bilinear,
            and the centre of that. Without a size, only images that are not squares of
            the cut's size already are cut, and only where they are stored encoded.
        corrupt: Whether to refuse encoded images that cannot be decoded when one is
            read, or to decode all of them now and skip those.
        image_column: Column, or array of an ``.npz``, that holds the images. Default:
            the one that is named as they usually are.
        label_column: The same of the labels.
        feature_columns: Columns of a table that are features, in this order; or one
            that holds vectors. Default: all of numbers but the labels'.
        known_features: That a model or a run names: these alone are taken, in the
            table's order, if nothing else was said and a table has all of them.

    Raises:
        InputError: If there is no such dataset or split, or it cannot be read.

    Example:
        >>> digits = load_dataset("digits", split="test")
        >>> len(digits), digits.shape
        (355, (1, 8, 8))
    """
    if size is not None and (cut is None or cut.size != size):
        if cut is not None:
            raise InputError(f"size is {size}, but the cut is to {cut.size}")
        cut = choose_cut(size=size)
    if isinstance(name_or_path, Dataset):
        return name_or_path
    named = {
        "image_column": image_column,
        "label_column": label_column,
        "feature_columns": None if feature_columns is None else (*feature_columns,),
    }
    columns = {name: given for name, given in named.items() if given is not None}
    known = (*known_features,) if feature_columns is None else ()
    found, notes = _found(name_or_path, split=split, columns=columns, known=known)
    if isinstance(found, EncodedImages):
        found = decoded(found, cut=cut, always=size is not None, corrupt=corrupt)
    elif size is not None:
        raise InputError(f"{name_or_path} holds images of one size: leave out the size")
    assert isinstance(found, Dataset)
    return replace(found, notes=(*notes, *found.notes))


def _found(
    name_or_path: str, *, split: str, columns: dict[str, Any], known: tuple[str, ...]
) -> tuple[object, tuple[str, ...]]:
    """The data, maybe encoded, and a word about where it was found."""
    if not name_or_path:
        raise InputError("give the name or the path of a dataset, not an empty text")
    if name_or_path.startswith(huggingface.PREFIX):
        named = {**columns, "known_features": known}
        return huggingface.find(name_or_path, split=split, **named), ()
    paths = () if name_or_path in DATASETS.names else (Path(name_or_path),)
    for path in (*paths, *(_INSTALLED / path for path in paths)):
        if path.exists():
            form, place = recognised(path, FORMS)
            _check_columns(columns, form.columns, path)
            named = (
                {"known_features": known} if "feature_columns" in form.columns else {}
            )
            where = f"read from {printable(place)}, all that is there"
            found = form.open(place, split=split, **columns, **named)
            return found, () if place == path else (where,)
    if paths and ":" not in name_or_path:
        raise _no_such(name_or_path)
    _check_columns(columns, (), name_or_path)
    return DATASETS.find(name_or_path)(split=split), ()


def _check_columns(
    columns: dict[str, Any], taken: Iterable[str], source: object
) -> None:
    wrong = [name for name in columns if name not in taken]
    if wrong:
        none = "no such columns" if taken else "no columns"
        raise InputError(
            f"{source} has {none} to choose from: leave out {' and '.join(wrong)}"
        )


def _no_such(name_or_path: str) -> InputError:
    if "/" in name_or_path or "." in name_or_path:
        hint = ""
        if name_or_path.startswith("~"):
            hint = ": ~ is not your home in here"
        elif re.fullmatch(r"[\w-]+/[\w.-]+", name_or_path):
            hint = f", or say hf:{name_or_path} if it is one of the hub"
        return InputError(f"no dataset at {name_or_path}: check the path{hint}")
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
        try:
            return as_dataset(found, None, name=origin.name, split=split)
        except InputError as error:
            raise InputError(f"{origin.text}: {error}") from error

    return load


DATASETS: Kind[Loader] = Kind(name="dataset", built_in={"digits": digits}, admit=_admit)
