"""Certification logs in the layout of Cohen et al.: ``idx label predict radius …``."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from simplicert.errors import InputError
from simplicert.interop.counts_table import LARGEST_WHOLE
from simplicert.interop.recover import (
    counts_from_radii,
    largest_radius,
    printed_units,
)
from simplicert.interop.reported import LogConditions, ReportedLog, broken_row

__all__ = ["is_cohen_log", "read_cohen_log"]

COLUMNS = ("idx", "label", "predict", "radius", "correct")


def is_cohen_log(text: str) -> bool:
    """Whether a file's first line names a column ``idx`` and others of the layout."""
    first = text.lstrip().split("\n", 1)[0].split()
    return "idx" in first and bool({"predict", "radius", "correct"} & set(first))


def read_cohen_log(
    path: Path, *, sigma: float, draws: int, alpha: float
) -> ReportedLog:
    """Read a log; the conditions are not in it and must be given as published.

    For each radius the counts are found that Cohen's procedure (one Clopper-Pearson
    bound at ``alpha``, ``sigma * ndtri``) would print so. If that is one count in every
    row, the log is as good as its counts; if not, the radii are *reported, not
    re-derivable*. Notes say which, and what else is wrong with the log.

    Args:
        path: Tab-separated text.
        sigma: Noise standard deviation, in input units.
        draws: Draws behind each radius (``N``, not counting ``N0``).
        alpha: Failure probability of each row.

    Raises:
        InputError: A missing column, or a row that no certification can have written.

    References:
        https://github.com/locuslab/smoothing, ``code/certify.py``.
    """
    frame = _read_frame(path)
    radius, unit = _radii(frame, path)
    indices, labels, predicted = (
        _integers(frame, name, path) for name in ("idx", "label", "predict")
    )
    _check_rows(indices, labels, predicted, radius, path)
    named = radius > 0
    fewest = np.zeros(len(frame), dtype=np.int64)
    most = np.zeros(len(frame), dtype=np.int64)
    fewest[named], most[named] = counts_from_radii(
        radius[named], unit[named], sigma=sigma, draws=draws, alpha=alpha
    )
    limit = largest_radius(sigma=sigma, draws=draws, alpha=alpha)
    notes = [
        *_correct_notes(frame["correct"], predicted == labels, path),
        *_limit_notes(radius, unit, limit, draws=draws, alpha=alpha),
        *_recovery_notes(fewest[named], most[named]),
    ]
    conditions = LogConditions(
        sigma=sigma,
        draws=draws,
        alpha=alpha,
        source=path.name,
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
        notes=notes,
    )
    return ReportedLog(
        conditions=conditions,
        indices=indices,
        labels=labels,
        predicted=predicted,
        radius=radius,
        unit=unit,
        fewest=fewest,
        most=most,
    )


def _read_frame(path: Path) -> pd.DataFrame:
    # As text: how many digits a radius was printed with is evidence.
    try:
        frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    except ValueError as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} is not tab-separated text ({reason})") from error
    if not isinstance(frame.index, pd.RangeIndex):  # pandas took a column as names
        raise InputError(f"{path}: its rows have more fields than its header")
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise InputError(
            f"{path} has no column {', '.join(missing)}; Cohen's certification logs "
            f"have {', '.join(COLUMNS)}, separated by tabs"
        )
    if frame.empty:
        raise InputError(f"{path} holds no rows")
    return frame


def _radii(
    frame: pd.DataFrame, path: Path
) -> tuple[Float[np.ndarray, " images"], Float[np.ndarray, " images"]]:
    radius = pd.to_numeric(frame["radius"], errors="coerce").to_numpy(np.float64)
    bad = ~(np.isfinite(radius) & (radius >= 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{path}, row {row}: radius {frame['radius'][row]!r} is not a distance"
        )
    unit = np.zeros(len(radius))
    positive = radius > 0
    unit[positive] = printed_units(frame["radius"][positive].tolist())
    return radius, unit


def _integers(frame: pd.DataFrame, name: str, path: Path) -> Int[np.ndarray, " images"]:
    numbers = pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64)
    # Not NaN, not infinite, and exact as a float.
    bad = ~((numbers == np.floor(numbers)) & (np.abs(numbers) < LARGEST_WHOLE))
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{path}, row {row}: {name} {frame[name][row]!r} is not a whole number"
        )
    return numbers.astype(np.int64)


def _check_rows(
    indices: Int[np.ndarray, " images"],
    labels: Int[np.ndarray, " images"],
    predicted: Int[np.ndarray, " images"],
    radius: Float[np.ndarray, " images"],
    path: Path,
) -> None:
    broken = broken_row(indices, labels, predicted, radius)
    if broken is not None:
        row, rule = broken
        raise InputError(f"{path}, row {row} (idx {indices[row]}): {rule}")


def _correct_notes(
    column: pd.Series, correct: Bool[np.ndarray, " images"], path: Path
) -> list[str]:
    """``correct`` is redundant, and wrong in a way that is known in published logs."""
    stated = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    if np.array_equal(stated, correct):
        return []
    if np.array_equal(stated, np.cumsum(correct)):
        return [
            "column correct is a running total, a known bug of published logs: it was "
            "ignored and correct taken from predict and label"
        ]
    row = int(np.argmax(stated != correct))
    raise InputError(
        f"{path}, row {row}: correct is {column[row]!r} but predict "
        f"{'is' if correct[row] else 'is not'} the label, and the column is no running "
        "total either: the log contradicts itself"
    )


def _limit_notes(
    radius: Float[np.ndarray, " images"],
    unit: Float[np.ndarray, " images"],
    limit: float,
    *,
    draws: int,
    alpha: float,
) -> list[str]:
    """What radii beyond that of unanimous votes say of the log."""
    above = radius > limit
    beyond = radius - 0.5 * unit > limit * (1 + 1e-9)
    allowed = f"{limit:.6f}, all that {draws:,} draws allow at alpha {alpha:g}"
    if beyond.any():
        return [
            f"{int(beyond.sum())} radii, up to {radius.max():g}, exceed {allowed}, by "
            "more than rounding: sigma, draws or alpha is not as the log was made"
        ]
    if above.any():
        return [
            f"{int(above.sum())} radii exceed {allowed}: they were rounded up in print"
        ]
    return []


def _recovery_notes(
    fewest: Int[np.ndarray, " named"], most: Int[np.ndarray, " named"]
) -> list[str]:
    unique, none = int((fewest == most).sum()), int((fewest > most).sum())
    if unique == len(fewest):
        return []
    note = (
        "radii are reported, not re-derivable: their digits determine the count in "
        f"{unique:,} of {len(fewest):,} certified rows"
    )
    if none:
        note += f", and in {none:,} no count gives the radius"
    return [
        f"{note}. Each counts for a unit of its last digit less, and for no more than "
        "unanimous votes give; other alphas and mechanisms need the votes"
    ]
