"""Datasets by name, and the forms in which others are recognised."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Protocol

from simplicert.data import cifar, folder, huggingface, idx, npz, parquet
from simplicert.data.dataset import Dataset
from simplicert.data.digits import digits
from simplicert.data.encoded import EncodedImages, decoded
from simplicert.errors import InputError, unknown_name


class _ArrayForm(Protocol):
    def recognises(self, path: Path) -> bool: ...
    def load(self, path: Path, *, split: str) -> Dataset: ...


class _EncodedForm(Protocol):
    def recognises(self, path: Path) -> bool: ...
    def find(self, path: Path, *, split: str) -> EncodedImages: ...


_NAMED: dict[str, Callable[..., Dataset]] = {"digits": digits}
_ARRAYS: tuple[_ArrayForm, ...] = (npz, cifar, idx)
_ENCODED: tuple[_EncodedForm, ...] = (parquet, folder)

# Where Debian's dataset packages install.
_INSTALLED = Path("/usr/share/datasets")


def load_dataset(
    name_or_path: str,
    *,
    split: str = "test",
    size: int | None = None,
    corrupt: Literal["refuse", "skip"] = "refuse",
) -> Dataset:
    """A dataset by name, or from files in any of the forms that people have them in.

    Args:
        name_or_path: ``"digits"``; the name of a dataset in /usr/share/datasets;
            ``"hf:NAME"`` on the Hugging Face hub; or the path of a Parquet directory,
            an image folder, CIFAR's binary files, idx files, or an ``.npz`` file.
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
    if name_or_path in _NAMED:
        if size is not None:
            raise _one_size(name_or_path)
        return _NAMED[name_or_path](split=split)
    if name_or_path.startswith(huggingface.PREFIX):
        found = huggingface.find(name_or_path, split=split)
        return decoded(found, size=size, corrupt=corrupt)
    path = Path(name_or_path)
    if not path.exists():
        path = _INSTALLED / name_or_path
    if not path.exists():
        raise _no_such(name_or_path)
    for form in _ARRAYS:
        if form.recognises(path):
            if size is not None:
                raise _one_size(path)
            return form.load(path, split=split)
    for encoded_form in _ENCODED:
        if encoded_form.recognises(path):
            source = encoded_form.find(path, split=split)
            return decoded(source, size=size, corrupt=corrupt)
    _refuse_pickles(path)
    raise InputError(
        f"{path} is no dataset: it should hold Parquet files, SPLIT/CLASS/FILE images, "
        "CIFAR's .bin files or idx files, or be an .npz file. Is it empty, or the "
        "directory above or below?"
    )


def _one_size(source: str | Path) -> InputError:
    return InputError(f"{source} holds images of one size: leave out the size")


def _no_such(name_or_path: str) -> InputError:
    if "/" in name_or_path or "." in name_or_path:
        return InputError(f"no dataset at {name_or_path}: check the path")
    return InputError(
        f"{unknown_name('dataset', name_or_path, _NAMED)}, the names in {_INSTALLED}, "
        "hf:NAME, or a path (./ in front if there is no / in it)"
    )


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
