"""What every attack is given, and what it returns."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float32, Int

from simplicert.audit.attack.ball import Balls
from simplicert.audit.attack.target import Target

__all__ = ["Attack", "Hunt"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Hunt:
    """Some balls, and what is known of them so far.

    Attributes:
        target: The smoothed classifier.
        balls: Where to search.
        best: The point of each that was nearest to a change so far.
        others: Images of the data set, some of them perhaps.
        classes: Their classes: as certified, else as they are labelled or voted.
        beyond: Whether the balls are larger than what is certified.
        effort: 0 at the first try, and one more at each that follows.
        rng: For choices.
        over: Whether the time is over; then an attack yields what it has.
    """

    target: Target
    balls: Balls
    best: Float32[np.ndarray, "balls ..."]
    others: Float32[np.ndarray, "others ..."]
    classes: Int[np.ndarray, " others"]
    beyond: bool
    effort: int
    rng: np.random.Generator
    over: Callable[[], bool]

    def harder(self, least: int, most: int) -> int:
        """A number that doubles with each try."""
        return min(least << min(self.effort, 20), most)

    def start(self) -> Float32[np.ndarray, "balls ..."]:
        """The centres at first; later the best points, or anywhere in the balls."""
        if self.effort == 0:
            return self.balls.centres.astype(np.float32)
        if self.effort % 2:
            return self.best.copy()
        moves = self.rng.standard_normal(self.balls.centres.shape)
        far = self.balls.reach * self.rng.random(len(self.balls))
        return self.balls.inside(self.balls.centres + self.scaled(moves, far))

    def scaled(
        self,
        moves: Float[np.ndarray, "balls ..."],
        length: Float[np.ndarray, " balls"],
    ) -> Float[np.ndarray, "balls ..."]:
        """Moves of this l2 length, whatever the norm of the balls."""
        flat = moves.reshape(len(moves), -1)
        size = np.maximum(np.linalg.norm(flat, axis=1), 1e-300)
        scaled: Float[np.ndarray, "balls ..."] = (
            flat * (length / size)[:, None]
        ).reshape(moves.shape)
        return scaled

    def stride(self) -> Float[np.ndarray, " balls"]:
        """How far, in l2, a move can lead that stays in a ball."""
        values = self.balls.centres[0].size
        return self.balls.reach * (values**0.5 if self.balls.norm == "linf" else 1.0)


Attack = Callable[[Hunt], Iterator[Float[np.ndarray, "balls ..."]]]
"""Yields points to try, one a ball; those outside their ball are moved inside."""
