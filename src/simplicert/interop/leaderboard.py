"""A record for the public board of certified robustness (Li et al.'s SoK)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from simplicert.arguments import checked_distance
from simplicert.certificates.record import Certificates
from simplicert.errors import InputError
from simplicert.rounding import round_down
from simplicert.units import PIXELS
from simplicert.votes.chosen import draws_in_words, images_in_words

__all__ = ["leaderboard_record"]

MOST_ALPHA = 0.001
"""Of a board that takes probabilistic results at confidences of 99.9 % and above."""

_NORMS = {"l1": r"\(\ell_1\)", "l2": r"\(\ell_2\)", "linf": r"\(\ell_\infty\)"}
_NAMES = {"mnist": "MNIST", "cifar10": "CIFAR-10", "imagenet": "ImageNet"}


def leaderboard_record(
    certificates: Certificates,
    *,
    radius: float,
    also: Sequence[float] = (),
    title: str | None = None,
    link: str | None = None,
    venue: str | None = None,
) -> dict[str, Any]:
    """One record of ``_data/board.yml``, and the setting that it belongs to.

    The score is the certified accuracy at one radius, rounded down to a hundredth of a
    per cent. The board has no place for what it rests on: that is in the comment.

    Args:
        certificates: Of labelled images, at an alpha of at most 0.001.
        radius: Of the setting.
        also: Radii to say the certified accuracy at in the comment.
        title: Of the paper that reports it, as what follows; the board wants all three.
        link: To it.
        venue: Where it was published. Without one it is shown as a preprint.

    Returns:
        ``setting``, and ``records`` with the one: ``score``, ``title``, ``link``,
        ``venue``, ``prob``, ``comment``. As JSON it is YAML, too.

    Raises:
        InputError: There are no labels, alpha is larger, the radii are no certificates,
            or in a norm or a unit that the board does not have.

    References:
        Li, Xie and Li 2023, "SoK: Certified Robustness for Deep Neural Networks";
        https://github.com/sokcertifiedrobustness/sokcertifiedrobustness.github.io
    """
    _check(certificates)
    at = checked_distance(radius)
    if at == 0:
        raise InputError("the board has no setting of radius 0: name one, as 0.25")
    data = certificates.source.get("data", "")
    name = data.partition("/")[0]
    setting = (
        f"{_NAMES.get(name, name or 'unknown data')},&nbsp; "
        rf"{_NORMS[certificates.norm]},&nbsp; \(\epsilon={at:g}\)"
    )
    others = [checked_distance(each) for each in also]
    record = {
        "score": f"{_percent(certificates, at)}%",
        "title": title,
        "link": link,
        "venue": venue,
        "prob": True,
        "comment": _comment(certificates, data, others),
    }
    return {"setting": setting, "records": [record]}


def _check(certificates: Certificates) -> None:
    if certificates.labels is None or not len(certificates):
        raise InputError(
            "these images have no labels: the board is about certified accuracy"
        )
    if certificates.asymptotic:
        raise InputError(
            f"{certificates.procedure} is asymptotic: what it gives are no certificates"
        )
    if certificates.alpha > MOST_ALPHA:
        raise InputError(
            "the board takes probabilistic results at a confidence of at least 99.9%, "
            f"and these are at alpha {certificates.alpha:g}: certify the same votes at "
            f"alpha {MOST_ALPHA:g}"
        )
    if certificates.unit not in {None, PIXELS}:
        raise InputError(
            f"radii of the board are distances of pixels in [0, 1], and these are of "
            f"{certificates.unit}: draw the votes in pixels (sample without --unit)"
        )
    if certificates.norm not in _NORMS:
        raise InputError(
            f"the board has settings of {', '.join(_NORMS)}, and none of "
            f"{certificates.norm} balls"
        )


def _percent(certificates: Certificates, radius: float) -> str:
    right = certificates.predicted == certificates.labels
    share = np.mean(right & (certificates.radius >= radius))
    return f"{round_down(100.0 * share, 2):.2f}"


def _comment(certificates: Certificates, data: str, also: Sequence[float]) -> str:
    images = images_in_words(len(certificates), certificates.chosen_from)
    said = [
        f"{images} of {data}" if data else images,
        f"n = {draws_in_words(certificates.draws)} an image",
        f"alpha = {certificates.alpha:g} an image",
        f"{certificates.noise.name} noise of sigma {certificates.sigma:g}",
        f"{certificates.framework} expectations bounded by {certificates.procedure}",
        f"mechanism {certificates.mechanism}",
        f"model {certificates.source.get('model', 'unknown')}",
    ]
    if also:
        shares = (f"{_percent(certificates, r)}% at {r:g}" for r in also)
        said.append(f"certified accuracy {', '.join(shares)}")
    return "; ".join(said)
