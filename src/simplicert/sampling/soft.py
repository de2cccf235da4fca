"""What is recorded of soft scores, and of which scores."""

import math
from dataclasses import dataclass
from numbers import Integral, Real

from simplicert.classifiers.protocol import Classifier
from simplicert.errors import InputError
from simplicert.votes.sources import MarginsSource

__all__ = ["MEANS", "RIVALS", "SoftScores", "checked_rivals", "checked_temperature"]

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
        heat = checked_temperature(self.temperature)
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
        if block >= draws or block < min(100, draws // 10):
            lack = "no other" if block >= draws else "hardly any in the first"
            raise InputError(
                f"{first}, and {draws:,} draws in blocks of {block:,} have {lack}: "
                "choose --draws that have a divisor of a hundred or more, at most half "
                "of them, and that as --block, or none"
            )
        rivals = min(RIVALS, classes - 2) if self.rivals is None else self.rivals
        return MarginsSource(
            rivals=checked_rivals(rivals, most=classes - 2), pilot=block
        )


def checked_temperature(heat: object) -> float:
    """``heat`` as a float above 0, and finite.

    Raises:
        InputError: Anything else.
    """
    if isinstance(heat, Real) and not isinstance(heat, bool):
        try:
            if 0.0 < float(heat) < math.inf:
                return float(heat)
        except OverflowError:  # a whole number beyond all floats
            heat = math.inf
    raise InputError(
        f"temperature must be a number above 0, got {heat!r}: logits are divided by "
        "it, and the nearer it is to 0, the nearer soft scores are to hard votes"
    )


def checked_rivals(rivals: object, *, most: int) -> int:
    """``rivals`` as an int of 0 to ``most``, two fewer than there are classes.

    Raises:
        InputError: Anything else.
    """
    if (
        isinstance(rivals, Integral)
        and not isinstance(rivals, bool)
        and 0 <= int(rivals) <= most
    ):
        return int(rivals)
    raise InputError(
        f"rivals must be 0 to {most} of {most + 2} classes, so that some class is left "
        f"for all others, got {rivals!r}"
    )


MEANS = SoftScores()
"""Of a softmax as it is the mean scores, and no margins."""
