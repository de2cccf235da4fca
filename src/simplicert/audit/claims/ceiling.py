"""Radii against the largest that so many draws allow."""

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr

from simplicert.audit.claims.printed import ROUNDING, printed_so
from simplicert.audit.claims.subject import Claims, some
from simplicert.audit.finding import Finding
from simplicert.interop.recover import largest_radius
from simplicert.noises import gaussian

__all__ = ["ceiling"]

CHECK = "radii against the ceiling"


def ceiling(claims: Claims) -> Iterator[Finding]:
    """No rule may claim more of unanimous votes than sigma times this quantile.

    If all n draws agree, a rule that claims E0 > alpha**(1/n) would be false with
    probability above alpha where E0 is a little above that; two classes divided by a
    plane then have the radius sigma * ndtri(E0) exactly.
    """
    if claims.radius is None or not claims.named.any():
        return
    if why := _why_not(claims):
        yield Finding(check=CHECK, outcome="not checked", says=why)
        return
    sigma, alpha, draws = claims.conditions
    distinct, at = np.unique(np.maximum(draws, 1), return_inverse=True)
    limits = [
        largest_radius(sigma=sigma, draws=n, alpha=alpha) for n in distinct.tolist()
    ]
    limit = np.where(draws > 0, np.array(limits)[at], 0.0)
    lowest, _ = printed_so(*claims.printed, sigma=sigma)
    largest = int(np.argmax(np.where(claims.named, claims.radius, -1.0)))
    r, n, most = claims.radius[largest], int(draws[largest]), limit[largest]
    what = f"{most:.6f}, all that {n:,} draws allow at sigma {sigma:g}, alpha {alpha:g}"
    over = claims.named & (lowest > limit)
    if over.any():
        images = claims.images(over)
        yield Finding(
            check=CHECK,
            outcome="falsified",
            says=f"{int(over.sum()):,} of {int(claims.named.sum()):,} radii exceed "
            f"what their draws allow by more than print can ({some(images)}): the "
            f"largest is {r:g}, above {what}"
            f"{_would_do(r, n, alpha=alpha, sigma=sigma)}",
            images=images,
        )
        return
    beyond = claims.radius > limit + ROUNDING * (limit + sigma)
    above = int((claims.named & beyond).sum())
    rounded = f"; {above:,} of them above it were rounded up in print" if above else ""
    yield Finding(
        check=CHECK,
        outcome="held",
        says=f"{int(claims.named.sum()):,} radii, the largest {r:g}, against {what}"
        f"{rounded}",
    )


def _would_do(radius: float, n: int, *, alpha: float, sigma: float) -> str:
    """What the largest radius would take."""
    quantile = min(float(radius), 40.0 * sigma) / sigma
    lacking = float(ndtr(-quantile))
    if not 1e-12 < lacking < 0.5:
        return ""
    needed = np.ceil(np.log(alpha) / np.log1p(-lacking))
    other = np.exp(n * np.log1p(-lacking))
    also = f", or alpha {other:.3g}" if other < 0.999 else ""
    return f". It would take {needed:,.0f} draws{also}"


def _why_not(claims: Claims) -> str:
    if not gaussian.shares_law(claims.noise):
        return f"no ceiling is known here of {claims.noise}"
    if claims.certificate != "cohen":
        return (
            "it is not known what the radii are: what uses more than the votes of one "
            "noise may exceed the ceiling of Cohen's certificate"
        )
    return claims.lacks
