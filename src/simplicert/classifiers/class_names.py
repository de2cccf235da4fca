"""Whether a model and a data set mean the same classes, where both name them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from simplicert.classifiers.adapted import reordered
from simplicert.classifiers.protocol import Classifier
from simplicert.data import Dataset
from simplicert.errors import InputError

_OTHER_WORDS = 0.05
"""Most of the classes that may be called otherwise, where all others agree."""

_SHOWN = 4


def in_order_of(
    classifier: Classifier, class_names: Sequence[str], *, source: str
) -> Classifier:
    """The classifier with its classes in the order of a data set's.

    Names are compared without case, punctuation and underscores, and one of the
    synonyms between commas is enough. Names that are numbers or codes, as ``LABEL_0``,
    ``7`` or ``n01440764``, say nothing about the order of other names, and those that
    only count the classes nothing at all.

    Args:
        classifier: Whose names, if it has any, are compared.
        class_names: The data set's; may be empty.
        source: Name of the data set, for messages.

    Returns:
        The classifier itself where the names agree or are not known; the same with its
        classes in the other order where that is all that differs.

    Raises:
        InputError: They name different classes.
    """
    theirs = classifier.class_names
    if len(theirs) != len(class_names):
        return classifier  # how many there really are is asked the model
    if any(map(_say_nothing, (theirs, class_names))) and (
        {*theirs} != {*class_names} or any(map(_count, (theirs, class_names)))
    ):
        return classifier
    there, here = [*map(_names, theirs)], [*map(_names, class_names)]
    apart = [k for k, both in enumerate(there) if both.isdisjoint(here[k])]
    if not apart:
        return classifier
    order = _order(there, here)
    if order is not None:
        return reordered(classifier, order=order, class_names=class_names)
    # What is called otherwise in one place, and is nowhere else, is a matter of words.
    moved = any(not there[j].isdisjoint(here[k]) for j in apart for k in apart)
    if not moved and len(apart) <= _OTHER_WORDS * len(here):
        return classifier
    shown = ", ".join(
        f"{k}: {theirs[k]!r} and {class_names[k]!r}" for k in apart[:_SHOWN]
    )
    more = f", and {len(apart) - _SHOWN} more" if len(apart) > _SHOWN else ""
    raise InputError(
        f"{classifier.name} and {source} name different classes ({shown}{more}): they "
        "do not belong together. If these are the same in other words, name the model "
        "by a function of yours that returns its module, which has no names: "
        "file.py:function"
    )


def in_classes_of(dataset: Dataset, classifier: Classifier) -> Dataset:
    """The data set with all classes of a classifier, if it has some of them only.

    A table of a few rows has the names of a few classes, and numbers those.
    """
    ours, theirs = dataset.class_names, classifier.class_names
    if not {*ours} < {*theirs} or _say_nothing(ours):
        return dataset
    if any(theirs.count(name) > 1 for name in ours):  # which of the two is not told
        return dataset
    number = np.array([theirs.index(name) for name in ours])
    labels = dataset.labels
    return replace(
        dataset,
        class_names=theirs,
        labels=None if labels is None else number[labels],
    )


def _say_nothing(names: Sequence[str]) -> bool:
    return all(re.fullmatch(r"[^\W\d]*[\W_]*\d+", name.strip()) for name in names)


def _count(names: Sequence[str]) -> bool:
    """Whether they are no more than each class's number, from 0 or from 1."""
    numbers = [int(re.sub(r"\D", "", name) or -1) for name in names]
    return numbers in ([*range(len(names))], [*range(1, len(names) + 1)])


def _names(name: str) -> set[str]:
    """The name and its synonyms, plainly written."""
    name = unicodedata.normalize("NFKC", name)  # a Mac's folders are decomposed
    written = (re.sub(r"[\W_]+", " ", each) for each in (name, *name.split(",")))
    return {each.strip().casefold() for each in written} - {""} or {name}


def _order(there: Sequence[set[str]], here: Sequence[set[str]]) -> list[int] | None:
    """For each class here its number there; ``None`` if some have no or several."""
    places: dict[str, set[int]] = {}
    for k, names in enumerate(there):
        for name in names:
            places.setdefault(name, set()).add(k)
    found = [set().union(*(places.get(n, set()) for n in names)) for names in here]
    if not all(len(each) == 1 for each in found):
        return None
    order = [each.pop() for each in found]
    return order if len(set(order)) == len(order) else None
