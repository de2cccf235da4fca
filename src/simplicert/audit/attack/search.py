"""Which balls are attacked, by what, for how long; and what is confirmed."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count, islice

import numpy as np
from jaxtyping import Float, Float32, Int

from simplicert.audit.attack.attacks import ATTACKS
from simplicert.audit.attack.ball import Balls, distance
from simplicert.audit.attack.confirm import Change, Confirmations, draws_to_tell
from simplicert.audit.attack.hunt import Hunt
from simplicert.audit.attack.target import Target

__all__ = ["FACTORS", "Search", "Tally"]

FACTORS = (1.02, 1.05, 1.1, 1.25, 1.5, 2.0, 3.0, 5.0)
"""Multiples of the radii at which is searched outside the balls."""

LOOK, SCREEN, PROMISE = 16, 256, 4096
"""Draws a point: to choose among an attack's points, among attacks', and to decide
whether a test is worth its draws."""

HOPELESS = -0.5
"""The margin of few draws below which more are not worth it: two standard errors."""

PLAIN = 0.5
"""The margin from which a change is plain, and no other point is needed."""

_VALUES = 1 << 22
"""Of the points that are looked at together."""

_TOGETHER = 16
"""Balls whose multiples are searched before the next ones'."""


@dataclass
class Tally:
    """What was tried.

    Attributes:
        tried: Tries by attack and row of the certificates.
        points: Points proposed by each attack.
        promising: Candidates that more draws spoke for, each of which was tested.
    """

    tried: dict[str, Counter[int]] = field(default_factory=dict)
    points: Counter[str] = field(default_factory=Counter)
    promising: int = 0

    @property
    def rows(self) -> set[int]:
        """Rows that at least one attack was tried on."""
        return {row for rows in self.tried.values() for row in rows}


class Search:
    """Hunts for changes in balls, group by group, until its time is over.

    Args:
        target: The smoothed classifier.
        balls: Of the certified radii, the likeliest to break first.
        others: Images to move towards.
        classes: Their classes.
        tests: Of all candidates, inside and outside.
        patience: Seconds that one test may take, about.
        rng: For choices.
        over: Whether a share of the time is over.

    Attributes:
        changes: Everything that was confirmed.
    """

    def __init__(
        self,
        target: Target,
        balls: Balls,
        *,
        others: Float32[np.ndarray, "others ..."],
        classes: Int[np.ndarray, " others"],
        tests: Confirmations,
        patience: float,
        rng: np.random.Generator,
        over: Callable[[float], bool],
    ) -> None:
        self._target, self._balls, self._rng = target, balls, rng
        self._others, self._classes = others, classes
        self._tests, self._patience, self._over = tests, patience, over
        self.changes: list[Change] = []
        self.within, self.outside = Tally(), Tally()

    def said(self) -> str:
        """How many changes are confirmed, and where."""
        within = len(self._changed(1.0))
        beyond = len(self.changes) - within
        return f"changes confirmed: {within} inside balls, {beyond} outside"

    def inside(self, share: float) -> None:
        """Every ball once, then again and harder, until a share of the time is over."""
        for effort in count():
            for group in self._groups():
                balls = group[~np.isin(group.rows, self._changed(1.0))]
                if len(balls):
                    self._hunt(balls, balls.reach, effort, share, self.within)
                if self._over(share):
                    return
            if set(self._balls.rows.tolist()) <= set(self._changed(1.0)):
                return

    def beyond(self, share: float) -> None:
        """Ever larger multiples of each ball, until a change is found.

        Then again and harder, nearer than the nearest so far.
        """
        for effort in count():
            nearest = min((c.over for c in self.changes), default=np.inf)
            for group in self._groups(most=_TOGETHER):
                for factor in FACTORS:
                    balls = group
                    if effort == 0:
                        balls = group[~np.isin(group.rows, self._changed(np.inf))]
                    elif factor >= nearest:
                        break
                    if len(balls):
                        wider = replace(balls, reach=balls.reach * factor)
                        self._hunt(wider, balls.reach, effort, share, self.outside)
                    if self._over(share):
                        return
            if nearest <= FACTORS[0] or effort > 8:
                return

    def _changed(self, below: float) -> list[int]:
        return [change.row for change in self.changes if change.over < below]

    def _groups(self, most: int = 1 << 20) -> Iterator[Balls]:
        values = self._balls.centres[0].size
        size = max(1, min(self._target.batch // LOOK, _VALUES // values, most))
        for start in range(0, len(self._balls), size):
            yield self._balls[start : start + size]

    def _hunt(
        self,
        balls: Balls,
        radii: Float[np.ndarray, " balls"],
        effort: int,
        share: float,
        tally: Tally,
    ) -> None:
        """All attacks on some balls; what looks like a change is tested."""
        best = balls.centres.astype(np.float32)
        by = np.full(len(balls), "", dtype=object)
        margin = np.full(len(balls), -np.inf)
        hunt = Hunt(
            target=self._target,
            balls=balls,
            best=best,  # which the loop below improves
            beyond=bool((balls.reach > radii).any()),
            others=self._others,
            classes=self._classes,
            effort=effort,
            rng=self._rng,
            over=partial(self._over, share),
        )
        for name in ATTACKS:
            found, gained = self._best_of(hunt, name, tally)
            likely = np.flatnonzero(gained > HOPELESS)
            if len(likely):
                gained[likely], _ = self._look(balls[likely], found[likely], SCREEN)
            # Of equals that are no change one that moved: others start from it.
            alike = (gained == margin) & (gained < 0) & (by == "still")
            better = ((gained > margin) & (margin < PLAIN)) | alike
            best[better], by[better] = found[better], name
            margin[better] = gained[better]
            if hunt.over():
                break
        for ball in np.flatnonzero(margin > 0):
            self._settle(
                balls[[ball]],
                best[ball],
                radii[ball],
                str(by[ball]),
                tally,
                draws=SCREEN if margin[ball] >= PLAIN else PROMISE,
            )

    def _best_of(
        self, hunt: Hunt, name: str, tally: Tally
    ) -> tuple[Float32[np.ndarray, "balls ..."], Float[np.ndarray, " balls"]]:
        """The point of each ball with most votes for another class, of few draws.

        And by how many more than the class held, as a share; none was proposed: -inf.
        """
        balls, proposed = hunt.balls, ATTACKS[name](hunt)
        best, margin = balls.centres.astype(np.float32), np.full(len(balls), -np.inf)
        tried = False
        together = max(1, min(16, _VALUES // balls.centres.size))
        while some := list(islice(proposed, together)):
            points = [balls.inside(each) for each in some]
            tally.points[name] += len(points) * len(balls)
            tally.tried.setdefault(name, Counter()).update(
                () if tried else balls.rows.tolist()
            )
            tried = True
            many = balls[np.tile(np.arange(len(balls)), len(points))]
            found, _ = self._look(many, np.concatenate(points), LOOK)
            for each, gained in zip(points, np.split(found, len(points)), strict=True):
                better = gained > margin
                best[better], margin[better] = each[better], gained[better]
            if hunt.over():
                break
        return best, margin

    def _look(
        self, balls: Balls, points: Float32[np.ndarray, "balls ..."], draws: int
    ) -> tuple[Float[np.ndarray, " balls"], Int[np.ndarray, " balls"]]:
        """The share of the best rival less that of the class held; and which it is."""
        counts = self._target.votes(points, draws)
        here = np.arange(len(balls))
        own = counts[here, balls.held]
        rivals = counts.copy()
        rivals[here, balls.held] = -1
        rival = rivals.argmax(axis=1)
        return (rivals[here, rival] - own) / draws, rival

    def _settle(
        self,
        ball: Balls,
        point: Float32[np.ndarray, "..."],
        radius: float,
        name: str,
        tally: Tally,
        *,
        draws: int,
    ) -> None:
        """Test one candidate, and where it is beyond the radius also nearer ones."""
        centre = ball.centres[0].astype(np.float64)
        far = float(distance(point[None], ball.centres, ball.norm)[0])
        shares = [1.0]
        nearest = min((c.over for c in self.changes), default=np.inf)
        if far >= radius and far / radius <= 1.3 * nearest:
            shares, draws = np.linspace(radius / far, 1.0, 9).tolist(), PROMISE
        points = np.stack([(centre + s * (point - centre)) for s in shares])
        points = points.astype(np.float32)
        points[-1] = point
        many = ball[np.zeros(len(points), dtype=int)]
        margins, rivals = self._look(many, points, draws)
        # Two standard errors of a margin near 0, where both get half of the votes.
        most, tests = self._target.most_draws(self._patience), 0
        hopeful = np.flatnonzero(margins > 2.0 / draws**0.5)
        for at in hopeful:
            needed = draws_to_tell(float(margins[at]), self._tests.each)
            if needed > most and at != hopeful[-1]:
                continue
            if tests == 3:
                return
            tests += 1
            tally.promising += 1
            needed = min(needed, most)
            held, rival = int(ball.held[0]), int(rivals[at])
            shown = self._tests.reject(
                self._target, points[at], held=held, rival=rival, draws=needed
            )
            if shown is not None:
                votes, seed, p_value = shown
                far = float(distance(points[[at]], ball.centres, ball.norm)[0])
                self.changes.append(
                    Change(
                        row=int(ball.rows[0]),
                        attack=name,
                        point=points[at],
                        held=held,
                        rival=rival,
                        far=far,
                        over=float(np.nextafter(far / radius, np.inf)),
                        votes=votes,
                        draws=needed,
                        seed=seed,
                        p_value=p_value,
                    )
                )
                return
