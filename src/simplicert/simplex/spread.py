"""What scores of the same two means certify, from hard votes to scores that never vary.

A point of the simplex is two means, and says nothing of how they came about. Here the
scores of the first class and of its rival have beta laws with these means, and one
number, the spread, says how far a draw is from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy.special import betaincinv, ndtr

from simplicert.arguments import checked_alpha, checked_trials, real_numbers
from simplicert.bounds import (
    empirical_bernstein_lower,
    empirical_bernstein_upper,
    hoeffding_lower,
    hoeffding_upper,
)
from simplicert.errors import InputError
from simplicert.mechanisms import neyman_pearson
from simplicert.procedures.empirical_bernstein import NAMING
from simplicert.procedures.margins import largest_radius
from simplicert.votes.columns import CELLS

__all__ = ["Spread", "against_spread", "draws_of", "margin_at", "radius_of"]

MEANS = (0.7, 0.2)
"""A point of the simplex where means certify 0.68 sigma and no more, ever."""

SPREADS = (
    *np.linspace(1.0, 0.12, 23).round(2).tolist(),
    *np.linspace(0.1, 0.02, 9).round(2).tolist(),
)
"""From hard votes to nearly none."""

SHOWN = (1.0, 0.4, 0.1)
"""Those of which the distribution of the margin is shown."""

BINS = 32
SHAPE = 100_000
"""Draws that it is shown of."""

PILOT = 1000
"""Draws that choose what the margins' procedure tests."""

REACH = 8.0
"""Of the normal variable: what is beyond has a probability of 1e-15."""

STEP = 1 / 1024
"""Of an integral over it."""

LEAST = 1e-4
"""Spread: with less, scores are a point for all that draws can tell."""

RAREST = 1e-6
"""Mean: rarer classes are as rare as what integrals leave out."""

LARGEST = 8.0
HALVINGS = 40


def margin_at(
    levels: Float[np.ndarray, " levels"], *, e0: float, e1: float, spread: float
) -> Float[np.ndarray, " levels"]:
    """The margin's quantiles: what is exceeded with probability ``1 - levels``.

    The scores have the laws ``Beta(c e0, c (1 - e0))`` and ``Beta(c e1, c (1 - e1))``,
    ``c = 1 / spread - 1``, as those of a Dirichlet law do. So their variances are
    ``spread`` times the largest that their means allow. Spread 1 is hard votes. Of all
    pairs of scores with these two laws it is the pair that certifies least: the second
    falls when the first rises. They sum to at most 1.

    Args:
        levels: Probabilities in (0, 1).
        e0: Mean score of the first class.
        e1: Of the rival; less than ``e0``, and together at most 1.
        spread: From 1e-4 to 1.

    Raises:
        InputError: Means or a spread that are not as said.

    Example:
        >>> levels = np.array([0.1, 0.2, 0.5, 0.9])
        >>> margin_at(levels, e0=0.75, e1=0.125, spread=1.0)
        array([-1.,  0.,  1.,  1.])
        >>> margin_at(levels, e0=0.75, e1=0.125, spread=0.1).round(2)
        array([0.29, 0.43, 0.67, 0.9 ])
    """
    _check(e0, e1, spread)
    if spread == 1.0:  # of beta laws the limit
        return np.asarray((levels > 1.0 - e0) * 1.0 - (levels <= e1))
    mass = 1.0 / spread - 1.0
    first = betaincinv(mass * e0, mass * (1.0 - e0), levels)
    # 1 less the rival's score, so that its quantiles rise as well.
    other = betaincinv(mass * (1.0 - e1), mass * e1, levels)
    return np.asarray(first + other - 1.0)


def radius_of(*, e0: float, e1: float, spread: float) -> float:
    """What such margins certify in the limit of ever more draws, in units of sigma.

    The largest shift after which the mean margin is not negative, by Lemma 1 of
    ``docs/margins.md``: some classifier with these margins has no larger one. Of hard
    votes it is the radius of Neyman and Pearson of the two means; the less spread, the
    larger, and of scores that never vary, infinite.

    Returns:
        At most 8, more than draws can show. By a sum that is no more than the integral,
        so that the radius is less than it says, by ``STEP`` at most.

    Example:
        >>> [round(radius_of(e0=0.7, e1=0.2, spread=s), 2) for s in (1, 0.5, 0.1)]
        [0.68, 0.8, 1.64]
    """
    edges = np.arange(-REACH, REACH + STEP, STEP)
    # The margin rises: at the left ends it is least, and shifting by a step would make
    # them right ends.
    margin = margin_at(ndtr(edges[:-1]), e0=e0, e1=e1, spread=spread)
    positive, negative = 0.0, LARGEST
    for _ in range(HALVINGS):
        radius = 0.5 * (positive + negative)
        mean = float(margin @ np.diff(ndtr(edges + radius)))
        positive, negative = (radius, negative) if mean >= 0 else (positive, radius)
    return positive


def draws_of(
    draws: int, *, e0: float, e1: float, spread: float
) -> Int[np.ndarray, " cells"]:
    """The histogram that so many draws have if none is lucky: one at each quantile."""
    levels = (np.arange(draws) + 0.5) / draws
    margin = margin_at(levels, e0=e0, e1=e1, spread=spread)
    cells = np.floor((margin + 1.0) * (CELLS // 2)).astype(np.int64)
    return np.bincount(np.minimum(cells, CELLS - 1), minlength=CELLS)


@dataclass(frozen=True, kw_only=True, eq=False)
class Spread:
    """What each way to certify gives of the same two means, spread by spread.

    Attributes:
        e0: Mean score of the first class.
        e1: Of its rival.
        draws: That bound; ``PILOT`` more choose what the margins' procedure tests.
        alpha: Failure probability.
        table: One row a spread, from the largest: ``spread``, and radii in units of
            sigma; in the limit of ever more draws ``margins_limit`` and
            ``means_limit``, and of as many draws as are expected ``margins``,
            ``hoeffding`` and ``empirical_bernstein``.
        margins: How the margin is distributed at the spreads ``SHOWN``: one row a bin,
            ``spread``, ``margin_from``, ``margin_to``, ``share``.
    """

    e0: float
    e1: float
    draws: int
    alpha: float
    table: pd.DataFrame
    margins: pd.DataFrame

    def describe(self) -> str:
        """The radii at the spreads that are shown, a line each."""
        lines = [
            f"  spread {row.spread:<4g}  margins {row.margins_limit:.3f}, of "
            f"{self.draws:,} draws {row.margins:.3f}; means {row.means_limit:.3f}, "
            f"Bernstein {row.empirical_bernstein:.3f}, Hoeffding {row.hoeffding:.3f}"
            for _, row in self.table.iterrows()
            if row.spread in SHOWN
        ]
        means = f"mean scores {self.e0:g} and {self.e1:g}"
        return "\n".join([f"{means}, radii in units of sigma", *lines])

    def summary(self) -> dict[str, Any]:
        """All of it but the shapes, ready for JSON."""
        return {
            "e0": self.e0,
            "e1": self.e1,
            "draws": self.draws,
            "pilot": PILOT,
            "alpha": self.alpha,
            "unit": "radius / sigma",
            "radii": self.table.to_dict(orient="records"),
        }


def against_spread(
    means: tuple[float, float] = MEANS,
    *,
    spreads: Sequence[float] = SPREADS,
    draws: int = 10_000,
    alpha: float = 0.001,
) -> Spread:
    """Radii of the same two means as the scores are spread ever less. Takes seconds.

    Args:
        means: Of the first class's score and of its rival's.
        spreads: From 1e-4 to 1.
        draws: That bound; ``PILOT`` more are pilot draws.
        alpha: Failure probability.

    Raises:
        InputError: Means, spreads, draws or an alpha that are none.

    Example:
        >>> found = against_spread((0.7, 0.2), spreads=[1.0, 0.1])
        >>> found.table[["means_limit", "margins_limit", "margins"]].round(2).to_numpy()
        array([[0.68, 0.68, 0.63],
               [0.68, 1.64, 1.53]])
    """
    e0, e1 = means
    checked_alpha(alpha)
    number = int(checked_trials(draws))
    each = real_numbers(spreads, argument="spreads").tolist()
    rows = [
        {"spread": spread, **_radii(e0, e1, spread, draws=number, alpha=alpha)}
        for spread in sorted(each, reverse=True)
    ]
    shapes = [_shape(e0, e1, spread) for spread in SHOWN]
    return Spread(
        e0=e0,
        e1=e1,
        draws=number,
        alpha=alpha,
        table=pd.DataFrame(rows),
        margins=pd.concat(shapes, ignore_index=True),
    )


def _shape(e0: float, e1: float, spread: float) -> pd.DataFrame:
    """Shares of the margin in few bins, the last with its upper end."""
    cells = draws_of(SHAPE, e0=e0, e1=e1, spread=spread)
    ends = np.linspace(-1.0, 1.0, BINS + 1)
    return pd.DataFrame(
        {
            "spread": spread,
            "margin_from": ends[:-1],
            "margin_to": ends[1:],
            "share": cells.reshape(BINS, -1).sum(axis=1) / SHAPE,
        }
    )


def _radii(
    e0: float, e1: float, spread: float, *, draws: int, alpha: float
) -> dict[str, float]:
    seen, pilot = (
        draws_of(number, e0=e0, e1=e1, spread=spread) for number in (draws, PILOT)
    )
    each = alpha / 2
    hoeffding = (
        hoeffding_lower(e0, trials=draws, alpha=each),
        hoeffding_upper(e1, trials=draws, alpha=each),
    )
    each *= 1.0 - NAMING
    first, rival = (spread * e * (1.0 - e) * draws / (draws - 1) for e in (e0, e1))
    bernstein = (
        empirical_bernstein_lower(e0, variance=first, trials=draws, alpha=each),
        empirical_bernstein_upper(e1, variance=rival, trials=draws, alpha=each),
    )
    return {
        "margins_limit": radius_of(e0=e0, e1=e1, spread=spread),
        "means_limit": _of_means(e0, e1),
        "margins": largest_radius(seen, pilot=pilot, alpha=alpha),
        "hoeffding": _of_means(*hoeffding),
        "empirical_bernstein": _of_means(*bernstein),
    }


def _of_means(e0: ArrayLike, e1: ArrayLike) -> float:
    return float(neyman_pearson(np.asarray(e0), np.asarray(e1), sigma=1.0))


def _check(e0: float, e1: float, spread: float) -> None:
    if not (RAREST <= e1 < e0 and e0 + e1 <= 1.0):
        raise InputError(
            f"the second mean must be at least {RAREST:g}, the first above it, and "
            f"their sum at most 1, got {e0:g} and {e1:g}"
        )
    if not LEAST <= spread <= 1.0:
        raise InputError(f"a spread must be from {LEAST:g} to 1, got {spread:g}")
