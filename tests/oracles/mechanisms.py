"""The mechanisms in arbitrary precision, each straight from its printed definition.

Slow and independent: no line and no formula is shared with ``simplicert.mechanisms``,
which solves transformed problems in float64. The recipe, at 60 digits:

lecuyer  golden section over epsilon on the printed ratio.
li       golden section over ln(omega - 1) on the printed power mean, and its limits
         as omega -> 1: geometric mean, or -2 ln(1 - E0) where E1 = 0.
cohen    Newton's iteration on erfc for the quantile.
cullen   for a fixed epsilon, bisection in a on the printed inequality; over epsilon,
         a scan of the interval in which E0 > e^(2 eps) E1 and then golden section.
neyman_pearson  as cohen, for both quantiles.

A golden section is started around the best point of a scan, so that no shape of the
objective is taken for granted. ``python tests/oracles/mechanisms.py`` writes the table
``mechanisms.csv`` anew, in about 15 minutes; ``test_mechanisms.py`` compares with it.
"""

import csv
import itertools
import random
from collections.abc import Callable
from pathlib import Path

import mpmath as mp
from mpmath import mpf

TABLE = Path(__file__).with_name("mechanisms.csv")
DIGITS = 60
mp.mp.dps = DIGITS

Real = mpf


def lecuyer(e0: Real, e1: Real) -> Real:
    def radius(eps: Real) -> Real:
        ratio = mpf("1.25") * (1 + mp.exp(eps)) / (e0 - mp.exp(2 * eps) * e1)
        return eps / mp.sqrt(2 * mp.log(ratio))

    crossing = mp.log(e0 / e1) / 2 if e1 > 0 else mp.inf
    end = min(mpf(1), crossing)
    # Towards a crossing the ratio is singular and the best epsilon may be close to it.
    scan = [
        0,
        *(end * k / 40 for k in range(1, 39)),
        *(end * (1 - mpf(2) ** -k) for k in range(5, 40)),
        end,
    ]
    return largest(radius, scan, closed=(False, crossing > 1))


def li(e0: Real, e1: Real) -> Real:
    if e0 == 1:
        return mp.inf
    if e1 == 0:
        return mp.sqrt(-2 * mp.log(1 - e0))

    def radius(log_excess: Real) -> Real:
        omega = 1 + mp.exp(log_excess)
        mean = (e0 ** (1 - omega) / 2 + e1 ** (1 - omega) / 2) ** (1 / (1 - omega))
        return mp.sqrt(-2 / omega * mp.log(1 - e0 - e1 + 2 * mean))

    limit = mp.sqrt(-2 * mp.log(1 - e0 - e1 + 2 * mp.sqrt(e0 * e1)))
    scan = [mp.log(10) * k / 4 for k in range(-60, 9)]
    # The cancellation at omega -> 1 costs digits that are there to spend.
    with mp.workdps(2 * DIGITS):
        return max(limit, largest(radius, scan))


def cohen(e0: Real, e1: Real) -> Real:
    return quantile(e0) if e0 > 0.5 else mpf(0)


def cullen(e0: Real, e1: Real) -> Real:
    if e1 == 0:
        return mp.inf

    def radius(eps: Real) -> Real:
        share = (e0 - mp.exp(2 * eps) * e1) / (1 + mp.exp(eps))

        def excess(a: Real) -> Real:
            lost = cdf(a / 2 - eps / a) - mp.exp(eps) * cdf(-a / 2 - eps / a)
            return lost - share

        high = mpf(1)
        while excess(high) <= 0:
            high *= 2
        while excess(high / 2) > 0:
            high /= 2
        return root(excess, high / 2, high)

    crossing = mp.log(e0 / e1) / 2
    scan = [crossing * k / 30 for k in range(31)]
    return largest(radius, scan, closed=(True, False))


def neyman_pearson(e0: Real, e1: Real) -> Real:
    if e0 == 1 or e1 == 0:
        return mp.inf
    return (quantile(e0) - quantile(e1)) / 2


def cdf(z: Real) -> Real:
    """Standard normal distribution function."""
    return mp.erfc(-z / mp.sqrt(2)) / 2


def quantile(p: Real) -> Real:
    """Inverse of ``cdf``, by Newton's iteration on the nearer tail's logarithm."""
    if p == 1:
        return mp.inf
    if p > 0.5:
        return -quantile(1 - p)
    z = -mp.sqrt(-2 * mp.log(p)) if p < 0.1 else mpf(0)
    while True:
        tail = cdf(z)
        density = mp.exp(-z * z / 2) / mp.sqrt(2 * mp.pi)
        step = (mp.log(tail) - mp.log(p)) * tail / density
        z -= step
        if abs(step) < mpf(10) ** -(DIGITS // 2 + 5):
            return z


def root(increasing: Callable[[Real], Real], low: Real, high: Real) -> Real:
    """Root of a function that increases through 0, to 27 digits, by bisection."""
    for _ in range(90):
        middle = (low + high) / 2
        if increasing(middle) <= 0:
            low = middle
        else:
            high = middle
    return low


def largest(
    function: Callable[[Real], Real],
    scan: list[Real],
    *,
    closed: tuple[bool, bool] = (True, True),
) -> Real:
    """Largest value: the best point of a scan, then golden section around it.

    ``closed`` tells which ends of the scan belong to the domain.
    """
    inside = range(0 if closed[0] else 1, len(scan) if closed[1] else len(scan) - 1)
    values = {k: function(scan[k]) for k in inside}
    best = max(inside, key=values.__getitem__)
    low, high = scan[max(best - 1, 0)], scan[min(best + 1, len(scan) - 1)]
    ratio = (mp.sqrt(5) - 1) / 2
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = function(left), function(right)
    # Values are flat at the top: 13 digits in x give 26 in the value.
    enough = (high - low) * mpf(10) ** -13
    while high - low > enough:
        if at_left > at_right:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = function(right)
    return max([at_left, at_right, *values.values()])


MECHANISMS = {
    "lecuyer": lecuyer,
    "li": li,
    "cohen": cohen,
    "cullen": cullen,
    "neyman_pearson": neyman_pearson,
}


def inner_points() -> list[tuple[float, float]]:
    """Points that a certification run produces, and uniform ones."""
    draw = random.Random(20240311)
    points = []
    for _ in range(80):  # uniform over the separated part of the simplex
        a, b = sorted((draw.random(), draw.random()))
        e1, e0 = sorted((a, b - a))
        points.append((e0, e1))
    for _ in range(80):  # confident classifiers, sampled many times
        e0 = 1 - 10 ** draw.uniform(-4.5, -0.5)
        points.append((e0, (1 - e0) * draw.random()))
    for _ in range(20):  # many classes, none of them large
        e0 = 10 ** draw.uniform(-3, -0.5)
        points.append((e0, e0 * draw.random()))
    return points


def corner_points() -> list[tuple[float, float]]:
    """Every edge and corner of the simplex, approached and reached."""
    tiny = [1e-12, 1e-9, 1e-6, 1e-3]
    points = []
    for e0, gap in itertools.product(  # barely separated
        [1e-4, 0.01, 0.1, 0.3, 0.45, 0.5], [1e-9, 1e-7, 1e-5, 1e-4, 1e-3, 0.009]
    ):
        points.append((e0, max(e0 - gap, 0.0)))
    for e0, e1 in itertools.product(  # a runner-up of almost or exactly nothing
        [1e-4, 1e-3, 0.05, 0.3, 0.5, 0.75, 0.978, 0.999], [0.0, *tiny, 1e-60, 1e-300]
    ):
        points.append((e0, e1))
    for rest, share in itertools.product(  # the corner (1, 0)
        [1e-12, 1e-10, 1e-7, 1e-4, 0.01], [1.0, 0.999, 0.5, 1e-3, 1e-12, 0.0]
    ):
        points.append((1 - rest, rest * share))
    for e0 in [0.5 + 1e-9, 0.5 + 1e-4, 0.6, 0.8, 0.9, 0.97]:  # E0 + E1 = 1
        points.append((e0, 1 - e0))
    for gap in [0.97, 0.977, 0.978, 0.9781, 0.979, 0.98, 0.99, 0.999]:
        # Where the best epsilon of `cullen` leaves 0, exactly on the edge and beside it
        points.append((0.5 + gap / 2, 0.5 - gap / 2))
        points.append((0.5 + gap / 2, (0.5 - gap / 2) * (1 - 1e-6)))
    points += [(1.0, 0.0), (1.0, 0.3), (0.9, 0.4), (0.6, 0.5), (0.5000001, 0.9)]
    points += [(0.5, 0.5), (0.2, 0.3), (0.0, 0.0), (0.4, 1.0)]
    for e0, lacking in itertools.product(  # just inside the edge E0 + E1 = 1
        [0.55, 0.75, 0.95, 0.99, 0.9999], [1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 0.05]
    ):
        points.append((e0, (1 - e0) * (1 - lacking)))
    return list(dict.fromkeys(points))


def values(e0: float, e1: float) -> list[str]:
    """Radii at sigma = 1 to 25 digits. The floats are taken at their exact value."""
    exact0, exact1 = mpf(e0), min(mpf(e1), 1 - mpf(e0))
    if exact0 <= exact1:
        return ["0"] * len(MECHANISMS)
    return [mp.nstr(radius(exact0, exact1), 25) for radius in MECHANISMS.values()]


def main() -> None:
    """Writes the table, one point after another."""
    with TABLE.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["kind", "e0", "e1", *MECHANISMS])
        for kind, points in [("inner", inner_points()), ("corner", corner_points())]:
            for e0, e1 in points:
                table.writerow([kind, repr(e0), repr(e1), *values(e0, e1)])


if __name__ == "__main__":
    main()
