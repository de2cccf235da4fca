"""Tables of certificates: every bound and radius from what stands beside it."""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import Bool
from scipy.special import ndtr, ndtri

from simplicert import paper
from simplicert.audit.claims.subject import ABSTAINS, Claims, Real, Whole
from simplicert.audit.finding import Finding
from simplicert.certificates.record import ASYMPTOTIC, CONFIDENCE, NEIGHBOURS
from simplicert.interop.table import numbers
from simplicert.mechanisms.catalogue import applying
from simplicert.procedures import PROCEDURES, Intervals, Procedure, largest_e0_lower
from simplicert.procedures.protocol import NO_GUARANTEE
from simplicert.votes import Votes

__all__ = ["certificates"]

_SLACK = 1e-9
"""Relative; two libraries' quantiles differ by less, and a vote makes far more."""

BOUNDS, RADII, CONFIDENCES, CLASSES, LOOKS, GUARANTEE = (
    f"{what} of certificates"
    for what in ("bounds", "radii", "confidences", "classes", "looks", "guarantee")
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
    shares = np.ones(len(table))
    if "share_of_alpha" in table or np.ptp(draws):
        shares, found = _shares(claims, table, draws)
        yield found
        if found.outcome == "falsified":
            return
    e0, e1, lower, upper = (
        numbers(table[each]) if each in table else np.full(len(table), np.nan)
        for each in ("e0", "e1", "e0_lower", "e1_upper")
    )
    procedure = PROCEDURES.built_in.get(name)
    if _is_asymptotic(table, procedure):
        says = f"{name} {NO_GUARANTEE}"
        yield Finding(check=GUARANTEE, outcome="doubtful", says=says)
    if procedure is None:
        says = f"{name} is no procedure of ours: give its file, and audit that"
        yield Finding(check=BOUNDS, outcome="not checked", says=says)
    else:
        yield _bounds(claims, procedure, e0, e1, lower, upper, shares)
    if NEIGHBOURS in table:  # which name a class where the bounds do not
        says = "they rest on certificates of neighbours, too, which are not in here"
        yield Finding(check=RADII, outcome="not checked", says=says)
        return
    statistic = None if procedure is None else procedure.statistic
    if procedure is not None and procedure.radius_of is not None:
        yield _bounded_itself(claims, procedure, table, e0, e1, shares)
        yield from _confidences(claims, procedure, table, e0 - e1, shares)
        apart = e0 > e1  # its radius is 0 elsewhere
    else:
        yield _radii(claims, table, lower, upper, statistic)
        apart = lower > upper
    if "top" in table and "runner_up" in table:
        yield _classes(claims, table, apart)


def _is_asymptotic(table: pd.DataFrame, procedure: Procedure | None) -> bool:
    """Whether the rows say so, or it is known of the procedure that they name."""
    if procedure is not None and procedure.asymptotic:
        return True
    said = table.get(ASYMPTOTIC, pd.Series(dtype=str)).astype(str).str.lower()
    return bool((~said.isin(("false", "0", ""))).any())


def _shares(claims: Claims, table: pd.DataFrame, draws: Whole) -> tuple[Real, Finding]:
    """What each row has of alpha, where images could stop at looks."""
    if "share_of_alpha" not in table:
        what = "the number of draws is not the same in all rows, and nothing says that "
        what += "it was fixed before the first, or what share of alpha each look has"
        bad = draws != draws[0]
        return np.ones(len(table)), claims.of_rows(LOOKS, "doubtful", bad, what)
    shares = numbers(table["share_of_alpha"])
    bad = ~((shares >= 0) & (shares <= 1))  # NaN, too
    if bad.any():
        wrong = "share_of_alpha is no share"
        return shares, claims.of_rows(LOOKS, "falsified", bad, wrong)
    numbers_of_draws, first = np.unique(draws, return_index=True)
    at_look = shares[first]
    bad = shares != at_look[np.searchsorted(numbers_of_draws, draws)]
    if bad.any():
        wrong = (
            "another share of alpha than other rows of as many draws: a look has one"
        )
        return shares, claims.of_rows(LOOKS, "falsified", bad, wrong)
    total = math.fsum(at_look.tolist())
    says = f"images stopped at {len(first):,} numbers of draws, whose shares of alpha "
    says += f"sum to {total:.6g}"
    if total > 1 + _SLACK:
        says += ": more than there is of it, so that not all bounds hold at once"
        return shares, Finding(check=LOOKS, outcome="falsified", says=says)
    return shares, Finding(check=LOOKS, outcome="held", says=says)


def _bounds(  # noqa: PLR0917 (five columns)
    claims: Claims,
    procedure: Procedure,
    e0: Real,
    e1: Real,
    lower: Real,
    upper: Real,
    shares: Real,
) -> Finding:
    """Bounds from the estimates, by the procedure that is stated."""
    _, alpha, n = claims.conditions
    each_alpha = alpha * shares
    limit = _largest_e0(procedure, n, each_alpha)
    bad = (each_alpha == 0) & (lower > 0)  # no share of alpha bounds nothing
    bad |= (lower > np.maximum(limit, 0.5) * (1 + _SLACK)) | (lower > e0 * (1 + _SLACK))
    if not procedure.separate:  # else other draws chose the class
        bad |= e1 > e0
    bad |= ~((lower >= 0) & (upper >= 0) & (lower + upper <= 1 + _SLACK))
    for each in (e0, e1, e0 + e1):  # NaN: a log has not said it
        bad |= (each < 0) | (each > 1 + _SLACK)
    if procedure.separate:  # its bounds do not look at the runner-up
        e1 = np.where(np.isnan(e1), 0.0, e1)
    told = ~bad & ~np.isnan(e0 + e1) & (each_alpha > 0)
    told &= not {"score_squares", "margins"} & {*procedure.columns}
    told &= not procedure.asymptotic  # they look at the votes of all classes
    early = np.zeros(len(bad), dtype=bool)
    for level in np.unique(each_alpha[told]).tolist():
        here = told & (each_alpha == level)
        again = _again(procedure, e0[here], e1[here], n[here], level)
        closer = lower[here] > again.e0_lower * (1 + _SLACK)
        closer |= upper[here] < again.others_upper * (1 - _SLACK) - _SLACK
        refused = np.False_ if again.refused is None else again.refused
        early[here] = closer & refused
        bad[here] |= closer & ~refused
        if procedure.statistic == "multinomial":
            votes = np.stack([e0[here], e1[here]]) * n[here]
            bad[here] |= (np.abs(votes - np.round(votes)) > 1e-3).any(axis=0)
    by = f"by {procedure.name} {_at_alpha(alpha, shares)}"
    if bad.any():
        wrong = f"they are not those {by}, or closer"
        return claims.of_rows(BOUNDS, "falsified", bad, wrong)
    if early.any():
        close = f"closer than those {by}, which names no class where the first two "
        close += "are so close (docs/bounds.md)"
        return claims.of_rows(BOUNDS, "doubtful", early, close)
    if not told.any():
        says = f"only the largest that {procedure.name} can give: of the bounds what "
        says += "they rest on is not in the table"
        return Finding(check=BOUNDS, outcome="not checked", says=says)
    says = f"{int(told.sum()):,} of {len(told):,} rows, {by}: none is closer"
    return Finding(check=BOUNDS, outcome="held", says=says)


def _again(
    procedure: Procedure, e0: Real, e1: Real, n: Whole, alpha: float
) -> Intervals:
    """What the procedure says of such estimates, if there are no other classes."""
    sums = np.stack([e0 * n, e1 * n], axis=1)
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
    claims: Claims, table: pd.DataFrame, lower: Real, upper: Real, statistic: str | None
) -> Finding:
    """Each mechanism's column from the bounds, as its theorem has it.

    Where nobody knows the statistic, those that are about any, and of the ensemble the
    most that it can be.
    """
    assert claims.sigma is not None
    ours = applying(claims.noise, statistic or "softmax")
    largest = applying(claims.noise, statistic or "multinomial")
    legal = (lower >= 0) & (lower <= 1) & (upper >= 0) & (upper <= 1)
    low, high = np.where(legal, lower, 0.0), np.where(legal, upper, 1.0)
    every = {
        name: each(low, high, sigma=claims.sigma)
        for name, each in largest.items()
        if name != "ensemble"
    }
    names = paper.ENSEMBLES.get(statistic or "multinomial", ())
    members = [name for name in names if name in every] or every
    values = {name: radius for name, radius in every.items() if name in ours}
    if members:
        values["ensemble"] = np.max([every[name] for name in members], axis=0)
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


def _bounded_itself(  # noqa: PLR0917 (three columns)
    claims: Claims,
    procedure: Procedure,
    table: pd.DataFrame,
    e0: Real,
    e1: Real,
    shares: Real,
) -> Finding:
    """The column of a procedure's one mechanism, from the estimates."""
    sigma, alpha, n = claims.conditions
    name = procedure.radius_of
    if name not in table:
        says = f"no column is {name}, whose radius {procedure.name} bounds"
        return Finding(check=RADII, outcome="not checked", says=says)
    levels = alpha * shares
    told = (e0 >= e1) & (e1 >= 0) & (e0 + e1 <= 1 + _SLACK)  # false for NaN
    told &= levels > 0  # no share of alpha bounds nothing
    largest = np.zeros(len(table))
    if "margins" in procedure.columns:  # of which the table says nothing
        largest[told] = _most(procedure, n[told], levels[told]) * sigma
    else:
        for level in np.unique(levels[told]).tolist():
            here = told & (levels == level)
            again = _again(procedure, e0[here], e1[here], n[here], level)
            assert again.radius is not None
            largest[here] = again.radius * sigma
    radius = numbers(table[name])
    bad = ~((radius >= 0) & (radius <= largest * (1 + _SLACK)))
    gives = f"what {procedure.name} gives {_at_alpha(alpha, shares)}"
    if bad.any():
        wrong = f"the column {name} is not {gives}, or is larger"
        return claims.of_rows(RADII, "falsified", bad, wrong)
    says = f"the column {name}: none exceeds {gives}"
    return Finding(check=RADII, outcome="held", says=says)


def _confidences(
    claims: Claims, procedure: Procedure, table: pd.DataFrame, ahead: Real, shares: Real
) -> Iterator[Finding]:
    """The columns of confidences, from the radii, the estimates and the draws.

    A bet that gains is one that gains in the mean, so that none exceeds what the class
    is ahead in the draws; and draws that all agree leave this of theirs.
    """
    sigma, alpha, n = claims.conditions
    levels = alpha * shares
    most = _most(procedure, n, levels)
    columns = [name for name in table.columns if name.startswith(CONFIDENCE)]
    for name in columns:
        within = float(pd.to_numeric(name.removeprefix(CONFIDENCE), errors="coerce"))
        confidence, radius = numbers(table[name]), numbers(table[procedure.radius_of])
        limit = np.minimum(ahead, 2.0 * ndtr(most - within / sigma) - 1.0)
        limit = np.where((levels > 0) & (radius > 0) & (radius >= within), limit, 0.0)
        bad = ~((confidence >= 0) & (confidence <= np.maximum(limit, 0.0) + _SLACK))
        if bad.any():
            wrong = f"the column {name} is more than the radius, the estimates and so "
            wrong += "many draws allow"
            yield claims.of_rows(CONFIDENCES, "falsified", bad, wrong)
            return
    if columns:
        says = f"columns: {len(columns):,}, none more than the radii, the estimates "
        says += f"and the draws allow {_at_alpha(alpha, shares)}"
        yield Finding(check=CONFIDENCES, outcome="held", says=says)


def _largest_e0(procedure: Procedure, n: Whole, levels: Real) -> Real:
    """The largest lower bound that so many draws give at each row's level."""
    distinct, at = np.unique(np.stack([n, levels], axis=1), axis=0, return_inverse=True)
    limits = [
        largest_e0_lower(procedure, draws=int(d), alpha=level) if level > 0 else 0.0
        for d, level in distinct.tolist()
    ]
    largest: Real = np.array(limits)[at.ravel()]
    return largest


def _most(procedure: Procedure, n: Whole, levels: Real) -> Real:
    """What so many draws that all agree certify, in units of sigma."""
    most: Real = np.maximum(ndtri(_largest_e0(procedure, n, levels)), 0.0)
    return most


def _at_alpha(alpha: float, shares: Real) -> str:
    each = ", each at its look's share of it" if (shares != 1).any() else ""
    return f"at alpha {alpha:g}{each}"


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
