"""The votes behind a log's radii, as far as the log has them."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from simplicert.bounds import clopper_pearson_lower
from simplicert.errors import InputError
from simplicert.interop.log_rows import LogRows, units_of
from simplicert.interop.recover import (
    counts_from_bounds,
    counts_from_radii,
    largest_radius,
)
from simplicert.interop.reported import LogConditions
from simplicert.interop.table import Table, numbers, whole
from simplicert.mechanisms import cohen

__all__ = ["votes_of"]


Votes = Int[np.ndarray, " images"]


def votes_of(
    table: Table,
    columns: Mapping[str, str],
    rows: LogRows,
    conditions: LogConditions,
    notes: list[str],
) -> tuple[Votes, Votes, LogRows]:
    """The fewest and most votes of each row's class; and the rows, with their radii.

    Raises:
        InputError: The radii are not Cohen's, or not those of the votes beside them.
    """
    nothing = np.zeros(len(rows.radius), dtype=np.int64)
    if conditions.certificate == "other":
        notes.append(
            "the radii are not of Cohen's certificate, and kept as reported: no other "
            "alpha or mechanism can be had of them"
        )
        return nothing, nothing, rows
    draws, alpha = conditions.draws, conditions.alpha
    fewest, most = nothing.copy(), nothing.copy()
    named = rows.radius > 0
    if conditions.printed:
        notes += _limit_notes(rows, conditions, table.path)
        fewest[named], most[named] = counts_from_radii(
            rows.radius[named],
            rows.unit[named],
            sigma=conditions.sigma,
            draws=draws,
            alpha=alpha,
        )
    if "count" in columns:
        notes.append(f"the votes of the named class are in column {columns['count']}")
        count = _counts(table, columns["count"], rows, draws)
        if conditions.printed:
            advice = f"--ignore-column {columns['radius']}"
            wrong, kept = _held_against(count, fewest, most, rows, conditions)
            notes += _mismatch_notes(
                wrong, count, rows, conditions, table, advice=advice
            )
            count = kept
        fewest = most = count
    elif "bound" in columns:
        bound = np.nan_to_num(numbers(table.frame[columns["bound"]]))
        unit = units_of(table.frame[columns["bound"]], bound)
        few, many = counts_from_bounds(bound, unit, draws=draws, alpha=alpha)
        if conditions.printed:  # what fits both
            fewest = np.where(named, np.maximum(few, fewest), 0)
            most = np.where(named, np.minimum(many, most), 0)
        else:  # no fewer votes than these
            _check_bounds(bound, draws, table, columns["bound"])
            fewest = np.where(rows.predicted >= 0, np.minimum(few, many), 0)
            fewest = most = np.maximum(fewest, 0)
            notes.append(f"the votes are those of the bounds in {columns['bound']}")
    if not conditions.printed:
        lower = clopper_pearson_lower(most, trials=draws, alpha=alpha)
        rows = replace(rows, radius=cohen(lower, 1.0 - lower, sigma=conditions.sigma))
    else:
        notes += _recovery_notes(fewest[named], most[named])
    return fewest, most, rows


def _check_bounds(
    bound: Float[np.ndarray, " images"], draws: int, table: Table, name: str
) -> None:
    """Shares of the votes are no bounds, and larger; a bound is not k / n in all rows.

    Raises:
        InputError: All are, and no radius beside them says which they are.
    """
    shares = bound[bound > 0] * draws
    if len(shares) and np.allclose(shares, np.round(shares), rtol=0, atol=1e-6):
        raise InputError(
            f"{table.path}: column {name} holds multiples of 1 / {draws:,}, as shares "
            "of the votes are, which are no bounds: give the votes in a column "
            "'count'. (If they are bounds, they were printed to too few digits.)"
        )


def _counts(table: Table, name: str, rows: LogRows, draws: int) -> Votes:
    """The votes of the named class; 0 where there is none."""
    column = table.frame[name].mask(rows.predicted < 0, 0)
    count = whole(column, name, table.path)
    if (wrong := count > draws).any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{table.path}, row {row}: column {name} has {count[row]:,} votes of "
            f"{draws:,} draws"
        )
    return count


def _held_against(
    count: Votes, fewest: Votes, most: Votes, rows: LogRows, conditions: LogConditions
) -> tuple[Bool[np.ndarray, " images"], Votes]:
    """Where the radius is not that of the count; and of the two the fewer votes."""
    named = rows.radius > 0
    lower = clopper_pearson_lower(
        count, trials=conditions.draws, alpha=conditions.alpha
    )
    unsaid = ~named & (lower > 0.5)  # it could be certified, and is not
    wrong = (named & ((count < fewest) | (count > most))) | unsaid
    kept = np.where(named, np.minimum(count, most), count)
    return wrong, np.where(unsaid, 0, kept)


def _mismatch_notes(
    wrong: Bool[np.ndarray, " images"],
    count: Votes,
    rows: LogRows,
    conditions: LogConditions,
    table: Table,
    *,
    advice: str,
) -> list[str]:
    """What radii that are not of the votes beside them say of the log.

    Raises:
        InputError: Most are not: the two are not of one procedure.
    """
    times = int(wrong.sum())
    if 2 * times > max(int((rows.radius > 0).sum()), 1):
        row = int(np.argmax(wrong))
        raise InputError(
            f"{table.path}, row {row}: the radius is not that of {count[row]:,} votes "
            f"of {conditions.draws:,} at sigma {conditions.sigma:g} and alpha "
            f"{conditions.alpha:g}, as in {times:,} rows. Either one of these is not "
            "as the log was made, or the radii are of another certificate: say "
            f"--certificate other to keep them as reported, or {advice} to certify "
            "the votes alone"
        )
    if not times:
        return []
    return [
        "rows in which the radius is not that of the votes, so that the fewer of both "
        f"count: {times:,}"
    ]


def _limit_notes(rows: LogRows, conditions: LogConditions, path: object) -> list[str]:
    """What radii beyond that of unanimous votes say of the log.

    Raises:
        InputError: They are beyond it by more than rounding.
    """
    draws, alpha = conditions.draws, conditions.alpha
    limit = largest_radius(sigma=conditions.sigma, draws=draws, alpha=alpha)
    above = rows.radius > limit
    beyond = rows.radius - 0.5 * rows.unit > limit * (1 + 1e-9)
    allowed = f"{limit:.6f}, all that {draws:,} draws allow at alpha {alpha:g}"
    if beyond.any():
        raise InputError(
            f"{path}: {int(beyond.sum()):,} radii, up to {rows.radius.max():g}, exceed "
            f"{allowed} in Cohen's certificate, by more than rounding. Either sigma, "
            "draws or alpha is not as the log was made, or its radii are of another "
            "certificate: if so, say --certificate other"
        )
    if above.any():
        return [
            f"{int(above.sum())} radii exceed {allowed}: they were rounded up in print"
        ]
    return []


def _recovery_notes(
    fewest: Int[np.ndarray, " named"], most: Int[np.ndarray, " named"]
) -> list[str]:
    """How far the digits of the radii determine the votes."""
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
