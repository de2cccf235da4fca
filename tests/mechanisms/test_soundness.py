"""Each radius satisfies its mechanism's own condition, re-evaluated in float64.

The conditions are written as the papers print them, and searched over their parameter
by brute force: nothing is shared with the solvers. They also fail a little further out,
so that a radius is neither too large nor needlessly small.
"""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from simplicert import mechanisms


def simplex_points(count):
    """Separated points, not so close that the printed formulas cancel in float64."""
    rng = np.random.default_rng(8)
    uniform = np.sort(rng.dirichlet([1, 1, 1], count), axis=1)[:, :0:-1]
    rest = 10 ** rng.uniform(-3, -0.5, count)
    confident = np.stack([1 - rest, rest * rng.random(count)], axis=1)
    small = (
        10 ** rng.uniform(-2, -0.5, (count, 1)) * [[1, 0.5]] * rng.random((count, 1))
    )
    e0, e1 = np.concatenate([uniform, confident, small]).T
    keep = (e0 - e1 > 0.03) & (e0 + e1 <= 1) & (e1 > 1e-5)
    return e0[keep], e1[keep]


E0, E1 = simplex_points(400)


def largest(slack, low, high):
    """Maximum over a parameter: 400 values, then golden section about the best."""
    grid = low + (high - low) * np.linspace(0, 1, 402)[1:-1, np.newaxis]
    best = np.argmax(slack(grid), axis=0)
    width = (high - low) / 401
    middle = grid[best, np.arange(low.size)]
    a, b = middle - width, middle + width
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(45):
        left, right = b - ratio * (b - a), a + ratio * (b - a)
        down = slack(left) > slack(right)
        a, b = np.where(down, a, left), np.where(down, right, b)
    return np.maximum(slack(middle), slack(0.5 * (a + b)))


def lecuyer_slack(radius):
    def slack(eps):
        delta = (E0 - np.exp(2 * eps) * E1) / (1 + np.exp(eps))
        return delta - 1.25 * np.exp(-0.5 * (eps / radius) ** 2)

    high = np.minimum(1, 0.5 * np.log(E0 / E1))
    return np.maximum(largest(slack, 0 * E0, high), slack(high))


def li_slack(radius):
    def slack(omega):
        t = 1 - omega  # the power mean of order t, in a form that bears t -> 0
        excess = 0.5 * np.expm1(t * np.log(E0)) + 0.5 * np.expm1(t * np.log(E1))
        mean = np.exp(np.log1p(excess) / t)
        return -np.log(1 - E0 - E1 + 2 * mean) - 0.5 * omega * radius**2

    limit = -np.log(1 - E0 - E1 + 2 * np.sqrt(E0 * E1)) - 0.5 * radius**2
    return np.maximum(largest(slack, 1 + 0 * E0, 3 + 0 * E0), limit)


def cohen_slack(radius):
    return np.where(E0 > 0.5, E0 - ndtr(radius), 0.0 - radius)


def cullen_slack(radius):
    def slack(eps):
        a = radius
        delta = ndtr(a / 2 - eps / a) - np.exp(eps) * ndtr(-a / 2 - eps / a)
        return (E0 - np.exp(2 * eps) * E1) / (1 + np.exp(eps)) - delta

    return np.maximum(largest(slack, 0 * E0, 0.5 * np.log(E0 / E1)), slack(0 * E0))


def neyman_pearson_slack(radius):
    return ndtr(ndtri(E0) - radius) - ndtr(ndtri(E1) + radius)


CONDITIONS = {
    "lecuyer": lecuyer_slack,
    "li": li_slack,
    "cohen": cohen_slack,
    "cullen": cullen_slack,
    "neyman_pearson": neyman_pearson_slack,
}


@pytest.mark.parametrize("name", CONDITIONS)
def test_the_condition_holds_at_the_radius_and_not_beyond(name):
    radius = getattr(mechanisms, name)(E0, E1, sigma=1.0)
    slack = CONDITIONS[name](radius)
    assert slack.min() >= 0, (E0[slack.argmin()], E1[slack.argmin()])
    positive = radius > 0
    assert np.all(CONDITIONS[name](radius * (1 + 1e-9))[positive] < 0)
    assert np.all(CONDITIONS[name](radius + 1e-9)[~positive] < 0)


def test_there_are_enough_points():
    assert E0.size > 500
