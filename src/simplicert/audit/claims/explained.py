"""Which mistake gives radii that no sound rule gives."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.special import betainc, ndtr, ndtri

from simplicert.audit.claims.printed import printed_so
from simplicert.audit.claims.subject import Claims, Real, Whole
from simplicert.bounds import clopper_pearson_lower

__all__ = ["explanation"]

_MOST = 0.99
"""Share of these radii that an explanation must give, to their last digit."""


def explanation(claims: Claims, votes: Whole, rows: np.ndarray) -> str:
    """What reproduces the radii of these rows, which no sound rule gives."""
    sigma, alpha, draws = claims.conditions
    radius, unit = claims.printed
    n = draws[rows]
    low, high = printed_so(radius[rows], unit[rows], sigma=sigma)
    for name, lower in _mistakes(claims, votes[rows], n, rows):
        with np.errstate(divide="ignore", invalid="ignore"):
            theirs = sigma * ndtri(lower)
        told = np.isfinite(theirs)  # of unanimous votes not every formula says one
        fits = ((theirs >= low) & (theirs <= high))[told]
        share = float(fits.mean()) if told.any() else 0.0
        if share >= _MOST:
            return f"They are {name}, to the last digit"
    other = _alpha_of(votes[rows], n, low / sigma, high / sigma, stated=alpha)
    return other or "No mistake that is known here gives them"


def _mistakes(
    claims: Claims, k: Whole, n: Whole, rows: np.ndarray
) -> Iterator[tuple[str, Real]]:
    _, alpha, _ = claims.conditions

    def exact(k: Whole, n: Whole, at: float) -> Real:
        return clopper_pearson_lower(np.minimum(k, n), trials=n, alpha=at)

    yield "the estimates themselves, without a bound", k / n
    for at, said in ((alpha, "alpha"), (alpha / 2, "alpha / 2")):
        for name, bound in _ASYMPTOTIC.items():
            yield (
                f"those of {name} interval at {said}, which is not exact",
                bound(1.0 * k, 1.0 * n, -ndtri(at)),
            )
    yield (
        f"exact at alpha {1 - alpha:g}: the confidence was taken for alpha",
        exact(k, n, 1 - alpha),
    )
    if claims.counts is None:
        return
    survived = np.maximum(claims.counts[rows].sum(axis=1), 1)
    yield (
        "those of the votes divided by the draws that voted for a class, in place of "
        "all draws",
        exact(k, survived, alpha),
    )
    yield (
        "those of the class with most votes, which is not the one that is named",
        exact(claims.counts[rows].max(axis=1), n, alpha),
    )


def _wald(k: Real, n: Real, z: float) -> Real:
    p = k / n
    return np.asarray(p - z * np.sqrt(p * (1 - p) / n))


def _wilson(k: Real, n: Real, z: float) -> Real:
    p = k / n
    spread = z * np.sqrt(p * (1 - p) / n + (z / (2 * n)) ** 2)
    return np.asarray((p + z * z / (2 * n) - spread) / (1 + z * z / n))


def _agresti(k: Real, n: Real, z: float) -> Real:
    return _wald(k + z * z / 2, n + z * z, z)


_ASYMPTOTIC: dict[str, Callable[[Real, Real, float], Real]] = {
    "a Wald (normal)": _wald,
    "a Wilson (score), or Goodman,": _wilson,
    "an Agresti-Coull": _agresti,
}


def _alpha_of(k: Whole, n: Whole, low: Real, high: Real, *, stated: float) -> str:
    """The alpha at which exact bounds give all of these radii; "" if none does.

    The bound of k is at least p from that alpha on at which k or more votes have
    probability alpha where E0 is p.
    """
    least, most = (
        betainc(np.maximum(k, 1), n - np.maximum(k, 1) + 1, ndtr(each))
        for each in (low, high)
    )
    from_, to = float(least.max()), float(most.min())
    if not 0.0 < from_ <= to:
        return ""
    other = np.sqrt(from_ * to)
    return (
        f"They are those of exact bounds at alpha {other:.3g}, {other / stated:.3g} "
        "times what is stated"
    )
