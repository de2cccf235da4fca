"""False certificates counted, or added up, and the trials that a power needs."""

from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from scipy.stats import binom

from simplicert.audit.procedures.answers import SLACK, Asked
from simplicert.audit.procedures.of_votes import OfVotes
from simplicert.audit.procedures.subjects import Subject
from simplicert.audit.procedures.synthetic import Synthetic

__all__ = ["Case", "Tally", "rate_found", "trials_needed"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Tally:
    """How a procedure fared in one case.

    Attributes:
        synthetic: The classifier.
        sigma: Of the noise.
        true_radius: How far its answer holds, in input units.
        draws: That the procedure took at most.
        named: The share of samples that it named a class for.
        false: The share whose certificate is false.
        trials: Of samples; 0 where all outcomes were added up, and the shares are what
            they are.
        p_value: Probability of so many false ones or more, if the rate is alpha; where
            the rate is exact, 0 or 1.
        odd: Answers that are no certificates.
        stopping: Whether it could choose at which look to stop.
    """

    synthetic: Synthetic
    sigma: float
    true_radius: float
    draws: int
    named: float
    false: float
    trials: int
    p_value: float
    odd: int
    stopping: bool


@dataclass(frozen=True, eq=False)
class Case:
    """A procedure, with its numbers of draws, and a classifier that it is tried on."""

    subject: Subject
    synthetic: Synthetic

    @property
    def exact(self) -> bool:
        """Whether its outcomes are few enough to be added up."""
        subject = self.subject
        return isinstance(subject, OfVotes) and subject.countable(self.synthetic)

    def tallied(self, asked: Asked) -> Tally:
        """What came of it: of every outcome, or of as many samples as are asked for."""
        subject, synthetic = self.subject, self.synthetic
        truth = synthetic.radius(subject.noise) * asked.sigma
        stopping = False
        if isinstance(subject, OfVotes) and subject.countable(synthetic):
            weight, seen, chosen = subject.outcomes(synthetic)
            answers, trials = subject.certified(asked, seen, chosen), 0
        else:
            answers, trials = subject.answers(asked), asked.trials
            weight = np.full(trials, 1.0 / trials)
            stopping = isinstance(subject, OfVotes) and subject.looks is not None
        wrong = answers.false(synthetic, truth)
        false = float(weight[wrong].sum())
        p_value = float(false <= asked.alpha * (1.0 + SLACK))
        if trials:
            p_value = float(binom.sf(int(wrong.sum()) - 1, trials, asked.alpha))
        return Tally(
            synthetic=synthetic,
            sigma=asked.sigma,
            true_radius=truth,
            draws=int(answers.draws.max()),
            named=float(weight[answers.named != -1].sum()),
            false=false,
            trials=trials,
            p_value=p_value,
            odd=int(answers.odd.sum()),
            stopping=stopping,
        )


def trials_needed(alpha: float, share: float, *, detect: float, power: float) -> int:
    """Trials with which a rate of ``detect * alpha`` is found with this power.

    Nearly the fewest: the power rises with them in a saw's teeth.
    """

    def enough(trials: int) -> bool:
        least = least_false(trials, alpha, share)
        return bool(binom.sf(least - 1, trials, detect * alpha) >= power)

    high = 1
    while not enough(high):
        high *= 2
    return bisect_left(range(high), True, lo=high // 2 + 1, key=enough)


def least_false(trials: int, alpha: float, share: float) -> int:
    """The fewest false certificates that are too many."""
    least = int(binom.isf(share, trials, alpha))
    while binom.sf(least - 1, trials, alpha) > share:
        least += 1
    return least


def rate_found(alpha: float, share: float, *, trials: int, power: float) -> float:
    """The smallest rate that so many trials find with this power; 1 if none."""
    least = least_false(trials, alpha, share)
    low, high = alpha, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        enough = binom.sf(least - 1, trials, middle) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high
