"""Radii without votes: of n draws only n + 1 can arise."""

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr

from simplicert.audit.claims.printed import cohens, printed_so
from simplicert.audit.claims.subject import Claims, some
from simplicert.audit.finding import Finding
from simplicert.bounds import clopper_pearson_counts

__all__ = ["lattice"]

CHECK = "radii that votes can give"

_COARSE = 0.25
"""Of the distance between two votes' radii: how wide what prints alike may be. A radius
that is no vote's then prints as one with at most this probability, by chance."""

_OTHERS = (0.1, 0.05, 0.01, 0.005, 0.001, 0.0005, 0.0001, 1e-5, 1e-6)


def lattice(claims: Claims) -> Iterator[Finding]:
    """Whether each radius is one that some number of votes gives, where digits tell."""
    told = claims.votes is not None or claims.counts is not None
    if claims.radius is None or told or not claims.named.any():
        return
    if claims.certificate != "cohen" or claims.lacks:
        why = claims.lacks or "the radii are not said to be Cohen's, of one bound"
        yield Finding(check=CHECK, outcome="not checked", says=why)
        return
    sigma, alpha, _ = claims.conditions
    fits, tells = _fits(claims, alpha)
    if not tells.any():
        yield Finding(
            check=CHECK,
            outcome="not checked",
            says=f"the {int(claims.named.sum()):,} radii have too few digits: what "
            "prints alike spans the radii of several votes, or a large part of one's. "
            "More digits would tell",
        )
        return
    off = tells & ~fits
    what = f"{int(tells.sum()):,} of {int(claims.named.sum()):,} radii"
    if not off.any():
        yield Finding(
            check=CHECK,
            outcome="held",
            says=f"the digits of {what} tell one number of votes from the next, and "
            f"all of these are the radius of one at alpha {alpha:g}",
        )
        return
    yield Finding(
        check=CHECK,
        outcome="doubtful",
        says=f"the digits of {what} tell one number of votes from the next, and "
        f"{int(off.sum()):,} of these are the radius of none at sigma "
        f"{sigma:g} and alpha {alpha:g} ({some(claims.images(off))})"
        f"{_other_alpha(claims)}",
        images=claims.images(off),
    )


def _other_alpha(claims: Claims) -> str:
    _, alpha, _ = claims.conditions
    shares = (alpha / 2, 2 * alpha, 1 - alpha, alpha / len(claims.indices))
    for other in dict.fromkeys((*shares, *_OTHERS)):
        if other != alpha and 1e-12 < other < 1:
            fits, tells = _fits(claims, other)
            if tells.any() and fits[tells].all():
                return f". All are at alpha {other:g}, which would explain them"
    return (
        ". No usual alpha explains all of them: sigma, draws or the certificate may be "
        "others than stated (if it is not Cohen's, say --certificate other)"
    )


def _fits(claims: Claims, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Which radii are those of a count, and of which the digits would tell if not."""
    sigma, _, draws = claims.conditions
    radii, units = claims.printed
    fits = np.zeros(len(radii), dtype=bool)
    tells = fits.copy()
    for n in np.unique(draws[claims.named]).tolist():
        here = claims.named & (draws == n)
        if n < 1:
            continue
        radius, unit = radii[here], units[here]
        low, high = printed_so(radius, unit, sigma=sigma)
        with np.errstate(over="ignore"):  # far beyond the ceiling is far enough
            shares = [ndtr(each / sigma) for each in (low, high)]
        below, most = (
            clopper_pearson_counts(each, trials=n, alpha=alpha) for each in shares
        )
        fits[here] = below < most
        below = np.minimum(below, n - 1)
        its, next_one = (
            cohens(votes, draws=n, sigma=sigma, alpha=alpha)
            for votes in (below, below + 1)
        )
        tells[here] = high - low <= _COARSE * (next_one - its)
    return fits, tells
