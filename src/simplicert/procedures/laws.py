"""What every procedure obeys, tried at the door: exactly, on two classes."""

import numpy as np
from scipy.special import gammaln, xlog1py, xlogy

from simplicert.errors import InputError
from simplicert.plugins import shown_as_theirs
from simplicert.procedures.protocol import Intervals, Procedure
from simplicert.procedures.reach import one_hot
from simplicert.votes import Votes

__all__ = ["check_procedure"]

DRAWS = (1, 2, 12, 40)
ALPHAS = (0.4, 0.05)
EXPECTATIONS = np.linspace(0.0, 1.0, 101)


def check_procedure(procedure: Procedure) -> Procedure:
    """The same procedure, if its certificates are false at most alpha often.

    Every outcome of some draws of two classes is certified, and the probability of the
    false ones added up, at 101 expectations. That catches bounds at the whole of alpha
    each, alpha taken for confidence, and estimates taken for bounds. It proves nothing
    for other numbers of draws, of classes, or for scores between 0 and 1.

    Raises:
        InputError: It raises, returns something else, or is false too often.
    """
    for draws in DRAWS:
        counts = np.arange(draws + 1)
        votes = one_hot(counts, draws)
        for alpha in ALPHAS:
            # Whatever was chosen, where other draws choose.
            for chosen in (draws, 0):
                given = votes.chosen_by(one_hot(np.full(draws + 1, chosen), draws))
                found = _called(
                    procedure, given if procedure.separate else votes, alpha
                )
                _check_coverage(procedure, found, counts, draws=draws, alpha=alpha)
    return procedure


def _called(procedure: Procedure, votes: Votes, alpha: float) -> Intervals:
    with shown_as_theirs(f"procedure {procedure.name!r}"):
        found = procedure(votes, alpha=alpha)
    if not isinstance(found, Intervals):
        raise InputError(
            f"procedure {procedure.name!r} returned {type(found).__name__}, not "
            "simplicert.procedures.Intervals"
        )
    for name in ("e0_lower", "e1_upper"):
        bound = np.asarray(getattr(found, name))
        if bound.shape != (len(found.top),) or not ((bound >= 0) & (bound <= 1)).all():
            raise InputError(
                f"procedure {procedure.name!r}: {name} must be one number an image, in "
                "[0, 1]"
            )
    return found


def _check_coverage(
    procedure: Procedure,
    found: Intervals,
    counts: np.ndarray,
    *,
    draws: int,
    alpha: float,
) -> None:
    e0_lower = found.e0_lower
    named = e0_lower > np.minimum(found.e1_upper, 1.0 - e0_lower)
    for expectation in EXPECTATIONS:
        of_top = np.where(found.top == 0, expectation, 1.0 - expectation)
        wrong = of_top <= 0.5  # not the one best class
        wrong |= (e0_lower > of_top) | (found.e1_upper < 1.0 - of_top)
        weight = np.exp(
            gammaln(draws + 1)
            - gammaln(counts + 1)
            - gammaln(draws - counts + 1)
            + xlogy(counts, expectation)
            + xlog1py(draws - counts, -expectation)
        )
        false = float(weight[named & wrong].sum())
        if false > alpha * (1.0 + 1e-9):
            raise InputError(
                f"procedure {procedure.name!r} certifies falsely with probability "
                f"{false:.3g} at alpha = {alpha:g}: {draws} draws of two classes with "
                f"expectations {expectation:g} and {1.0 - expectation:g}"
            )
