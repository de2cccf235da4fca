"""Stop when little more is to be had."""

from collections.abc import Sequence
from functools import partial
from numbers import Real

import numpy as np
from jaxtyping import Bool

from simplicert.errors import InputError
from simplicert.mechanisms.protocol import Mechanism
from simplicert.procedures import Procedure
from simplicert.stopping.prospects import Prospects
from simplicert.stopping.protocol import Outcome, Rule
from simplicert.votes import Look, Manifest, Votes

__all__ = ["within"]


def within(
    share: float,
    *,
    radius: float | None = None,
    mechanism: str | Mechanism | None = None,
    procedure: str | Procedure | None = None,
    asymptotic: bool = False,
) -> Rule:
    """Stop an image when its radius is nearly what the last look would certify at best.

    At best means: if the draws until then are the best to be expected
    (``docs/looks.md``). An image whose draws all agree can always reach further with
    more of them; say the largest ``radius`` of interest, or it is drawn to the end.

    Args:
        share: What may be missing of the radius, in (0, 1): 0.05 is 5 %.
        radius: The largest of interest, in input units; ``None``: there is none.
        mechanism: By which radii are certified, as ``certify`` takes it; a monotone
            one.
        procedure: Likewise.
        asymptotic: Likewise.

    Raises:
        InputError: ``share`` outside (0, 1), or a ``radius`` that is not positive and
            finite; or as ``Prospects.of``.

    Example:
        >>> within(0.05, radius=1).spec["share"]
        0.05
    """
    if not _is_number(share) or not 0.0 < float(share) < 1.0:
        raise InputError(f"within takes a share in (0, 1), as 0.05 is, got {share!r}")
    if radius is not None and not (_is_number(radius) and 0.0 < float(radius) < np.inf):
        raise InputError(
            "within takes a largest radius of interest that is positive and finite, "
            f"got {radius!r}"
        )
    missing, cap = float(share), np.inf if radius is None else float(radius)
    prospects = Prospects.of(
        mechanism=mechanism, procedure=procedure, asymptotic=asymptotic
    )
    return Rule(
        name="within",
        decided=partial(_decided, prospects, missing, cap),
        parameters={
            "share": missing,
            "radius": None if radius is None else cap,
            **prospects.spec,
        },
        outcome=partial(_outcome, prospects, missing, cap),
        fits=partial(_fits, prospects),
    )


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _decided(
    prospects: Prospects, share: float, cap: float, votes: Votes, alpha: float
) -> Bool[np.ndarray, " images"]:
    enough = np.minimum(prospects.best(votes, alpha), cap) * (1.0 - share)
    return np.asarray(prospects.now(votes, alpha) >= enough)


def _outcome(
    prospects: Prospects, share: float, cap: float, votes: Votes, alpha: float
) -> Outcome:
    certified = prospects.now(votes, alpha) > 0.0
    decided = _decided(prospects, share, cap, votes, alpha)
    words = np.select([~decided, certified], ["open", "certified"], "futile")
    return {f"within {share:.2g}": words}


def _fits(
    prospects: Prospects, manifest: Manifest, looks: Sequence[Look], alpha: float
) -> None:
    largest, look = prospects.largest(manifest, looks, alpha)
    if not largest > 0.0:
        raise InputError(
            f"within: {look.draws:,} draws can certify nothing at alpha {alpha:g}: "
            "draw more"
        )
