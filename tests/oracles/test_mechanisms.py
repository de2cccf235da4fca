"""The product against the high-precision table, and a command that says how close.

    python tests/oracles/test_mechanisms.py

prints the worst errors a mechanism. How the table was made is in ``mechanisms.py``.
"""

import csv
import runpy
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from simplicert import mechanisms

NAMES = ["lecuyer", "li", "cohen", "cullen", "neyman_pearson"]
RELATIVE, ABSOLUTE = Fraction(1, 10**10), Fraction(1, 10**13)
SIGMAS = (1.0, 0.12, 0.25, 3.7)

with Path(__file__).with_name("mechanisms.csv").open(newline="") as file:
    TABLE = list(csv.DictReader(file))
E0 = np.array([float(row["e0"]) for row in TABLE])
E1 = np.array([float(row["e1"]) for row in TABLE])


class Deviation(NamedTuple):
    """Of a float from the true radius, both taken as the real numbers they are."""

    relative: float  # signed; positive would be unsound
    of_tolerance: float
    at: tuple[float, float]


def deviations(name: str, *, sigma: float) -> list[Deviation]:
    """One a point at which the true radius is positive and finite; the rest agree."""
    found = []
    radii = getattr(mechanisms, name)(E0, E1, sigma=sigma)
    for row, e0, e1, radius in zip(TABLE, E0, E1, radii, strict=True):
        if float(row[name]) in (0.0, np.inf):
            assert radius == float(row[name]), row
            continue
        true = Fraction(row[name]) * Fraction(sigma)
        above = Fraction(float(radius)) - true
        tolerance = max(RELATIVE * true, ABSOLUTE * Fraction(sigma))
        found.append(
            Deviation(float(above / true), float(abs(above) / tolerance), (e0, e1))
        )
    return found


def test_the_table_is_as_large_as_promised():
    corners = sum(row["kind"] == "corner" for row in TABLE)
    assert len(TABLE) >= 300
    assert corners >= 150
    assert all(len(row["cullen"].replace(".", "")) >= 20 for row in TABLE[:180])


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("name", NAMES)
def test_close_to_the_true_radius_and_never_above_it(name, sigma):
    found = deviations(name, sigma=sigma)
    worst = max(found, key=lambda d: d.of_tolerance)
    highest = max(found, key=lambda d: d.relative)
    assert worst.of_tolerance <= 1, worst
    assert highest.relative <= 0, highest


@pytest.mark.parametrize("ulps", [2, 7])
@pytest.mark.parametrize("e0", [1e-301, 2.0**-899, 1e-200])
@pytest.mark.parametrize("name", ["lecuyer", "neyman_pearson"])
def test_never_above_where_the_difference_of_the_two_is_tiny(name, e0, ulps):
    e1 = e0 - ulps * np.spacing(e0)  # subnormal, were 1e-301 not negligible
    oracle = runpy.run_path(str(Path(__file__).with_name("mechanisms.py")))
    radius = getattr(mechanisms, name)(e0, e1, sigma=1.0)
    assert radius <= oracle[name](oracle["mpf"](e0), oracle["mpf"](e1))


def report() -> str:
    """The worst of every mechanism over all points and several sigma."""
    lines = [
        f"{len(TABLE)} points, sigma in {SIGMAS}; relative deviations from the truth",
        f"{'':16}{'lowest':>10}{'at (E0, E1)':>28}{'highest (< 0: sound)':>24}",
    ]
    for name in NAMES:
        found = [d for sigma in SIGMAS for d in deviations(name, sigma=sigma)]
        low, high = min(found), max(found)
        at = "({:.6g}, {:.6g})".format(*low.at)
        lines.append(f"{name:16}{low.relative:10.1e}{at:>28}{high.relative:24.1e}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())  # noqa: T201 - it is a command too
