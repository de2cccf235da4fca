"""Counts in long form: a row an image and class."""

from dataclasses import replace

import numpy as np
import pandas as pd

from simplicert.errors import InputError
from simplicert.interop.format import (
    Asked,
    Counts,
    Format,
    Match,
    matched,
    noise_of,
    stated_number,
)
from simplicert.interop.formats.counts import MOST_CELLS, OPTIONS, read_columns, without
from simplicert.interop.roles import roles_of
from simplicert.interop.table import Table, is_number, whole

__all__ = ["long"]

_MOST_CLASSES = 2**15
"""Of numbers below it all are classes, whether they occur or not."""


def _match(table: Table, asked: Asked) -> Match:  # noqa: ARG001 (a format's)
    needs = {
        "'image'": ("index",),
        "'class'": ("label", "predict"),
        "'count'": ("count",),
    }
    match = matched(table, needs=needs)
    if match.lacks:
        return Match(0, match.lacks)
    image = roles_of(table.names)["index"][0]
    if not table.frame[image].duplicated().any():
        return Match(0, ("images of several rows",))
    return Match(5)


def _read(table: Table, asked: Asked) -> Counts:
    """One column a class again; what is not there was not voted for.

    Raises:
        InputError: An image and class twice, or an image with two labels.
    """
    table.check_whole()
    table = without(table, asked.ignore_column)
    roles = roles_of(table.names)
    image, count = roles["index"][0], roles["count"][0]
    labels = [n for n in roles.get("label", []) if n != asked.label_column]
    voted = roles.get("predict", labels[::-1])[0]  # of label and class, class
    label = asked.label_column or next((n for n in labels if n != voted), None)
    frame, path = table.frame, table.path
    if (twice := frame.duplicated([image, voted])).any():
        row = int(np.argmax(twice))
        raise InputError(
            f"{path}, row {row}: image {str(frame[image].iloc[row])!r} has the "
            f"class {str(frame[voted].iloc[row])!r} twice"
        )
    values = frame[voted].astype(str).str.strip()
    classes = list(dict.fromkeys(values))
    if all(map(is_number, classes)):
        ids = whole(frame[voted], voted, path)
        values = pd.Series(ids.astype(str), index=frame.index)
        fit = ids.max() < _MOST_CLASSES
        classes = [str(n) for n in (range(ids.max() + 1) if fit else np.unique(ids))]
    images = list(dict.fromkeys(frame[image]))
    if len(images) * len(classes) > MOST_CELLS:
        raise InputError(
            f"{path}: {len(images):,} images of {len(classes):,} classes are too many "
            "to hold"
        )
    matrix = np.zeros((len(images), max(len(classes), 2)), dtype=np.int64)
    places = (
        pd.Index(images).get_indexer(frame[image]),
        pd.Index(classes).get_indexer(pd.Index(values)),
    )
    matrix[places] = whole(frame[count], count, path)
    names = classes if len(classes) > 1 else [*classes, "another class"]
    wide = pd.DataFrame(matrix, columns=[f"{name}" for name in names])
    wide.insert(0, "", pd.Series(images, dtype=frame[image].dtype))
    if label is not None:
        if (frame.groupby(image)[label].nunique() > 1).any():
            raise InputError(f"{path}: an image has two values in column {label}")
        wide[" label"] = frame.drop_duplicates(image)[label].to_numpy()
    draws = stated_number(table, "draws", asked.draws)
    asked = replace(
        asked, draws=None if draws is None else int(draws), label_column=label
    )
    kept = replace(table, frame=wide)
    found = read_columns(kept, None if label is None else " label", asked)
    sigma = stated_number(table, "sigma", asked.sigma)
    return replace(found, sigma=sigma, noise=noise_of(table, asked))


long = Format("long", "counts with a row an image and class", OPTIONS, _match, _read)
