"""The table that papers print: one row a mechanism, one column a radius."""

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from simplicert.analysis.accuracy import Distances, average_name, checked_radii, hits
from simplicert.certificates.record import PRINTED, Certificates
from simplicert.errors import InputError

__all__ = ["accuracy_at", "usual_radii"]

MOST_STEPS = 40

AS_PRINTED = f"{PRINTED} (not guaranteed)"
"""The row of what a log printed: no mechanism has such a name."""


def usual_radii(*runs: Certificates) -> Float[np.ndarray, " points"]:
    """Where papers print certified accuracy: 0, 0.25, 0.5, … up to the largest radius.

    The step is 0.25 for sigma from 0.25 to 1; 0.1 for sigma 0.12 and 0.5 for sigma 2.
    In general it is the largest of 1, 2.5 and 5 × 10ᵏ that is not above sigma nor above
    sigma / 4, or 0.25 where that is more. Of several runs, the radii of each.

    Raises:
        InputError: There is no run.
    """
    if not runs:
        raise InputError("there are no certificates to take radii for")
    return np.unique(np.concatenate([_usual(run) for run in runs]))


def _usual(run: Certificates) -> Float[np.ndarray, " points"]:
    step = usual_step(run.sigma)
    largest = max((r.max(initial=0.0) for r in run.radii.values()), default=0.0)
    # Through text: three times 0.1 is a little more than 0.3.
    multiples = [float(f"{step * number:.12g}") for number in range(MOST_STEPS + 1)]
    return np.array([r for r in multiples if r <= max(largest, step)])


def usual_step(sigma: float) -> float:
    """Between two of the usual radii.

    Example:
        >>> [usual_step(sigma) for sigma in (0.05, 0.12, 0.25, 0.5, 1.0, 2.0, 5.0)]
        [0.05, 0.1, 0.25, 0.25, 0.25, 0.5, 1.0]
    """
    most = min(sigma, max(0.25, sigma / 4.0)) * (1 + 1e-9)
    power = int(np.floor(np.log10(most)))
    return max(
        number
        for digits in (1, 2.5, 5, 10)
        for number in (float(f"{digits}e{power}"), float(f"{digits}e{power - 1}"))
        if number <= most
    )


def accuracy_at(
    certificates: Certificates, radii: Distances | None = None
) -> pd.DataFrame:
    """Certified accuracy at some radii, side by side, and the average radius.

    Of an imported log there is one row more, ``printed (not guaranteed)``: the same
    numbers of the radii as the log printed them, to hold against what was published.

    Args:
        certificates: One run's certificates.
        radii: In input units; by default ``usual_radii``.

    Returns:
        One row a mechanism: ``mechanism``; ``average_certified_radius``, which is the
        mean over all images of the radius where the class is right and 0 elsewhere, or
        without labels ``average_radius``; and for each radius a column that is called
        as it is written (``"0.25"``), of what ``certified_accuracy`` has there.

    Raises:
        InputError: As ``certified_accuracy``.
    """
    if len(certificates) == 0:
        raise InputError("there are no images to take a share of")
    at = usual_radii(certificates) if radii is None else checked_radii(radii)
    names = [np.format_float_positional(radius, trim="-") for radius in at]
    average = average_name(certificates)
    rows = []
    for name, (counts, radius) in _what_counts(certificates).items():
        shares = [float((counts & (radius >= least)).mean()) for least in at]
        row = {"mechanism": name, average: float(np.where(counts, radius, 0.0).mean())}
        rows.append(row | dict(zip(names, shares, strict=True)))
    return pd.DataFrame(rows)


def _what_counts(
    certificates: Certificates,
) -> dict[str, tuple[Bool[np.ndarray, " images"], Float[np.ndarray, " images"]]]:
    """By mechanism which images count, and the radii; and so what was printed."""
    found = {
        name: (hits(certificates, name), radius)
        for name, radius in certificates.radii.items()
    }
    if certificates.printed is not None and certificates.labels is not None:
        # As the published scripts count: also a right class with a radius of 0.
        right = certificates.top == certificates.labels
        found[AS_PRINTED] = right, certificates.printed
    return found
