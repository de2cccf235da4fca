"""A function that draws as it likes from a black box of labels, and certifies."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from simplicert.audit.procedures.answers import (
    Answers,
    Asked,
    checked_number,
    one_by_one,
)

__all__ = ["OfDraws"]


@dataclass(kw_only=True, eq=False)
class OfDraws:
    """A function of ``(draw, *, sigma, alpha)`` → (class, radius), on trial.

    Attributes:
        name: What it is called.
        function: The function.
        sizes: Numbers of draws that may have bounded something: at once, or in all.
    """

    name: str
    function: Callable[..., Any]
    sizes: set[int] = field(default_factory=set)

    kind: ClassVar[str] = "function of a black box of labels"
    noise: ClassVar[str] = "gaussian"
    scores: ClassVar[bool] = False
    sigmas: ClassVar[tuple[float, ...]] = (0.5, 2.0)
    usual_trials: ClassVar[int] = 2000

    def answers(self, asked: Asked) -> Answers:
        """What it says, with fresh draws for each certificate."""
        upto = np.cumsum(asked.synthetic.widths)[:-1]
        labels = asked.synthetic.scores.argmax(axis=1)
        taken = largest = 0

        def draw(n: object) -> np.ndarray:
            nonlocal taken, largest
            number = checked_number(n, taken)
            taken += number
            largest = max(largest, number)
            place = asked.generator.random(number)
            return np.asarray(labels[np.searchsorted(upto, place, side="right")])

        def certified() -> tuple[object, int]:
            nonlocal taken
            taken = 0
            return self.function(draw, sigma=asked.sigma, alpha=asked.alpha), taken

        found = one_by_one(self.name, asked, certified)
        total = int(found.draws.max())
        # In all, unless the rest is little, as what chooses a class is.
        self.sizes |= {n for n in (largest, total) if n == largest or n > 2 * largest}
        self.sizes.discard(0)
        return found
