"""What others hold data in: pandas, torch, Hugging Face, and Python's lists."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from simplicert.data import huggingface
from simplicert.data.dataset import Dataset
from simplicert.data.encoded import EncodedImages, decoded
from simplicert.data.items import ByNumber, collected
from simplicert.data.labels import label_notes, labels_of
from simplicert.data.table import Columns, from_frame
from simplicert.data.tensors import as_array
from simplicert.errors import InputError

__all__ = ["from_source"]

_COLLATED = {"default_collate", "default_convert"}


def from_source(
    given: Any, *, name: str, split: str
) -> Dataset | tuple[np.ndarray, list[Any] | None] | None:
    """What another library holds, as a data set, or as inputs and labels.

    ``None`` if it is nothing of the kind.

    Raises:
        InputError: It is one, and cannot be read; says why, and what to give instead.
    """
    if isinstance(given, pd.DataFrame):
        return from_frame(
            given, where="the table", name=name, split=None, columns=Columns()
        )
    if hasattr(given, "batch_sampler") and hasattr(given, "dataset"):
        given = _of_loader(given)
    elif huggingface.is_table(given):
        found = huggingface.of_table(given, name=name, split=split)
        if isinstance(found, EncodedImages):
            return decoded(found, cut=None, always=False, corrupt="refuse")
        return found
    # A dictionary has no order by number.
    if not isinstance(given, ByNumber) or isinstance(given, str | bytes):
        return None
    return None if hasattr(given, "keys") else _of_items(given, name=name, split=split)


def _of_items(
    given: ByNumber, *, name: str, split: str
) -> Dataset | tuple[np.ndarray, list[Any] | None]:
    """The inputs and labels, or, where they are too many, what gets them again."""
    called = name if isinstance(given, list) else type(given).__name__
    found = collected(given, name=called)
    if found.inputs is not None:
        return found.inputs, found.labels
    labels = None
    if found.labels is not None:
        labels = labels_of(f"labels of {called}", as_array(found.labels))
    if labels is not None and (labels < 0).any():
        raise InputError(f"labels of {called} must be integers from 0")
    return Dataset(
        name=name,
        split=split,
        shape=found.shape,
        class_names=(),
        labels=labels,
        indices=np.arange(len(given)),
        reader=found.reader,
        fingerprint=partial(str, found.digest),
        notes=label_notes(labels),
    )


def _of_loader(loader: Any) -> Any:
    """What a torch ``DataLoader`` gives, by number.

    Raises:
        InputError: It gives its inputs in no order, or not all of them.
    """
    batches = loader.batch_sampler  # which has its own order, where it was given one
    order = loader.sampler if batches is None else getattr(batches, "sampler", batches)
    called, count = type(order).__name__, 0
    if called == "SequentialSampler":
        count = len(loader.dataset)
    if not count or [*order] != [*range(count)]:
        raise InputError(
            f"the loader gives its inputs in the order of a {called}, so that none has "
            "a number that stays: give its data set, loader.dataset, or "
            "DataLoader(..., shuffle=False)"
        )
    if getattr(batches, "drop_last", False) and count % batches.batch_size:
        raise InputError(
            f"the loader drops the last {count % batches.batch_size} of {count} "
            "inputs: give its data set, loader.dataset, or drop_last=False"
        )
    if getattr(loader.collate_fn, "__name__", "") in _COLLATED:
        return loader.dataset
    return [item for batch in loader for item in _taken_apart(batch)]


def _taken_apart(batch: Any) -> Sequence[Any]:
    """The items of a batch that a function of the user's made."""
    if isinstance(batch, list | tuple) and len(batch) == 2:
        return [*zip(*batch, strict=True)]
    if not isinstance(batch, ByNumber):
        raise InputError(
            f"the loader's collate_fn gives a {type(batch).__name__}: it should give "
            "inputs, or inputs and labels"
        )
    return [batch[row] for row in range(len(batch))]
