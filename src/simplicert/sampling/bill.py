"""What a run's passes will cost, told before any is made."""

from dataclasses import dataclass

from simplicert.classifiers.protocol import Classifier
from simplicert.data import Dataset
from simplicert.sampling.batch import usual_batch
from simplicert.sampling.glance import GLANCED
from simplicert.sampling.outgoing import WORTH_ASKING
from simplicert.sampling.probe import MOST_ASKED, QUESTIONS
from simplicert.sampling.recheck import spacing

__all__ = ["Bill"]

_CLASSES = 7
"""Draws that tell how many classes there are, at most."""


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a run will cost.

    Attributes:
        cost: Of a pass, in whatever currency.
        draws: To be counted, at most.
        first: To be asked before the first of these: the classes, the probe, the trial,
            and a glance at labelled images. At most; unless it answers at random.
        beside: To be asked again while they are drawn, about.
    """

    cost: float
    draws: int
    first: int
    beside: int

    @classmethod
    def of(cls, classifier: Classifier, dataset: Dataset, *, draws: int) -> "Bill":
        """Of so many draws, which a run lacks; nothing is asked for it."""
        passes, shape = classifier.passes, dataset.shape
        batch = classifier.usual_batch(shape) or usual_batch(shape, "cpu")
        glanced = 0 if dataset.labels is None else 2 * min(GLANCED, len(dataset))
        first = _CLASSES + MOST_ASKED + batch + glanced + (passes.trial or batch)
        again = draws // spacing(draws) + draws // WORTH_ASKING * QUESTIONS
        return cls(cost=passes.cost, draws=draws, first=first, beside=again)

    @property
    def total(self) -> float:
        """All of it, about."""
        return self.cost * (self.draws + self.first + self.beside)

    @property
    def line(self) -> str:
        """For people."""
        return (
            f"cost: {self.draws:,} passes to count, up to {self.first:,} before them "
            f"and about {self.beside:,} beside them, at {self.cost:g} each: "
            f"about {self.total:,.6g}"
        )
