"""Sison and Glaz's intervals (1995), which are asymptotic: for comparison only.

Reference [25] of the paper, beside which it chose Clopper-Pearson's bounds.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import gammaln, pdtr, xlogy

from simplicert.arguments import checked_alpha
from simplicert.procedures.asymptotic import asymptotic

__all__ = ["sison_glaz", "sison_glaz_limits"]


def sison_glaz_limits(
    counts: Int[np.ndarray, "images classes"],
    *,
    trials: Int[np.ndarray, " images"],
    alpha: float,
) -> tuple[Float[np.ndarray, "images classes"], Float[np.ndarray, "images classes"]]:
    """Intervals of one width for all classes: ``x/n - c/n`` to ``x/n + (c + 2g)/n``.

    ``v(c)`` is the probability that no count of a second sample, from the estimates,
    differs from the first one's by more than c; ``c`` and ``g`` are the whole and the
    broken part of where it comes to ``1 - alpha``. Asymptotic twice: the estimates
    stand for the expectations, and ``v`` is approximated (``Cells.log_inside``). Where
    that never comes to ``1 - alpha``, as at an alpha of 1e-12, the intervals are 0 to
    1. As published, a bound can be 1, or an upper one 0, since votes that nearly all
    agree have c = 0: a radius without limit. Here no bound is closer than unanimous
    votes can ever show: no lower one above ``alpha**(1/n)``, and no upper one below 1
    minus that. Any bound that is valid at alpha obeys this.

    Args:
        counts: Votes for each class.
        trials: Draws an image; those that voted for none are a class of their own.
        alpha: Nominal failure probability of all intervals of an image together.

    Returns:
        Lower and upper ends.

    Raises:
        InputError: ``alpha`` outside (0, 1).

    References:
        Sison and Glaz 1995, Journal of the American Statistical Association 90,
        doi:10.1080/01621459.1995.10476521. Levin 1981, Annals of Statistics 9,
        doi:10.1214/aos/1176345593, for ``v``.
    """
    checked_alpha(alpha)
    whole, broken = _distance(Cells.of(counts, trials), 1.0 - alpha)
    n = trials[:, None].astype(np.float64)
    lower = (counts - whole[:, None]) / n
    upper = (counts + (whole + 2.0 * broken)[:, None]) / n
    most, least = np.exp(np.log(alpha) / n), -np.expm1(np.log(alpha) / n)
    return np.clip(lower, 0.0, most), np.clip(upper, least, 1.0)


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """The counts of some images that are not 0, equal ones of an image once.

    Attributes:
        rows: Of which image.
        counts: How many votes.
        times: For how many classes.
        trials: Draws of each image.
    """

    rows: Int[np.ndarray, " cells"]
    counts: Int[np.ndarray, " cells"]
    times: Int[np.ndarray, " cells"]
    trials: Int[np.ndarray, " images"]

    @classmethod
    def of(
        cls,
        counts: Int[np.ndarray, "images classes"],
        trials: Int[np.ndarray, " images"],
    ) -> "Cells":
        """Those of a table; draws that voted for no class are one more."""
        whole = np.column_stack([counts, trials - counts.sum(axis=1)])
        rows, columns = np.nonzero(whole)
        radix = int(trials.max(initial=0)) + 1
        keys, times = np.unique(rows * radix + whole[rows, columns], return_counts=True)
        return cls(rows=keys // radix, counts=keys % radix, times=times, trials=trials)

    def _total(self, values: Float[np.ndarray, " cells"]) -> np.ndarray:
        """Of each image, over its classes."""
        images = len(self.trials)
        return np.asarray(np.bincount(self.rows, values * self.times, minlength=images))

    def log_outcome(self) -> Float[np.ndarray, " images"]:
        """Logarithm of ``v(0)``, exactly: that the second sample is the first."""
        point = self._total(_log_poisson(self.counts, self.counts))
        return np.asarray(point - _log_poisson(self.trials, self.trials))

    def of_images(
        self, images: Int[np.ndarray, " some"], within: Int[np.ndarray, " some"]
    ) -> Float[np.ndarray, " some"]:
        """``log_inside`` of some images alone, by their positions, which rise."""
        here = np.isin(self.rows, images)
        return Cells(
            rows=np.searchsorted(images, self.rows[here]),
            counts=self.counts[here],
            times=self.times[here],
            trials=self.trials[images],
        ).log_inside(within)

    def log_inside(
        self, within: Int[np.ndarray, " images"]
    ) -> Float[np.ndarray, " images"]:
        """Logarithm of ``v(c)``, c at least 1, by Levin's truncated Poisson variables.

        Counts of a multinomial are Poisson variables that happen to sum to n. Each is
        within c of its mean by itself; that those which are have the sum n is told by
        an Edgeworth expansion of its law.
        """
        c = within[self.rows]
        log_mass, mean, variance, third, excess = _truncated(self.counts, c)
        total = self._total
        s = total(variance)
        z = -total(mean) / np.sqrt(s)
        skew, kurtosis = total(third) / s**1.5, total(excess) / s**2
        series = (
            1.0
            + skew / 6.0 * (z**3 - 3.0 * z)
            + kurtosis / 24.0 * (z**4 - 6.0 * z**2 + 3.0)
            + skew**2 / 72.0 * (z**6 - 15.0 * z**4 + 45.0 * z**2 - 15.0)
        )
        with np.errstate(divide="ignore"):  # no probability at all
            density = np.log(np.maximum(series, 0.0)) - 0.5 * z * z
        density -= 0.5 * np.log(2.0 * np.pi * s)
        density -= _log_poisson(self.trials, self.trials)
        return np.asarray(total(log_mass) + density)


def _distance(
    cells: Cells, level: float
) -> tuple[Int[np.ndarray, " images"], Float[np.ndarray, " images"]]:
    """The whole and the broken part of the distance at which ``v`` is the level.

    The first such, since the expansion passes 1 and falls below it again, so that more
    can be less. Steps of an eighth find it, and halving then; unless ``v`` comes to the
    level and falls below it within one step.
    """
    below = np.zeros(len(cells.trials), dtype=np.int64)
    at_below = np.exp(cells.log_outcome())
    above, at_above = below.copy(), at_below.copy()
    open_ = at_below < level
    while (rows := np.flatnonzero(open_)).size:
        last = cells.trials[rows]
        here = np.minimum(below[rows] + np.maximum(below[rows] // 8, 1), last)
        above[rows], at_above[rows] = here, np.exp(cells.of_images(rows, here))
        short = at_above[rows] < level
        open_[rows] = short & (here < last)
        on = rows[open_[rows]]
        below[on], at_below[on] = above[on], at_above[on]
    never = at_above < level
    while (rows := np.flatnonzero(~never & (above - below > 1))).size:
        middle = (below[rows] + above[rows]) // 2
        inside = np.exp(cells.of_images(rows, middle))
        enough = inside >= level
        high, low = rows[enough], rows[~enough]
        above[high], at_above[high] = middle[enough], inside[enough]
        below[low], at_below[low] = middle[~enough], inside[~enough]
    crossed = above > below  # else at once: ``v(0)`` is enough
    gap = np.where(crossed & ~never, at_above - at_below, 1.0)
    broken = np.where(crossed & ~never, (level - at_below) / gap, 0.0)
    return np.where(never, cells.trials, below), broken


def _log_poisson(
    value: Int[np.ndarray, "*cells"], mean: Int[np.ndarray, "*cells"]
) -> Float[np.ndarray, "*cells"]:
    return np.asarray(xlogy(value, mean) - mean - gammaln(value + 1.0))


def _truncated(
    mean: Int[np.ndarray, " cells"], within: Int[np.ndarray, " cells"]
) -> tuple[np.ndarray, ...]:
    """A Poisson variable that is within so much of its mean, which is whole.

    Returns:
        Logarithm of the probability of that; then, less ``mean``: its mean; variance,
        third central moment, and fourth less three squared variances.
    """
    least = np.maximum(mean - within, 0)
    mass = pdtr(mean + within, mean)
    mass -= np.where(least > 0, pdtr(np.maximum(least - 1, 0), mean), 0.0)
    before = np.where(
        least > 0, np.exp(_log_poisson(np.maximum(least - 1, 0), mean)), 0.0
    )
    low, high = before / mass, np.exp(_log_poisson(mean + within, mean)) / mass
    # Summed by parts: E (Y - m) g(Y) = m (E g(Y + 1) - g(Y), and the two ends). Powers
    # of the mean, as factorial moments have them, would cancel to nothing.
    start, end = (least - mean).astype(np.float64), within + 1.0
    m1 = mean * (low - high)
    m2 = mean * (1.0 + start * low - end * high)
    m3 = mean * (2.0 * m1 + 1.0 + start**2 * low - end**2 * high)
    m4 = mean * (3.0 * m2 + 3.0 * m1 + 1.0 + start**3 * low - end**3 * high)
    variance = m2 - m1**2
    third = m3 - 3.0 * m1 * m2 + 2.0 * m1**3
    fourth = m4 - 4.0 * m1 * m3 + 6.0 * m1**2 * m2 - 3.0 * m1**4
    return np.log(mass), m1, variance, third, fourth - 3.0 * variance**2


sison_glaz = asymptotic(name="sison_glaz", limits=sison_glaz_limits)
