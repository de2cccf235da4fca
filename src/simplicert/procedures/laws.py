"""What every procedure obeys, tried at the door: exactly, on two and three classes."""

import itertools
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int
from scipy.special import gammaln, ndtri, xlogy

from simplicert.errors import InputError
from simplicert.plugins import shown_as_theirs
from simplicert.procedures.protocol import Intervals, Procedure
from simplicert.procedures.reach import one_hot
from simplicert.votes import Votes

__all__ = ["check_procedure", "guarded"]

ALPHAS = (0.4, 0.05, 0.001)

TRIED = {2: ((1, 2, 12, 40, 1000), 100), 3: ((12, 40), 12)}
"""By the number of classes: numbers of draws of which every outcome can be tried, and
what expectations are multiples of one over."""


def guarded(procedure: Procedure) -> Procedure:
    """Somebody else's procedure: it sees what it says it reads, and is watched.

    Of evidence that is not among its columns it is given none, so that what it says of
    its statistic is true. What it raises, and what it returns that is no ``Intervals``
    of these images, is an error that names it, on every call.
    """

    def intervals(votes: Votes, alpha: float) -> Intervals:
        with shown_as_theirs(f"procedure {procedure.name!r}"):
            found = procedure.intervals(_narrowed(votes, procedure.columns), alpha)
            return _checked(procedure, found, votes)

    return replace(procedure, intervals=intervals)


def check_procedure(procedure: Procedure) -> Procedure:
    """The procedure, guarded, if its certificates are false at most alpha often.

    Every outcome of some draws of two and of three classes is certified, and the
    probability of the false ones added up, at many expectations. That catches bounds at
    the whole of alpha each, alpha taken for confidence, estimates taken for bounds, and
    the wrong runner-up. It proves nothing for other numbers of draws and classes, or
    for scores between 0 and 1. Where other draws choose the class, it is to hold
    whichever they choose. Of an asymptotic procedure, which claims no probability, the
    answers' form alone is checked.

    Raises:
        InputError: It raises, returns something else, or is false too often.
    """
    procedure = guarded(procedure)
    for classes, (numbers, steps) in TRIED.items():
        laws = _divided(steps, classes) / steps
        for draws, alpha in itertools.product(numbers, ALPHAS):
            counts = _divided(draws, classes)
            for chosen in range(classes if procedure.separate else 1):
                others = np.zeros_like(counts)
                others[:, chosen] = draws
                votes = one_hot(counts).chosen_by(one_hot(others))
                found = procedure(votes, alpha=alpha)
                if not procedure.asymptotic:
                    _check_coverage(procedure, found, counts, laws, alpha)
    return procedure


def _divided(total: int, classes: int) -> Int[np.ndarray, "ways classes"]:
    """Every way to divide a number among classes."""
    parts = itertools.product(range(total + 1), repeat=classes - 1)
    table = np.array([part for part in parts if sum(part) <= total])
    return np.column_stack([table, total - table.sum(axis=1)])


def _narrowed(votes: Votes, columns: tuple[str, ...]) -> Votes:
    """Votes with the evidence of these columns alone, and so their selection."""
    hidden: dict[str, np.ndarray | None] = {
        name: None for name in votes.columns if name not in columns
    }
    if "counts" in hidden:
        hidden["counts"] = np.zeros_like(votes.counts)
    chosen = votes.selection
    return replace(
        votes,
        **hidden,  # type: ignore[arg-type]  # their names are fields
        selection=None if chosen is None else _narrowed(chosen, columns),
    )


def _checked(procedure: Procedure, found: object, votes: Votes) -> Intervals:
    if not isinstance(found, Intervals):
        raise InputError(
            f"procedure {procedure.name!r} returned {type(found).__name__}, not "
            "simplicert.procedures.Intervals"
        )
    for name in ("e0", "e1", "e0_lower", "e1_upper"):
        bound = np.asarray(getattr(found, name))
        inside = (bound >= 0) & (bound <= 1)  # false for NaN
        right = bound.shape == (len(votes),) and bound.dtype == np.float64
        if not right or not inside.all():
            raise InputError(
                f"procedure {procedure.name!r}: {name} must be one float64 an image, "
                f"in [0, 1], got {bound.dtype} of shape {bound.shape}"
            )
    if (found.radius is None) != (procedure.radius_of is None):
        raise InputError(
            f"procedure {procedure.name!r}: it must give a radius where radius_of says "
            "whose it bounds, and only there"
        )
    if found.radius is not None:
        radius = np.asarray(found.radius)
        right = radius.shape == (len(votes),) and radius.dtype == np.float64
        if not right or not (np.isfinite(radius) & (radius >= 0)).all():
            raise InputError(
                f"procedure {procedure.name!r}: radius must be one float64 an image, "
                f"finite and not negative, got {radius.dtype} of shape {radius.shape}"
            )
    for name in ("top", "runner_up"):
        named = np.asarray(getattr(found, name))
        inside = (named >= 0) & (named < votes.classes)
        right = named.shape == (len(votes),) and named.dtype.kind in "iu"
        if not right or not inside.all():
            raise InputError(
                f"procedure {procedure.name!r}: {name} must be one class an image, "
                f"0 … {votes.classes - 1}"
            )
    return found


def _check_coverage(
    procedure: Procedure,
    found: Intervals,
    counts: Int[np.ndarray, "outcomes classes"],
    laws: Float[np.ndarray, "laws classes"],
    alpha: float,
) -> None:
    draws = int(counts[0].sum())
    ways = gammaln(draws + 1) - gammaln(counts + 1).sum(axis=1)
    for law in laws:
        others = np.array([np.delete(law, top).max() for top in range(len(law))])
        wrong = law[found.top] <= others[found.top]  # not the one best class
        wrong |= found.e0_lower > law[found.top]
        wrong |= found.others_upper < others[found.top]
        if found.radius is not None:
            gap = ndtri(law[found.top]) - ndtri(others[found.top])
            wrong |= found.radius > gap / 2 * (1.0 + 1e-12)
        mass = np.exp(ways + xlogy(counts, law).sum(axis=1))
        false = float(mass[found.named & wrong].sum())
        if false > alpha * (1.0 + 1e-9):
            raise InputError(
                f"procedure {procedure.name!r} certifies falsely with probability "
                f"{false:.3g} at alpha = {alpha:g}: {draws} draws of classes with "
                f"expectations {', '.join(f'{share:g}' for share in law)}"
            )
