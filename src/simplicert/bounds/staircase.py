"""Outcomes of two counts in an order, and how probable those from one of them on are.

For the bound of ``half_gap``: the order is that of two Clopper-Pearson bounds, and the
outcomes at least as good as one form a staircase, whose probability is two sums.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int
from scipy.special import betainc, betaincc, gammaln, ndtri

from simplicert.bounds.clopper_pearson import clopper_pearson_lower

__all__ = ["Law", "Order", "Staircase"]

SLACK = 2.0**-40
"""Outcomes as much as this below count as good, too: more than a sum of two rounds."""

EVALUATION = 1e-7
"""Relative; far more than logarithms of factorials below 2**21 and sums can lose."""

SMALL = 1e-5
"""Share of the level that the outcomes which are left out of a sum may have."""


@dataclass(frozen=True, kw_only=True)
class Law:
    """Weights of the first class, the second and all others in one draw.

    Attributes:
        first: Of the first class.
        second: Of the second.
        rest: Of all others together, above 0.
        log_total: Logarithm of what a draw's weight is more than the three's sum, 1.
    """

    first: float
    second: float
    rest: float
    log_total: float = 0.0


class Order:
    """Pairs of counts of n draws, ordered by two Clopper-Pearson bounds.

    ``x`` votes for the first class and ``y`` for the second rank by
    ``q(x) + q(n - y)``, ``q`` the normal quantile of the lower bound: that is twice the
    Neyman-Pearson radius of the two bounds, since the upper bound of ``y`` is 1 less
    the lower one of ``n - y``.

    Attributes:
        n: Number of draws.
        quantiles: ``q`` of 0 to n, not decreasing.
        log_factorials: Of 0 to n.
    """

    def __init__(self, n: int, alpha: float) -> None:
        self.n = n
        counts = np.arange(n + 1)
        with np.errstate(divide="ignore"):
            lower = ndtri(clopper_pearson_lower(counts, trials=n, alpha=alpha))
        self.quantiles: Float[np.ndarray, " counts"] = np.maximum.accumulate(lower)
        self.log_factorials: Float[np.ndarray, " counts"] = gammaln(counts + 1.0)

    def log_binomials(
        self, n: Int[np.ndarray, " terms"] | int, k: Int[np.ndarray, " terms"]
    ) -> Float[np.ndarray, " terms"]:
        """Logarithms of the binomial coefficients."""
        table = self.log_factorials
        return np.asarray(table[n] - table[k] - table[n - k])


@lru_cache(maxsize=32)
def order_of(n: int, alpha: float) -> Order:
    """The same one for all images of as many draws."""
    return Order(n, alpha)


class Staircase:
    """The outcomes that rank at least as high as one.

    They are those with at most ``y(x)`` votes for the second class where the first has
    ``x``, from ``least`` on; from ``full`` on it does not matter what the second has.

    Args:
        order: The order.
        first: Votes for the first class, at least 1.
        second: Votes for the second.
    """

    def __init__(self, order: Order, first: int, second: int) -> None:
        self.order, n, q = order, order.n, order.quantiles
        rank = q[first] + q[n - second]
        rank -= SLACK * (1.0 + abs(q[first]) + abs(q[n - second]))
        self.full = int(np.searchsorted(q, rank / 2))
        self.least = min(int(np.searchsorted(q, rank - q[n])), self.full)
        x = np.arange(self.least, self.full)
        self.most = n - np.maximum(np.searchsorted(q, rank - q[x]), x)
        self.chooses = order.log_binomials(n, x)
        # P(Bin(n - x, p) <= y(x)) grows from x to x + 1 by p times one term of as many
        # draws as are then left, at the old y, and by the terms from there to the new.
        terms = np.diff(self.most) + 1
        self.ends = np.concatenate([[0], np.cumsum(terms)])
        starts = np.repeat(self.ends[:-1], terms)
        step = np.repeat(np.arange(len(terms)), terms)
        self.y = self.most[step] + np.arange(len(step)) - starts
        self.left = n - 1 - x[step] - self.y
        self.ways = order.log_binomials(self.y + self.left, self.y)

    def probability(self, law: Law, tail: float) -> float:
        """The weight of all these outcomes, rounded up.

        Args:
            law: Of a draw.
            tail: What may be added for outcomes that are not summed.
        """
        n = self.order.n
        start, stop = self._window(law, -np.log(tail))
        total = _at_least(stop, n, law.first)
        if start < stop:
            total += self._summed(start, stop, law)
        scale = np.exp(n * law.log_total)
        return float((total * (1.0 + EVALUATION) + tail) * scale)

    def _window(self, law: Law, exponent: float) -> tuple[int, int]:
        """From where to where to sum: few votes for the first class are improbable.

        Or so few for the second are: the probability of what is below is at most
        ``exp(-exponent)``, by Bernstein's inequality. What is above is a tail that has
        a formula, whatever the second class has.
        """
        n = self.order.n
        mean, second = n * law.first, n * law.second
        spread = exponent / 3 + np.sqrt(
            exponent * exponent / 9 + 2 * exponent * mean * (1 - law.first)
        )
        start = max(self.least, int(np.ceil(mean - spread)))
        few = second - np.sqrt(2 * exponent * second)
        start = max(start, self.least + int(np.searchsorted(self.most, few - 1)))
        return min(start, self.full), min(max(start, int(mean + spread) + 1), self.full)

    def _summed(self, start: int, stop: int, law: Law) -> float:
        """The probability of those with ``start <= x < stop``."""
        n, here = self.order.n, slice(start - self.least, stop - self.least)
        others = law.second + law.rest
        share = law.second / others
        log_share, log_other = np.log(share), np.log(law.rest / others)
        first, last = self.ends[start - self.least], self.ends[stop - 1 - self.least]
        y, left = self.y[first:last], self.left[first:last]
        steps = np.exp(self.ways[first:last] + y * log_share + left * log_other)
        ends = self.ends[here] - first
        steps[ends[:-1]] *= share  # the first of each, at the old y
        sums = np.concatenate([[0.0], np.cumsum(steps)])[ends]
        most, rest = int(self.most[start - self.least]), n - start
        begin = 1.0 if most >= rest else betaincc(most + 1, rest - most, share)
        x = np.arange(start, stop)
        log_first = self.chooses[here] + x * np.log(law.first)
        weights = np.exp(log_first + (n - x) * np.log(others))
        return float(weights @ np.minimum(begin + sums, 1.0))


def _at_least(k: int, n: int, p: float) -> float:
    if k > n:
        return 0.0
    return 1.0 if k <= 0 else float(betainc(k, n - k + 1, p))
