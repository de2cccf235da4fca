"""A Simplicert procedure: thousands of trials are the images of one table of votes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from math import comb
from typing import ClassVar

import numpy as np
from jaxtyping import Float, Int
from scipy.special import gammaln, xlogy

from simplicert.audit.procedures.answers import Answers, Asked
from simplicert.audit.procedures.synthetic import Synthetic
from simplicert.certificates.certify import radii_of
from simplicert.mechanisms.protocol import Mechanism
from simplicert.noises import NOISES
from simplicert.procedures import Procedure
from simplicert.votes import Look, Votes, columns
from simplicert.votes.rivals import cells_of, choose_rivals

__all__ = ["OfVotes"]

CELLS = 2**21
"""Numbers of a table of votes at a time."""

OUTCOMES = 30_000
"""So many are certified one by one, rather than a sample of them."""

Stripes = Int[np.ndarray, "outcomes stripes"]
"""How many draws fell into each stripe of a classifier."""


@dataclass(frozen=True, kw_only=True, eq=False)
class OfVotes:
    """A procedure of votes and mechanisms, on trial.

    Attributes:
        procedure: The procedure.
        mechanisms: By name; all their radii hold on one event, so the largest is tried.
        noise: The name of the noise.
        draws: That bound the classes' expectations.
        looks: At which it may stop; it stops at the one that it likes best.
    """

    procedure: Procedure
    mechanisms: Mapping[str, Mechanism]
    noise: str
    draws: int
    looks: tuple[Look, ...] | None = None

    usual_trials: ClassVar[int] = 100_000
    sigmas: ClassVar[tuple[float, ...]] = (0.5, 2.0)

    @property
    def name(self) -> str:
        """What it is called."""
        return self.procedure.name

    @property
    def kind(self) -> str:
        """Which shape it has, in words."""
        names = ", ".join(self.mechanisms)
        kind = f"procedure of {self.procedure.statistic} votes; largest of {names}"
        return f"{kind}; asymptotic" if self.procedure.asymptotic else kind

    @property
    def scores(self) -> bool:
        """Whether it looks at soft scores."""
        return self.procedure.statistic != "multinomial"

    @property
    def sizes(self) -> set[int]:
        """Numbers of draws that bound something."""
        return {self.draws}

    @property
    def choosing(self) -> int:
        """Other draws that choose the class, where it needs them: a fifth as many."""
        return max(self.draws // 5, 1) if self.procedure.separate else 0

    def stopping(self) -> "OfVotes":
        """The same, free to stop at three looks whose shares of alpha are fixed."""
        ends = sorted({max(self.draws // 4, 1), max(self.draws // 2, 1)})
        early = [Look(n, 0.4 / len(ends)) for n in ends if n < self.draws]
        return replace(self, looks=(*early, Look(self.draws, 0.6)))

    def answers(self, asked: Asked) -> Answers:
        """Of samples of the stripes; at looks, the largest radius of any."""
        widths, parts = asked.synthetic.widths, []
        margins = "margins" in self.procedure.columns
        width = columns.CELLS if margins else asked.synthetic.scores.shape[1]
        batch = max(1, CELLS // width)
        for start in range(0, asked.trials, batch):
            size = min(batch, asked.trials - start)
            chosen = None
            if self.choosing:
                chosen = asked.generator.multinomial(self.choosing, widths, size=size)
            seen, before = np.zeros((size, len(widths)), dtype=np.int64), 0
            best = Answers(
                named=np.full(size, -1),
                radius=np.zeros(size),
                draws=np.full(size, self.draws + self.choosing),
            )
            for look in self.looks or (Look(self.draws, 1.0),):
                more = look.draws - before
                seen = seen + asked.generator.multinomial(more, widths, size=size)
                before = look.draws
                here = self.certified(asked, seen, chosen)
                better = ~(here.radius <= best.radius)  # NaN is not lost
                best = Answers(
                    named=np.where(better, here.named, best.named),
                    radius=np.where(better, here.radius, best.radius),
                    draws=best.draws,
                )
            parts.append(best)
            asked.progress(size)
        return Answers.joined(parts)

    def certified(self, asked: Asked, seen: Stripes, chosen: Stripes | None) -> Answers:
        """What it says of these draws."""
        first = None if chosen is None else chosen @ asked.synthetic.scores
        rivals = None
        if first is not None and "margins" in self.procedure.columns:
            rivals = choose_rivals(first, rivals=0)
        votes = self._votes(asked, seen, self.looks, rivals)
        if chosen is not None:
            votes = votes.chosen_by(self._votes(asked, chosen, None, rivals))
        found = self.procedure(votes, alpha=asked.alpha)
        radius = np.zeros(len(votes))
        for each in self.mechanisms.values():
            radius = np.maximum(radius, radii_of(votes, found, each))
        return Answers(
            named=np.where(radius > 0, found.top, -1),
            radius=radius,
            draws=votes.draws + self.choosing,
        )

    def countable(self, synthetic: Synthetic) -> bool:
        """Whether its outcomes are few, and it cannot choose when to stop."""
        kinds = len(synthetic.widths)
        number = comb(self.draws + kinds - 1, kinds - 1)
        number *= comb(self.choosing + kinds - 1, kinds - 1)
        return number <= OUTCOMES and self.looks is None

    def outcomes(
        self, synthetic: Synthetic
    ) -> tuple[Float[np.ndarray, " outcomes"], Stripes, Stripes | None]:
        """All there are: their probabilities, and draws of each stripe.

        And of those that choose the class, where the procedure has some.
        """
        kinds = len(synthetic.widths)
        seen, chosen = divided(self.draws, kinds), divided(self.choosing, kinds)
        mass = _mass(seen, synthetic.widths)
        if not self.choosing:
            return mass, seen, None
        both = np.outer(mass, _mass(chosen, synthetic.widths)).ravel()
        here, there = np.divmod(np.arange(len(both)), len(chosen))
        return both, seen[here], chosen[there]

    def _votes(
        self,
        asked: Asked,
        seen: Stripes,
        looks: tuple[Look, ...] | None,
        rivals: Int[np.ndarray, "samples 1"] | None,
    ) -> Votes:
        scores = asked.synthetic.scores
        hard = np.eye(scores.shape[1], dtype=np.int64)[scores.argmax(axis=1)]
        return Votes(
            counts=seen @ hard,
            score_sums=seen @ scores if self.scores else None,
            score_squares=seen @ scores**2 if self.scores else None,
            margins=None if rivals is None else _margins(scores, seen, rivals),
            rivals=rivals,
            draws=seen.sum(axis=1),
            indices=np.arange(len(seen)),
            sigma=asked.sigma,
            source={},
            noise=NOISES.find(self.noise),
            looks=looks,
        )


def _margins(
    scores: Float[np.ndarray, "stripes classes"],
    seen: Stripes,
    rivals: Int[np.ndarray, "samples 1"],
) -> Int[np.ndarray, "samples cells"]:
    """Histograms of each sample's class over the largest of all others."""
    found = np.zeros((len(seen), columns.CELLS), dtype=np.int64)
    for top in np.unique(rivals):
        here = rivals[:, 0] == top
        for stripe, cell in enumerate(cells_of(scores, np.array([top]))[0]):
            found[here, cell] += seen[here, stripe]
    return found


def divided(total: int, parts: int) -> Stripes:
    """Every way to divide a number of draws among stripes.

    Example:
        >>> divided(2, 2).tolist()
        [[0, 2], [1, 1], [2, 0]]
    """
    # Draws in a row, and bars between them: the bars' places say it.
    places = total + parts - 1
    bars = np.array(list(combinations(range(places), parts - 1)), dtype=np.int64)
    bars = bars.reshape(comb(places, parts - 1), parts - 1)  # of one part, none
    ends = np.full((len(bars), 1), places)
    return np.diff(np.hstack([ends * 0 - 1, bars, ends]), axis=1) - 1


def _mass(
    seen: Stripes, widths: Float[np.ndarray, " stripes"]
) -> Float[np.ndarray, " outcomes"]:
    ways = gammaln(seen.sum(axis=1) + 1) - gammaln(seen + 1).sum(axis=1)
    return np.asarray(np.exp(ways + xlogy(seen, widths).sum(axis=1)))
