"""Radii computed again from the votes beside them."""

from collections.abc import Iterator

import numpy as np

from simplicert.audit.claims.explained import explanation
from simplicert.audit.claims.printed import cohens, printed_so
from simplicert.audit.claims.subject import Claims, Real, Whole, some
from simplicert.audit.finding import Finding
from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper
from simplicert.mechanisms import neyman_pearson
from simplicert.noises import gaussian

__all__ = ["largest_sound", "recount"]

CHECK = "radii from the votes"


def recount(claims: Claims) -> Iterator[Finding]:
    """Whether any rule that is sound at this alpha gives such radii of these votes."""
    votes = _votes(claims)
    if votes is None or claims.radius is None or not claims.named.any():
        return
    if not gaussian.shares_law(claims.noise) or claims.lacks:
        why = claims.lacks or f"nothing is known here of {claims.noise}"
        yield Finding(check=CHECK, outcome="not checked", says=why)
        return
    _, _, draws = claims.conditions
    assert claims.predicted is not None
    rows = claims.named & (votes >= 0) & (votes <= draws) & (draws > 0)
    rows &= claims.predicted < claims.classes  # the rest is found elsewhere
    if rows.any():
        yield _compared(claims, votes, rows)


def _votes(claims: Claims) -> Whole | None:
    """Of the named class, from their own column or from all classes'."""
    if claims.votes is not None or claims.counts is None or claims.predicted is None:
        return claims.votes
    place = np.clip(claims.predicted, 0, claims.counts.shape[1] - 1)
    return np.asarray(claims.counts[np.arange(len(place)), place])


def _compared(claims: Claims, votes: Whole, rows: np.ndarray) -> Finding:
    sigma, alpha, draws = claims.conditions
    radius, unit = claims.printed
    ours, most = largest_sound(claims, votes, rows)
    lowest, _ = printed_so(radius, unit, sigma=sigma)
    over = rows & (lowest > most)
    beyond = over if over.any() else rows & (lowest > ours)
    count = f"of {int(rows.sum()):,} radii"
    if not beyond.any():
        return Finding(
            check=CHECK,
            outcome="held",
            says=f"none {count} is larger than the votes beside it allow at alpha "
            f"{alpha:g}",
        )
    worst = int(np.argmax(np.where(beyond, radius - ours, -np.inf)))
    than = "any procedure of ours gives of the votes beside them"
    if over.any():
        than = f"any rule that is sound at alpha {alpha:g} gives of their votes"
        if claims.certificate == "cohen":  # of more classes there may be other rules
            than = f"Cohen's certificate, which they are said to be, at alpha {alpha:g}"
            than += " gives of their votes, and than Algorithm 1 does"
    return Finding(
        check=CHECK,
        outcome="falsified" if over.any() else "doubtful",
        says=f"{int(beyond.sum()):,} {count} are larger than {than} "
        f"({some(claims.images(beyond))}): the worst is {radius[worst]:g} of "
        f"{votes[worst]:,} votes of {draws[worst]:,}, of which "
        f"{ours[worst]:.6g} follows. {explanation(claims, votes, beyond)}",
        images=claims.images(beyond),
    )


def largest_sound(claims: Claims, votes: Whole, rows: np.ndarray) -> tuple[Real, Real]:
    """The largest radii of our procedures, and of any sound rule of these votes.

    Of one bound on E0 nothing beats Clopper-Pearson at the whole of alpha: so of two
    classes, and wherever radii are said to be Cohen's. Of more classes a rule may look
    at the runner-up's votes k1, too. But where E0 is the lower bound of k0 at 2 alpha,
    and E1 that of k1 + 1 at alpha, votes as good as these or better have probability
    2 alpha - alpha at least; so a rule that claims more than that radius, and no less
    of better votes, is false too often there. Where only the named class's votes are
    told, an unknown certificate may rest on others: then there is no such number.
    """
    sigma, alpha, draws = claims.conditions
    k, n = np.where(rows, votes, 0), np.where(rows, draws, 1)
    ours = cohens(k, draws=n, sigma=sigma, alpha=alpha)
    if claims.counts is None:
        return ours, ours if claims.certificate == "cohen" else ours + np.inf
    if claims.counts.shape[1] == 2:
        return ours, ours
    others = np.where(rows[:, None], claims.counts, 0)
    others[np.arange(len(k)), np.where(rows, claims.predicted, 0)] = 0  # type: ignore[arg-type]
    second = np.clip(others.max(axis=1), 0, n)
    e0 = clopper_pearson_lower(k, trials=n, alpha=alpha / 2)
    e1 = clopper_pearson_upper(second, trials=n, alpha=alpha / 2)
    ours = np.maximum(ours, neyman_pearson(e0, e1, sigma=sigma))
    if claims.certificate == "cohen":
        return ours, ours
    best = clopper_pearson_lower(k, trials=n, alpha=min(2 * alpha, 0.999))
    least = clopper_pearson_lower(np.minimum(second + 1, n), trials=n, alpha=alpha)
    return ours, np.maximum(ours, neyman_pearson(best, least, sigma=sigma))
