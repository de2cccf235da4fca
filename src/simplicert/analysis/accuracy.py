"""Certified accuracy (the paper's Eq. 10), and what it says of the whole data set."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy.special import bdtrc

from simplicert.arguments import checked_alpha, real_numbers
from simplicert.bounds import clopper_pearson_lower, clopper_pearson_upper
from simplicert.certificates.record import ABSTAIN, REPORTED, Certificates
from simplicert.errors import InputError

__all__ = [
    "average_certified_radius",
    "certified_accuracy",
    "curve_radii",
    "dataset_guarantee",
    "false_certificates",
    "guaranteed_accuracy",
]

Distances = Sequence[float] | np.ndarray
"""Radii to say something at."""


def hits(certificates: Certificates, mechanism: str) -> Bool[np.ndarray, " images"]:
    """Images that count: certified by this mechanism and, with labels, right."""
    hit: np.ndarray = certificates.radii[mechanism] > 0
    if certificates.labels is not None:
        hit = hit & (certificates.top == certificates.labels)
    return hit


def counted_radius(
    certificates: Certificates, mechanism: str
) -> Float[np.ndarray, " images"]:
    """A mechanism's radii of the images that count, and 0 elsewhere."""
    return np.where(hits(certificates, mechanism), certificates.radii[mechanism], 0.0)


def top_right(certificates: Certificates) -> Float[np.ndarray, " images"]:
    """1 where the top class is the label, certified or not, and 0 where it is not.

    NaN throughout without labels, and where the top class of any image is not known, as
    of a log with abstentions: a mean over the others would not be of all images.
    """
    if certificates.labels is None or (certificates.top == ABSTAIN).any():
        return np.full(len(certificates), np.nan)
    right: np.ndarray = certificates.top == certificates.labels
    return right.astype(np.float64)


def quantity(certificates: Certificates) -> str:
    """The name of what a share of ``hits`` is."""
    return "share certified" if certificates.labels is None else "certified accuracy"


def average_name(certificates: Certificates) -> str:
    """The name of what the mean of ``counted_radius`` is."""
    labelled = certificates.labels is not None
    return "average_certified_radius" if labelled else "average_radius"


def curve_radii(certificates: Certificates, points: int = 201) -> np.ndarray:
    """Radii from 0 to a little beyond the largest certified one, for a curve."""
    largest = max((r.max(initial=0.0) for r in certificates.radii.values()), default=0)
    return np.linspace(0.0, 1.02 * float(largest) or certificates.sigma, points)


def certified_accuracy(
    certificates: Certificates,
    radii: Distances,
    *,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Share of images certified correct at each radius, mechanism by mechanism.

    ``mean(correct and radius >= r)``; an abstention is never correct, also at r = 0.
    Without labels, the share that is certified at all. The band is about *other images*
    of the same distribution: an exact (Clopper-Pearson) two-sided binomial interval at
    each radius on its own.

    Args:
        certificates: One run's certificates.
        radii: A list of distances, in input units.
        confidence: Of the band, in (0, 1).

    Returns:
        One row a mechanism and radius: ``mechanism``, ``radius``, ``norm``,
        ``quantity``, ``share``, ``share_lower``, ``share_upper``; and of radii that
        are not in pixels ``unit``.

    Raises:
        InputError: No images, no radii, one that is negative or not finite, or a
            ``confidence`` outside (0, 1).

    References:
        Cullen et al. 2024, Eq. 10.
    """
    _check_images(certificates)
    radii, unit = checked_radii(radii), certificates.facts.get("unit")
    if not 0.0 < confidence < 1.0:
        raise InputError(f"confidence must be in (0, 1), got {confidence!r}")
    images, each = len(certificates), (1.0 - confidence) / 2.0
    frames = []
    for mechanism in certificates.radii:
        count = _hits_at(certificates, mechanism, radii)
        frames.append(
            pd.DataFrame(
                {
                    "mechanism": mechanism,
                    "radius": radii,
                    "norm": certificates.norm,
                    **({} if unit is None else {"unit": unit}),
                    "quantity": quantity(certificates),
                    "share": count / images,
                    "share_lower": clopper_pearson_lower(
                        count, trials=images, alpha=each
                    ),
                    "share_upper": clopper_pearson_upper(
                        count, trials=images, alpha=each
                    ),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def average_certified_radius(certificates: Certificates) -> pd.DataFrame:
    """Mean over the images of the radius where the class is right, and 0 elsewhere.

    Returns:
        One row a mechanism: ``mechanism``, ``average_certified_radius``. Without
        labels, every certified radius counts and the column is ``average_radius``.

    Raises:
        InputError: There are no images.

    References:
        Zhai et al. 2020 (MACER), arXiv:2001.02378, section 5.
    """
    _check_images(certificates)
    means = {
        mechanism: float(counted_radius(certificates, mechanism).mean())
        for mechanism in certificates.radii
    }
    column = average_name(certificates)
    return pd.DataFrame({"mechanism": list(means), column: list(means.values())})


def false_certificates(images: int, *, alpha: float, failure: float) -> int:
    """How many of ``images`` certificates may be false, except with ``failure``.

    The smallest q with P(Binomial(images, alpha) > q) <= failure. It is sound because
    the certificates rest on independent draws and each is false with probability at
    most alpha, so their number is stochastically at most that binomial
    (``docs/analysis.md`` has the proof).

    Example:
        >>> false_certificates(10_000, alpha=0.001, failure=0.001)
        21
    """
    checked_alpha(alpha)
    if not 0.0 < failure < 1.0:
        raise InputError(f"failure must be in (0, 1), got {failure!r}")
    below, enough = -1, images  # P(F > -1) = 1 and P(F > images) = 0
    while enough - below > 1:
        middle = (below + enough) // 2
        if bdtrc(middle, images, alpha) <= failure:
            enough = middle
        else:
            below = middle
    return enough


def dataset_guarantee(
    certificates: Certificates,
    radii: Distances,
    *,
    failure: float = 0.001,
) -> pd.DataFrame:
    """Lower bounds on the true certified accuracy, of these images and of their source.

    Alpha is a promise about one image. About the table this promises:

    - ``dataset_lower``: with probability at least ``1 - failure`` over the draws, *at
      every radius and for every mechanism at once*, at least this share of *these*
      images is classified right by the smoothed classifier on the whole ball. It is
      the share less ``false_certificates / images``.
    - ``population_lower``: with probability at least ``1 - failure`` over draws and
      images, at this radius and mechanism alone, of the distribution the images were
      drawn from independently: the exact binomial lower bound less alpha.

    Both assume that the draws of different images are independent. Those of
    ``simplicert sample`` have seeds of their own, distinct as long as the images (by
    their indices) × the chunks of noise of each are at most 2³²; of imported votes
    it is your premise. Of a log's column ``reported`` nothing was derived here, and
    both bounds are NaN; likewise of an asymptotic procedure, which guarantees nothing.

    Of images that were chosen by index nobody knows whether their votes had a say in
    it. The false certificates of all may be among them, so the first bound allows for
    as many; they are no independent choice of any source, and the second is NaN.

    Args:
        certificates: One run's certificates, with labels.
        radii: A list of distances, in input units.
        failure: Probability with which a statement may be wrong.

    Returns:
        One row a mechanism and radius: ``mechanism``, ``radius``, ``share``,
        ``dataset_lower``, ``population_lower``; bounds are at least 0, or NaN.

    Raises:
        InputError: As ``certified_accuracy``; ``failure`` outside (0, 1); no labels.
    """
    _check_images(certificates)
    radii = checked_radii(radii)
    if certificates.labels is None:
        raise InputError(
            "these votes have no labels, so there is no accuracy to bound: "
            "sample a labelled data set, or use certified_accuracy for the share "
            "certified"
        )
    frames = [
        pd.DataFrame(
            {
                "mechanism": mechanism,
                "radius": radii,
                **guaranteed_accuracy(
                    _hits_at(certificates, mechanism, radii),
                    images=len(certificates),
                    alpha=certificates.alpha,
                    failure=failure,
                    chosen_from=certificates.chosen_from,
                ),
            }
        )
        for mechanism in certificates.radii
    ]
    table = pd.concat(frames, ignore_index=True)
    underived = (table["mechanism"] == REPORTED) | certificates.asymptotic
    table.loc[underived, ["dataset_lower", "population_lower"]] = np.nan
    return table


def guaranteed_accuracy(
    count: Int[np.ndarray, " points"],
    *,
    images: int,
    alpha: float,
    failure: float,
    chosen_from: int | None = None,
) -> dict[str, Float[np.ndarray, " points"]]:
    """``dataset_guarantee`` from the number of hits alone."""
    wrong = false_certificates(chosen_from or images, alpha=alpha, failure=failure)
    covered = clopper_pearson_lower(count, trials=images, alpha=failure)
    population = np.maximum(covered - alpha, 0.0)
    return {
        "share": count / images,
        "dataset_lower": np.maximum(count - wrong, 0) / images,
        "population_lower": np.full(len(count), np.nan) if chosen_from else population,
    }


def checked_radii(radii: Distances) -> Float[np.ndarray, " points"]:
    """Distances as a list of floats.

    Raises:
        InputError: There is none, or one that is negative or not finite.
    """
    found = np.atleast_1d(real_numbers(radii, argument="radii"))
    if found.ndim != 1 or not len(found):
        raise InputError(f"radii must be a list of distances, got shape {found.shape}")
    wrong = ~((found >= 0) & (found < np.inf))
    if wrong.any():
        raise InputError(
            "radii must not be negative, NaN or infinite: they are distances, got "
            f"{found[wrong][0]:g}"
        )
    return found


def _hits_at(
    certificates: Certificates, mechanism: str, radii: Float[np.ndarray, " points"]
) -> Int[np.ndarray, " points"]:
    hit = np.sort(certificates.radii[mechanism][hits(certificates, mechanism)])
    return len(hit) - np.searchsorted(hit, radii, side="left")


def _check_images(certificates: Certificates) -> None:
    if len(certificates) == 0:
        raise InputError("there are no images to take a share of")
