"""The paper's Tables 1 and 2."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from jaxtyping import Float

from simplicert import paper
from simplicert.analysis.accuracy import average_name, counted_radius, top_right
from simplicert.analysis.signed_rank import signed_rank
from simplicert.certificates import Certificates
from simplicert.certificates.record import ASYMPTOTIC
from simplicert.errors import InputError, unknown_name
from simplicert.mechanisms import BUILT_IN
from simplicert.paper import BASELINE, RADIUS_OF_INTEREST

__all__ = [
    "has_baseline",
    "improvement_survival",
    "largest_mechanism",
    "largest_shares",
    "table1",
    "table2",
]

TIE = 1e-9
"""Relative difference below which two searched radii are one number."""


def table1(certificates: Certificates) -> pd.DataFrame:
    """The paper's Table 1: what each mechanism makes of one set of votes.

    Every share is of all images; one that a mechanism does not certify has radius 0
    there. ``largest`` is defined among the paper's mechanisms only, which
    ``largest_shares`` compares; it is NaN in other rows. (The column ``largest`` of
    ``Certificates.table`` is another: the largest of the *ensemble's members*.)

    Returns:
        One row a mechanism: ``mechanism``, ``framework``, ``procedure``
        (``asymptotic``, where that guarantees nothing), ``noise``, ``norm``,
        ``sigma``, ``draws`` (mean an image), ``alpha``, ``images``, ``top1`` (share of
        images whose top class is the label, certified or not; NaN without labels, or
        where a log does not say what the top class of its abstentions is),
        ``median_radius``,
        ``average_certified_radius`` (without labels ``average_radius``), ``largest``,
        ``above_0.05``.

    Raises:
        InputError: There are no images.

    References:
        Cullen et al. 2024, Table 1.
    """
    if len(certificates) == 0:
        raise InputError("there are no images to tabulate")
    top1 = float(top_right(certificates).mean())
    largest = largest_shares(certificates)
    rows = [
        {
            "mechanism": mechanism,
            "framework": certificates.framework,
            "procedure": certificates.procedure,
            **({ASYMPTOTIC: True} if certificates.asymptotic else {}),
            "noise": certificates.noise.name,
            "norm": certificates.norm,
            "sigma": certificates.sigma,
            "draws": mean_draws(certificates),
            "alpha": certificates.alpha,
            "images": len(certificates),
            "top1": top1,
            "median_radius": float(np.median(radius)),
            average_name(certificates): float(
                counted_radius(certificates, mechanism).mean()
            ),
            "largest": largest.get(mechanism, float("nan")),
            "above_0.05": float((radius > RADIUS_OF_INTEREST).mean()),
        }
        for mechanism, radius in certificates.radii.items()
    ]
    return pd.DataFrame(rows)


def mean_draws(certificates: Certificates) -> int | float:
    """Draws an image; a whole number where all images have as many."""
    mean = float(certificates.draws.mean())
    return int(mean) if mean.is_integer() else mean


def largest_shares(certificates: Certificates) -> dict[str, float]:
    """Share of images on which each of the paper's mechanisms has the largest radius.

    Where m mechanisms share the largest radius each gets 1/m of the image; an image
    that none certifies goes to none. So they sum to the share that any certifies.
    """
    names = _contenders(certificates)
    if not names:
        return {}
    credit = _credit(np.stack([certificates.radii[name] for name in names]))
    return dict(zip(names, credit.mean(axis=1).tolist(), strict=True))


def table2(certificates: Certificates, *, baseline: str = BASELINE) -> pd.DataFrame:
    """The paper's Table 2: how much larger the other mechanisms' radii are.

    Over the images that ``baseline`` certifies. The Wilcoxon signed-rank test asks
    whether radii are larger than the baseline's (one-sided), with zeros ranked as Pratt
    does. It is exact for up to 460 images, or 70 that differ among 10,000; beyond that
    normal, with a correction that errs on the large side. Radii that agree to one part
    in 10⁹ are equal.

    Returns:
        One row a mechanism other than the baseline: ``mechanism``, ``baseline``,
        ``sigma``, ``images`` (those certified by the baseline), ``statistic``,
        ``p_value``, ``improved`` (share of them), ``median_gain``, ``mean_gain`` (in
        input units), ``median_gain_percent``, ``mean_gain_percent``. With no such
        image every number is NaN; with no difference the p-value is 1.

    Raises:
        InputError: ``baseline`` is not a column of these certificates, or the only one.

    References:
        Cullen et al. 2024, Table 2. Pratt 1959, doi:10.1080/01621459.1959.10501526.
    """
    rows = []
    for mechanism, base, gain in _gains(certificates, baseline):
        statistic, p_value = signed_rank(gain) if len(gain) else (np.nan, np.nan)
        percent = 100.0 * gain / base
        row = {
            "mechanism": mechanism,
            "baseline": baseline,
            "sigma": certificates.sigma,
            "images": len(gain),
            "statistic": statistic,
            "p_value": p_value,
            "improved": _of(np.mean, gain > 0),
            "median_gain": _of(np.median, gain),
            "mean_gain": _of(np.mean, gain),
            "median_gain_percent": _of(np.median, percent),
            "mean_gain_percent": _of(np.mean, percent),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def improvement_survival(
    certificates: Certificates,
    percents: Float[np.ndarray, " points"],
    *,
    baseline: str = BASELINE,
) -> pd.DataFrame:
    """Share of images whose radius grows by more than each percentage (Fig. 7).

    Over the images that ``baseline`` certifies; NaN if there are none.

    Returns:
        One row a mechanism other than the baseline and percentage: ``mechanism``,
        ``baseline``, ``percent``, ``share``.

    References:
        Cullen et al. 2024, Figure 7.
    """
    frames = []
    for mechanism, base, gain in _gains(certificates, baseline):
        percent = np.sort(100.0 * gain / base)
        more = len(percent) - np.searchsorted(percent, percents, side="right")
        share = more / len(percent) if len(percent) else np.full(len(percents), np.nan)
        frames.append(
            pd.DataFrame(
                {
                    "mechanism": mechanism,
                    "baseline": baseline,
                    "percent": percents,
                    "share": share,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def has_baseline(certificates: Certificates) -> bool:
    """Whether the paper's baseline is there, and another mechanism to compare."""
    return BASELINE in certificates.radii and len(certificates.radii) > 1


def _gains(
    certificates: Certificates, baseline: str
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each other mechanism's name, the baseline's positive radii and what it adds."""
    if baseline not in certificates.radii:
        if baseline in BUILT_IN:
            raise InputError(
                f"{baseline} does not apply to {certificates.framework} certificates "
                f"under {certificates.noise}. They have: "
                f"{', '.join(certificates.radii)}"
            )
        raise unknown_name("mechanism", baseline, certificates.radii)
    if len(certificates.radii) == 1:
        raise InputError(
            f"nothing to compare with {baseline}: no other mechanism applies to "
            f"{certificates.framework} certificates under {certificates.noise}"
        )
    positive = certificates.radii[baseline] > 0
    base = certificates.radii[baseline][positive]
    for mechanism, radius in certificates.radii.items():
        if mechanism != baseline:
            gain = radius[positive] - base
            yield mechanism, base, np.where(np.abs(gain) <= TIE * base, 0.0, gain)


def _of(statistic: Callable[[np.ndarray], object], values: np.ndarray) -> float:
    """The statistic; NaN of nothing, where NumPy would warn."""
    return float(statistic(values)) if len(values) else float("nan")  # type: ignore[arg-type]


def largest_mechanism(certificates: Certificates) -> np.ndarray:
    """Which of the paper's mechanisms has each image's largest radius.

    The first of equals; ``""`` where none certifies. Where there is none of the paper's
    mechanisms, such as for reported radii, among the ensemble's members.
    """
    names = _contenders(certificates)
    if not names:
        return certificates.largest
    stack = np.stack([certificates.radii[name] for name in names])
    winners = np.array(names)[stack.argmax(axis=0)]
    return np.where(stack.max(axis=0) > 0, winners, "")


def _contenders(certificates: Certificates) -> list[str]:
    return [name for name in paper.MECHANISMS if name in certificates.radii]


def _credit(
    radii: Float[np.ndarray, "mechanisms images"],
) -> Float[np.ndarray, "mechanisms images"]:
    best = radii.max(axis=0)
    winners = (radii >= best * (1.0 - TIE)) & (best > 0)
    credit: np.ndarray = winners / np.maximum(winners.sum(axis=0), 1)
    return credit
