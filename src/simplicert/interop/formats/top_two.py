"""The counts of the two classes with most votes, and how many draws there were."""

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from simplicert.errors import InputError
from simplicert.interop.format import (
    Asked,
    Counts,
    Format,
    Match,
    noise_of,
    stated_number,
)
from simplicert.interop.formats.counts import (
    MOST_CELLS,
    MOST_CLASSES,
    OPTIONS,
    image_numbers,
    without,
)
from simplicert.interop.roles import key, numbered, roles_of
from simplicert.interop.table import Table, numbers, whole

__all__ = ["top_two"]

_WORDS = {
    "first": "na n1 c1 k1 counta count1 top1count counttop1 top1votes topcount "
    "topvotes firstcount first votes1 v1 counttop nfirst ntop ntop1 maxcount",
    "second": "nb n2 c2 k2 countb count2 top2count counttop2 top2votes runnerupcount "
    "runnerupvotes secondcount second votes2 v2 countrunnerup runnerup "
    "nsecond nrunnerup ntop2",
    "first class": "top1 class1 classa ca topclass firstclass top1class cahat top "
    "predict predicted prediction pred predclass predictedclass class1st",
    "second class": "top2 class2 classb cb runnerupclass secondclass top2class cbhat",
}
_PARTS = {word: part for part, words in _WORDS.items() for word in words.split()}


def _parts(table: Table) -> dict[str, str]:
    """Columns by what they are here."""
    if not table.named:
        return {}
    found = {_PARTS[key(n)]: n for n in reversed(table.names) if key(n) in _PARTS}
    if draws := roles_of(table.names).get("draws"):
        found["draws"] = draws[0]
    return found


def _match(table: Table, asked: Asked) -> Match:
    parts = _parts(table)
    if not {"first", "second"} <= set(parts):
        return Match(0, ("'count1'", "'count2'"))
    series = _series(table, parts)
    falling = bool((np.diff(series, axis=1) <= 0).all())
    if not falling and (
        series.shape[1] > 2 or len(series) > 1 == 1 + np.ptp(series.sum(axis=1))
    ):
        return Match(0)  # columns of classes, in their own order
    said = "draws" in parts or "draws" in table.stated or asked.draws is not None
    if not said:
        return Match(3 if "first class" in parts else 1, ("'n'",))
    if "first class" in parts:
        return Match(5)
    # Classes of their own may be called so: then they have all draws.
    try:
        draws = stated_number(table, "draws", asked.draws)
    except InputError:
        return Match(0)
    some = draws is not None and bool((series.sum(axis=1) < draws).any())
    return Match(5 if some and falling else 0)


def _series(table: Table, parts: dict[str, str]) -> Float[np.ndarray, "images columns"]:
    """The votes of the two, and those in columns numbered as theirs are: ``count3``."""
    pair = [parts["first"], parts["second"]]
    more = [n for n in table.names if n not in pair and numbered([*pair, n])]
    return np.stack([numbers(table.frame[name]) for name in (*pair, *more)], axis=1)


def _read(table: Table, asked: Asked) -> Counts:
    """Votes for two classes an image; the others' draws count for none.

    Which is sound: bounds of the top class and of the runner-up rest on their counts
    and on the number of draws, and each other class, having no more votes than the
    second, has no higher bound. Lumped together the others could seem a runner-up, or
    even the top class, that is none.

    Raises:
        InputError: The second has more votes than the first, both have more than were
            drawn, or the second none while there are others.
    """
    table.check_whole()
    table = without(table, asked.ignore_column)
    parts, frame, path = _parts(table), table.frame, table.path
    first, second = (
        whole(frame[parts[n]], parts[n], path) for n in ("first", "second")
    )
    number = stated_number(table, "draws", asked.draws)
    if number is None:
        raise InputError(f"{path} does not say how many draws there were: give --draws")
    draws = int(number)
    rest = draws - first - second
    for rule, broken in (
        ("the second class has more votes than the first", second > first),
        (f"both classes have more than {draws:,} votes", rest < 0),
        ("the second class has no votes, and others have", (second == 0) & (rest > 0)),
        (
            f"column {parts['second']} is not the runner-up: another has more votes",
            (_series(table, parts)[:, 2:] > second[:, None]).any(axis=1),
        ),
    ):
        if broken.any():
            raise InputError(f"{path}, row {int(np.argmax(broken))}: {rule}")
    notes = [
        *table.notes,
        "the file has the votes of two classes an image: those of the others, none of "
        "which has more than the second, are left out and count for no class",
    ]
    roles = roles_of(table.names)
    label = asked.label_column or next(iter(roles.get("label", [])), None)
    indices, _ = image_numbers(table, roles.get("index", []), [], notes)
    named = "first class" in parts
    labels = None
    if named and label is not None:
        labels = whole(frame[label], label, path)
    elif label is not None:
        notes.append("the labels are left out: nothing says which class has the votes")
    counts, names = _placed(
        frame, parts, first=first, second=second, labels=labels, path=path
    )
    return Counts(
        counts=counts,
        draws=draws,
        indices=indices,
        labels=labels,
        class_names=names,
        sigma=stated_number(table, "sigma", asked.sigma),
        noise=noise_of(table, asked),
        notes=tuple(notes),
    )


def _placed(
    frame: pd.DataFrame,
    parts: dict[str, str],
    *,
    first: Int[np.ndarray, " images"],
    second: Int[np.ndarray, " images"],
    labels: Int[np.ndarray, " images"] | None,
    path: object,
) -> tuple[Int[np.ndarray, "images classes"], list[str] | None]:
    rows = np.arange(len(frame))
    if "first class" not in parts:
        return np.stack([first, second], axis=1), ["the first", "the second"]
    top = whole(frame[parts["first class"]], parts["first class"], path)  # type: ignore[arg-type]  # a path
    known = [top] if labels is None else [top, labels]
    if "second class" in parts:
        runner_up = whole(frame[parts["second class"]], parts["second class"], path)  # type: ignore[arg-type]  # a path
        known.append(runner_up)
    classes = max(int(each.max()) for each in known) + 1
    if classes > MOST_CLASSES or classes * len(frame) > MOST_CELLS:
        raise InputError(
            f"{path}: {len(frame):,} images of {classes:,} classes are too many to hold"
        )
    names = None
    if "second class" not in parts:  # a class that is not known, but none of them
        names = [*map(str, range(classes)), "the runner-up, whichever it is"]
        runner_up = np.full(len(frame), classes)
        classes += 1
    if (same := runner_up == top).any():
        raise InputError(
            f"{path}, row {int(np.argmax(same))}: both classes are {top[same][0]}"
        )
    counts = np.zeros((len(frame), max(classes, 2)), dtype=np.int64)
    counts[rows, top] = first
    counts[rows, runner_up] = second
    return counts, names


top_two = Format(
    "top_two", "counts of the two classes with most votes", OPTIONS, _match, _read
)
