"""What is recorded of soft scores, and of which scores."""

import math
from dataclasses import dataclass

from simplicert.classifiers.protocol import Classifier
from simplicert.errors import InputError
from simplicert.votes.manifest import MarginsSource

__all__ = ["MEANS", "RIVALS", "SoftScores"]

RIVALS = 4
"""Whose margins are recorded by default: those of more are hardly ever the least."""


@dataclass(frozen=True, kw_only=True)
class SoftScores:
    """What ``sample`` is asked for.

    Attributes:
        margins: Whether to record histograms of margins.
        rivals: Over how many classes, beside all others; ``None``: ``RIVALS``, or as
            many as there are.
        temperature: What logits are divided by before the softmax.
    """

    margins: bool = False
    rivals: int | None = None
    temperature: float = 1.0

    def check(self, classifier: Classifier) -> None:
        """Refuse what a classifier does not have.

        Raises:
            InputError: As said.
        """
        heat = self.temperature
        if isinstance(heat, bool) or not 0 < heat < math.inf:
            raise InputError(
                f"temperature must be a number above 0, got {heat!r}: logits are "
                "divided by it, and the nearer it is to 0, the nearer soft scores are "
                "to hard votes"
            )
        if heat != 1.0 and classifier.output != "logits":
            raise InputError(
                f"a temperature of {heat:g} needs logits, and {classifier.name} gives "
                f"{classifier.output}: leave it out, or wrap the classifier"
            )
        if self.rivals is not None and not self.margins:
            raise InputError(
                f"rivals ({self.rivals}) are of margins: ask for those, too, with "
                "--margins (margins=True)"
            )
        if self.margins and classifier.output == "labels":
            raise InputError(
                f"{classifier.name} gives labels, which have no margins: sample "
                "without --margins"
            )

    def source(
        self, *, classes: int, draws: int, block: int | None
    ) -> MarginsSource | None:
        """What a manifest says of margins; an image's first block chooses whose.

        Raises:
            InputError: Draws that are not fixed, or too few for two blocks; or more
                rivals than there are.
        """
        if not self.margins:
            return None
        if block is None:
            raise InputError(
                "margins need a number of draws that is fixed: leave them out, or what "
                "stops images"
            )
        first = "an image's first block of draws chooses whose margins are recorded"
        if block >= draws or block < min(100, draws // 2):
            lack = "no other" if block >= draws else "hardly any in the first"
            raise InputError(
                f"{first}, and {draws:,} draws in blocks of {block:,} have {lack}: "
                "choose a --block of a hundred or more, at most half of the --draws "
                "and a divisor of them"
            )
        rivals = min(RIVALS, classes - 2) if self.rivals is None else self.rivals
        if not 0 <= rivals <= classes - 2:
            raise InputError(
                f"rivals must be 0 to {classes - 2} of {classes} classes, so that some "
                f"class is left for all others, got {rivals}"
            )
        return MarginsSource(rivals=rivals, pilot=block)


MEANS = SoftScores()
"""Of a softmax as it is the mean scores, and no margins."""
