"""Classifiers whose true class and true radius are known: stripes along one line.

The classifier looks at one coordinate, and answers by the stripe in which it lies.
Under noise the stripes' probabilities are whatever widths they are given, so that every
vector of expectations has such a classifier. Moved along the line by ``r``, a stripe
between ``a`` and ``b`` has the probability ``F(b - r) - F(a - r)``: how far the answer
holds is one equation, and no smaller radius is the truth.

With the best class at one end, the runner-up at the other and the rest between them,
the radius is half of ``z(E0) - z(E1)``: what Neyman and Pearson's lemma allows at least
is attained, so nothing that knows E0 and E1 alone may claim more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from simplicert.arguments import Reals
from simplicert.bounds import clopper_pearson_lower
from simplicert.errors import InputError

__all__ = ["UNANIMOUS", "Synthetic", "holding", "stripes", "worst_cases"]

UNIFORM = 3.0**0.5
"""Half the width of uniform noise whose standard deviation is 1."""

FAR = 64.0
"""Standard deviations: an answer that holds so far holds everywhere."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Synthetic:
    """A base classifier on a line, under noise, and what is true of it.

    Attributes:
        name: What is hard about it, in a few words.
        widths: Each stripe's probability under the noise, from left to right.
        scores: What the classifier answers there, a score a class, summing to at most
            1: its vote is the largest. Along the line the best class never gains on
            ``rival``.
        best: The smoothed classifier's class; with ``rival`` as good, one of them.
        rival: The class that overtakes it first, to the right.
    """

    name: str
    widths: Float[np.ndarray, " stripes"]
    scores: Float[np.ndarray, "stripes classes"]
    best: int
    rival: int

    @property
    def expectations(self) -> Float[np.ndarray, " classes"]:
        """Every class's mean score."""
        return np.asarray(self.widths @ self.scores)

    def edges(self, noise: str = "gaussian") -> Float[np.ndarray, " inner_edges"]:
        """Where one stripe ends and the next begins, from the input, for sigma 1."""
        below = np.cumsum(self.widths)[:-1]
        above = np.cumsum(self.widths[::-1])[:-1][::-1]  # with digits, where it is tiny
        left, right = _quantile(below, noise), -_quantile(above, noise)
        return np.where(below < 0.5, left, right)

    def expectations_at(
        self, moved: float, noise: str = "gaussian"
    ) -> Float[np.ndarray, " classes"]:
        """Every class's mean score where the input has moved along the line."""
        ends = np.concatenate([[-np.inf], self.edges(noise) - moved, [np.inf]])
        # A difference of upper tails where both ends are above 0: it keeps its digits.
        low, high = ends[:-1], ends[1:]
        mass = np.where(
            low > 0.0,
            _below(-low, noise) - _below(-high, noise),
            _below(high, noise) - _below(low, noise),
        )
        return np.asarray(mass @ self.scores)

    def radius(self, noise: str = "gaussian") -> float:
        """How far the answer truly holds, for sigma 1, rounded up; 0 where it is a tie.

        ``inf`` where nothing overtakes it.
        """
        best, rival = self.scores[:, self.best], self.scores[:, self.rival]
        ends = np.zeros(len(best))
        ends[0] = 1.0
        if np.array_equal(best, ends) and np.array_equal(rival, ends[::-1]):
            edges = self.edges(noise)
            return max(float(edges[0] + edges[-1]) / 2.0, 0.0)

        def leads(moved: float) -> bool:
            found = self.expectations_at(moved, noise)
            return bool(found[self.best] > found[self.rival])

        if not leads(0.0):
            return 0.0
        if leads(FAR):
            return np.inf
        low, high = 0.0, FAR
        for _ in range(52):
            middle = (low + high) / 2
            low, high = (middle, high) if leads(middle) else (low, middle)
        return high


def stripes(name: str, expectations: Sequence[float], *, turn: int = 0) -> Synthetic:
    """Hard votes with these expectations, the largest first and the runner-up next.

    Args:
        name: As ``Synthetic`` has it.
        expectations: At least two, summing to 1; in that order, they are classes
            ``turn``, ``turn + 1``, … and 0 after the last.
        turn: Which class is best.

    Example:
        A half-space: its radius is ``z(0.9)``, 1.28155.

        >>> round(stripes("half-space", [0.9, 0.1]).radius(), 5)
        1.28155
    """
    p = np.asarray(expectations, dtype=np.float64)
    classes = len(p)
    legal = p.ndim == 1 and classes > 1 and (p >= 0).all() and abs(p.sum() - 1) < 1e-9
    if not legal or not p[0] >= p[1] >= p[1:].max():
        raise InputError(
            "a synthetic classifier's expectations must be at least two, sum to 1, and "
            f"begin with the largest and the runner-up, got {expectations!r}"
        )
    order = np.array([0, *range(2, classes), 1])
    labels = (order + turn) % classes
    return Synthetic(
        name=name,
        widths=p[order],
        scores=np.eye(classes)[labels],
        best=int(labels[0]),
        rival=int(labels[-1]),
    )


UNANIMOUS = Synthetic(
    name="all draws agree",
    widths=np.ones(1),
    scores=np.array([[1.0, 0.0]]),
    best=0,
    rival=1,
)
"""Always class 0 of two."""


def worst_cases(*, alpha: float, draws: Sequence[int], scores: bool) -> list[Synthetic]:
    """Classifiers on which a procedure that is false too often is likely to show it.

    Args:
        alpha: Failure probability that is claimed.
        draws: How many draws the procedure takes, as far as it is known.
        scores: Whether it looks at soft scores; then there are some that are not 0 or
            1, too.
    """
    cases = [*_anywhere(), *_of_draws(alpha, draws)]
    found = [stripes(name, p, turn=i) for i, (name, p) in enumerate(cases)]
    return found + (list(_soft(draws)) if scores else [])


def holding(radius: float, noise: str = "gaussian") -> Synthetic | None:
    """A half-space whose answer holds a little less far; ``None`` where there is none.

    Args:
        radius: For sigma 1: one that a procedure gives. As often as it gives that or
            more here, it is false, so that its bound, whatever it is, fails most often.
        noise: The noise.
    """
    p = float(_below(np.array(radius), noise)) * (1 - 1e-7)
    if not 0.5 < p < 1.0:
        return None
    return stripes("just below a radius that it gives", [p, 1 - p])


def _anywhere() -> Iterator[tuple[str, list[float]]]:
    """Ties, where naming anything is false; near ties, many classes, and certainty."""
    yield "tie of two", [0.5, 0.5]
    yield "tie of three", [1 / 3] * 3
    yield "tie of two, and a third", [0.4, 0.4, 0.2]
    yield "tie of two, and a rare third", [0.495, 0.495, 0.01]
    yield "tie of ten", [0.1] * 10
    yield "tie of a hundred", [0.01] * 100
    yield "near tie", [0.52, 0.48]
    yield "near tie of three", [0.36, 0.33, 0.31]
    yield "half, and two rivals", [0.45, 0.3, 0.25]
    yield "small E0 of ten", [0.19, *[0.09] * 9]
    yield "small E0 of a hundred", [0.109, *[0.009] * 99]
    yield "rare rivals", [0.98, *[0.02 / 9] * 9]
    yield "nearly sure", [0.999, 0.001]
    yield "surer than the draws can show", [0.99999, 0.00001]
    yield "nearly sure of three", [0.99, 0.0099, 0.0001]


def _of_draws(alpha: float, draws: Sequence[int]) -> Iterator[tuple[str, list[float]]]:
    """Where the bound of a count lies just above the truth: it fails most often there.

    At ``p`` just below Clopper and Pearson's bound of ``k``, ``k`` votes or more have
    probability alpha exactly: an honest bound fails as often as it may. With ``k = n``
    all draws agree. And one rival ahead of others by more than n draws can blur.
    """
    for n in draws:
        for share, part in ((0.6, 1), (0.9, 1), (0.9, 2), (1.0, 1), (1.0, 2)):
            k = int(np.ceil(share * n))
            p = float(clopper_pearson_lower(k, trials=n, alpha=alpha / part))
            p *= 1 - 1e-7
            if p > 0.5:
                level = "alpha" if part == 1 else f"alpha/{part}"
                yield f"just below the bound of {k} in {n} at {level}", [p, 1 - p]
        ahead = min(0.12 + 3.0 * (0.4 / n) ** 0.5, 0.28)
        rest = (0.6 - ahead) / 4
        yield f"one rival ahead, seen by {n} draws", [0.4, ahead, *[rest] * 4]


def _soft(draws: Sequence[int]) -> Iterator[Synthetic]:
    """Scores that are not 0 or 1, of two classes but one: what a variance can miss."""

    def two(name: str, widths: Sequence[float], best: Sequence[float]) -> Synthetic:
        first = np.array(best)
        return Synthetic(
            name=name,
            widths=np.array(widths),
            scores=np.column_stack([first, 1.0 - first]),
            best=0,
            rival=1,
        )

    yield two("always 0.6", [1.0], [0.6])
    yield two("always a tie", [1.0], [0.5])
    yield Synthetic(
        name="always a tie of three",
        widths=np.ones(1),
        scores=np.full((1, 3), 1 / 3),
        best=0,
        rival=1,
    )
    even = np.linspace(1.0, 0.0, 11)
    yield two("uniform scores, a tie", np.full(11, 1 / 11).tolist(), even.tolist())
    tilted = np.linspace(1.2, 0.8, 11) / 11
    yield two("uniform scores, tilted", tilted.tolist(), even.tolist())
    yield two("two scores", [0.5, 0.5], [0.8, 0.3])
    for n in draws:
        # It is missed by half of all samples, and what they then see has no variance.
        rare = 0.7 / n
        lead = rare / (1.0 - rare)
        yield two(
            f"a spike that {n} draws may miss, a tie",
            [1.0 - rare, rare],
            [0.5 + lead / 2, 0.0],
        )


def _below(value: Reals, noise: str) -> Reals:
    if noise == "uniform":
        return np.asarray(np.clip(0.5 + value / (2.0 * UNIFORM), 0.0, 1.0))
    return np.asarray(ndtr(value))


def _quantile(probability: Reals, noise: str) -> Reals:
    if noise == "uniform":
        return np.asarray(UNIFORM * (2.0 * probability - 1.0))
    return np.asarray(ndtri(probability))
