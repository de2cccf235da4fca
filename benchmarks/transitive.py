"""Certificates with neighbours where the truth is known, and what they can gain.

    python benchmarks/transitive.py

Regions of one class whose expectations are closed forms: how often a radius reaches
beyond where the class changes, at an alpha that is asked for, over many trials; and how
much two balls add to a radius where all expectations are known exactly. About a minute.
"""

import sys
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri
from scipy.stats import ncx2

from simplicert import certify
from simplicert.certificates.balls import covered

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from neighboured import (
    half_space,
    moved,
    pair_of_runs,
    slab,
    wedge,
    with_shares,
)

TRIALS, ALPHA = 5000, 0.05
GAIN = 3.18663, 0.18095
"""The middle of a slab and half its width, in sigma: a search over slabs found it."""

WORLDS = {
    "half-space": (half_space(0.3), [[-0.2, 0.0], [-0.05, 0.1]]),
    "half-space, opposite": (half_space(0.5), [[-0.3, 0.0], [0.3, 0.0]]),
    "valley between half-spaces": (slab(0.0, 0.5), [[0.2, 0.0], [-0.2, 0.0]]),
    "slab": (slab(1.5, 0.9), [[-0.2, 0.0], [0.2, 0.0]]),
    "wedge": (wedge(1.0), [[-0.2, -0.2], [0.2, -0.1]]),
    "where two balls gain": (slab(*GAIN), [[1.675, 0.0], [-4.0, 0.0]]),
}


def ball(distance: float, radius: float) -> tuple:
    """Class 1 in a ball of two dimensions."""

    def share(points: np.ndarray) -> np.ndarray:
        away = ((points - [distance, 0.0]) ** 2).sum(axis=1)
        return 1.0 - ncx2.cdf(radius**2, 2, away)

    places = np.linspace(0, distance, 100_001)
    other = share(np.stack([places, np.zeros_like(places)], axis=1)) <= 0.5
    return share, places[np.argmax(other)] if other.any() else np.inf


def false_rates() -> pd.DataFrame:
    """How often each world's certificates are false, by the mechanism that is worst."""
    rows = []
    own, around = pair_of_runs([[0.6, 0.0], [-0.6, 0.0]], copies=TRIALS, draws=1)
    worlds = WORLDS | {"ball": (ball(2.2, 2.0), [[0.2, 0.0], [-0.2, 0.0]])}
    for (name, ((share, truth), points)), draws in product(worlds.items(), (100, 1000)):
        generator = np.random.default_rng(draws)
        at_origin = share(np.zeros((1, 2)))
        votes = with_shares(own, at_origin, draws=draws, generator=generator)
        shares = np.tile(share(np.array(points)), TRIALS)
        others = with_shares(around, shares, draws=draws, generator=generator)
        others = moved(others, points)
        found = certify(votes, alpha=ALPHA, neighbours=others)
        alone = certify(votes, alpha=ALPHA)
        more = with_shares(own, at_origin, draws=3 * draws, generator=generator)
        wrong = [
            ((radius > truth) | ((found.predicted == 1) & (radius > 0))).mean()
            for radius in found.radii.values()
        ]
        rows.append(
            {
                "region": name,
                "draws": draws,
                "truth": truth,
                "false": max(wrong),
                "alpha": ALPHA,
                "mean_radius": found.radius.mean(),
                "own_draws_alone": alone.radius.mean(),
                "three_times_as_many": certify(more, alpha=ALPHA).radius.mean(),
            }
        )
    return pd.DataFrame(rows)


def radius_beside(middle: float, half: float, at: np.ndarray) -> np.ndarray:
    """Cohen's radius at points, of exact expectations, where class 1 is a slab."""
    low, high = middle - half - at, middle + half - at
    return -ndtri(ndtr(-low) - ndtr(-high))


def exact_gain() -> dict[str, float]:
    """What two opposite balls add where theory lets them, with endless draws."""
    points = np.array([1.675, -4.0])
    own = radius_beside(*GAIN, np.zeros(1))
    balls = radius_beside(*GAIN, points)[None]
    away = np.abs(points)[None]
    plain = float(max(own.max(), (balls - away).max()))
    both = covered(own, balls, distances=away, cosines=-np.ones((1, 1)))
    bound = np.sqrt(own[0] ** 2 + 0.03451 * away.max() ** 2)
    return {
        "own": own[0],
        "plain triangle": plain,
        "two balls": both[0],
        "the theorem's most": bound,
    }


def main() -> None:
    print(false_rates().round(4).to_string(index=False))
    found = exact_gain()
    print("\nradius in sigma, of exact expectations, beside a thin slab:")
    print(", ".join(f"{name} {value:.4f}" for name, value in found.items()))


if __name__ == "__main__":
    main()
