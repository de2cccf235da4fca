"""Tables of certificates: every bound and radius from what stands beside it."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import Bool
from scipy.special import ndtri

from simplicert import paper
from simplicert.audit.claims.subject import ABSTAINS, Claims, Real, Whole
from simplicert.audit.finding import Finding
from simplicert.interop.table import numbers
from simplicert.mechanisms.catalogue import applying
from simplicert.procedures import PROCEDURES, Intervals, Procedure, largest_e0_lower
from simplicert.votes import Votes

__all__ = ["certificates"]

_SLACK = 1e-9
"""Relative; two libraries' quantiles differ by less, and a vote makes far more."""

BOUNDS, RADII, CLASSES = (
    f"{what} of certificates" for what in ("bounds", "radii", "classes")
)


def certificates(claims: Claims) -> Iterator[Finding]:
    """Whether the procedure, alpha, sigma and mechanisms that are stated give this."""
    table = claims.table
    if table is None:
        return
    names = {*table["procedure"].astype(str)}
    draws = claims.draws
    if claims.sigma is None or claims.alpha is None or len(names) > 1 or draws is None:
        says = "sigma, alpha and procedure must be one in all rows, and draws be there"
        yield Finding(check=BOUNDS, outcome="doubtful", says=says)
        return
    name = names.pop()
    legal = 0 < claims.alpha < 1 and 0 < claims.sigma <= 1e6 and (draws > 0).all()
    if not legal:
        says = f"sigma {claims.sigma:g}, alpha {claims.alpha:g} or draws cannot be"
        yield Finding(check=BOUNDS, outcome="falsified", says=says)
        return
    e0, e1, lower, upper = (
        numbers(table[each]) if each in table else np.full(len(table), np.nan)
        for each in ("e0", "e1", "e0_lower", "e1_upper")
    )
    procedure = PROCEDURES.built_in.get(name)
    if procedure is None:
        says = f"{name} is no procedure of ours: give its file, and audit that"
        yield Finding(check=BOUNDS, outcome="not checked", says=says)
    else:
        yield _bounds(claims, procedure, e0, e1, lower, upper)
    statistic = "softmax" if procedure is None else procedure.statistic
    if procedure is not None and procedure.radius_of is not None:
        yield _bounded_itself(claims, procedure, table, e0, e1)
        apart = e0 > e1  # its radius is 0 elsewhere
    else:
        yield _radii(claims, table, lower, upper, statistic)
        apart = lower > upper
    if "top" in table and "runner_up" in table:
        yield _classes(claims, table, apart)


def _bounds(  # noqa: PLR0917 (four columns)
    claims: Claims, procedure: Procedure, e0: Real, e1: Real, lower: Real, upper: Real
) -> Finding:
    """Bounds from the estimates, by the procedure that is stated."""
    _, alpha, n = claims.conditions
    distinct, at = np.unique(n, return_inverse=True)
    limits = [
        largest_e0_lower(procedure, draws=d, alpha=alpha) for d in distinct.tolist()
    ]
    limit = np.array(limits)[at]
    bad = (lower > np.maximum(limit, 0.5) * (1 + _SLACK)) | (lower > e0 * (1 + _SLACK))
    if not procedure.separate:  # else other draws chose the class
        bad |= e1 > e0
    bad |= ~((lower >= 0) & (upper >= 0) & (lower + upper <= 1 + _SLACK))
    for each in (e0, e1, e0 + e1):  # NaN: a log has not said it
        bad |= (each < 0) | (each > 1 + _SLACK)
    if procedure.separate:  # its bounds do not look at the runner-up
        e1 = np.where(np.isnan(e1), 0.0, e1)
    told = ~bad & ~np.isnan(e0 + e1)
    told &= not {"score_squares", "margins"} & {*procedure.columns}
    if told.any():
        again = _again(procedure, e0[told], e1[told], n[told], alpha)
        closer = lower[told] > again.e0_lower * (1 + _SLACK)
        bad[told] |= closer | (upper[told] < again.others_upper * (1 - _SLACK) - _SLACK)
        if procedure.statistic == "multinomial":
            votes = np.stack([e0[told], e1[told]]) * n[told]
            bad[told] |= (np.abs(votes - np.round(votes)) > 1e-3).any(axis=0)
    by = f"by {procedure.name} at alpha {alpha:g}"
    if bad.any():
        wrong = f"they are not those {by}, or closer"
        return claims.of_rows(BOUNDS, "falsified", bad, wrong)
    if not told.any():
        says = f"only the largest that {procedure.name} can give: of the bounds what "
        says += "they rest on is not in the table"
        return Finding(check=BOUNDS, outcome="not checked", says=says)
    says = f"{int(told.sum()):,} of {len(told):,} rows, {by}: none is closer"
    return Finding(check=BOUNDS, outcome="held", says=says)


def _again(
    procedure: Procedure, e0: Real, e1: Real, n: Whole, alpha: float
) -> Intervals:
    """What the procedure says of such estimates of two classes, and a third one's."""
    sums = np.stack([e0 * n, e1 * n, np.zeros(len(n))], axis=1)
    counts = np.round(sums).astype(np.int64)
    if procedure.statistic != "multinomial":
        counts = np.zeros_like(counts)
    chosen = np.zeros_like(counts)
    chosen[:, 0] = n

    def votes(counts: np.ndarray) -> Votes:
        return Votes(
            counts=counts,
            score_sums=sums,
            score_squares=np.minimum(sums, sums * sums / n[:, None] + 1e-9),
            draws=n,
            indices=np.arange(len(n)),
            sigma=1.0,
            source={},
        )

    found = votes(counts).chosen_by(votes(chosen))
    return procedure.intervals(found, alpha)


def _radii(
    claims: Claims, table: pd.DataFrame, lower: Real, upper: Real, statistic: str
) -> Finding:
    """Each mechanism's column from the bounds, as its theorem has it."""
    assert claims.sigma is not None
    ours = applying(claims.noise, statistic)
    legal = (lower >= 0) & (lower <= 1) & (upper >= 0) & (upper <= 1)
    low, high = np.where(legal, lower, 0.0), np.where(legal, upper, 1.0)
    values = {
        name: each(low, high, sigma=claims.sigma)
        for name, each in ours.items()
        if name != "ensemble"
    }
    members = [n for n in paper.ENSEMBLES.get(statistic, ()) if n in values] or values
    if members:
        values["ensemble"] = np.max([values[name] for name in members], axis=0)
    checked = []
    for name in table.columns:
        if name not in values:
            continue
        checked.append(name)
        radius = numbers(table[name])
        bad = ~((radius >= 0) & (radius <= values[name] * (1 + _SLACK)))
        if bad.any():
            wrong = f"the column {name} is no radius that its bounds give at sigma "
            wrong += f"{claims.sigma:g}"
            return claims.of_rows(RADII, "falsified", bad, wrong)
    if not checked:
        says = "no column is a mechanism of ours that has a proof for these"
        return Finding(check=RADII, outcome="not checked", says=says)
    says = f"the columns {', '.join(checked)}: none exceeds what its bounds give"
    return Finding(check=RADII, outcome="held", says=says)


def _bounded_itself(
    claims: Claims, procedure: Procedure, table: pd.DataFrame, e0: Real, e1: Real
) -> Finding:
    """The column of a procedure's one mechanism, from the estimates."""
    sigma, alpha, n = claims.conditions
    name = procedure.radius_of
    if name not in table:
        says = f"no column is {name}, whose radius {procedure.name} bounds"
        return Finding(check=RADII, outcome="not checked", says=says)
    told = (e0 >= e1) & (e1 >= 0) & (e0 + e1 <= 1 + _SLACK)  # false for NaN
    largest = np.zeros(len(table))
    if "margins" in procedure.columns:  # of which the table says nothing
        distinct, at = np.unique(n, return_inverse=True)
        agreed = [
            largest_e0_lower(procedure, draws=d, alpha=alpha) for d in distinct.tolist()
        ]
        largest = np.maximum(ndtri(np.array(agreed)), 0.0)[at] * sigma
    elif told.any():
        again = _again(procedure, e0[told], e1[told], n[told], alpha)
        assert again.radius is not None
        largest[told] = again.radius * sigma
    radius = numbers(table[name])
    bad = ~((radius >= 0) & (radius <= largest * (1 + _SLACK)))
    if bad.any():
        wrong = f"the column {name} is not what {procedure.name} gives at alpha "
        return claims.of_rows(
            RADII, "falsified", bad, f"{wrong}{alpha:g}, or is larger"
        )
    says = f"the column {name}: none exceeds what {procedure.name} gives at alpha "
    return Finding(check=RADII, outcome="held", says=f"{says}{alpha:g}")


def _classes(
    claims: Claims, table: pd.DataFrame, apart: Bool[np.ndarray, " rows"]
) -> Finding:
    """The class that is named was bounded, and is above every other."""
    assert claims.predicted is not None
    top, second = numbers(table["top"]), numbers(table["runner_up"])
    named = claims.predicted != ABSTAINS
    bad = named & ((claims.predicted != top) | (top == second))
    if bad.any():
        wrong = "the class named is not the one that was bounded"
        return claims.of_rows(CLASSES, "falsified", bad, wrong)
    if (bad := named & ~apart).any():
        wrong = "a class is named that may not be the first"
        return claims.of_rows(CLASSES, "falsified", bad, wrong)
    says = f"{int(named.sum()):,} classes named, each the one whose bounds these are"
    return Finding(check=CLASSES, outcome="held", says=says)
