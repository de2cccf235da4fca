"""What an audit finds, and the verdict that its findings make."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

__all__ = ["Audit", "Finding", "Outcome"]

Outcome = Literal["falsified", "doubtful", "held", "not checked"]
"""A claim is false, whatever else is true; it may be, and what was found needs an
explanation; nothing was found against it; or it could not be examined."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Finding:
    """One thing that was examined.

    Attributes:
        check: Its name, in a few words: ``"radii above the ceiling"``.
        outcome: What came of it.
        says: A sentence: what was compared with what, how many, and the worst of them;
            for what was not checked, why, and what would let it be.
        images: Indices, in the data set, of images that the finding is against.
        details: Rows behind it, where there is more to see; shown below the findings
            and part of the JSON.
    """

    check: str
    outcome: Outcome
    says: str
    images: tuple[int, ...] = ()
    details: pd.DataFrame | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Audit:
    """Everything that was examined of one subject.

    Attributes:
        subject: What was audited, as it was given.
        facts: What it is: sigma, noise, draws, images, …, by name.
        findings: In the order in which they were examined.
        not_proved: What this audit could not have found, in a sentence: no finding is
            no proof.
    """

    subject: str
    facts: Mapping[str, str | float]
    findings: tuple[Finding, ...]
    not_proved: str

    @property
    def falsified(self) -> bool:
        """Whether a claim is false."""
        return "falsified" in self.tally

    @property
    def tally(self) -> dict[Outcome, int]:
        """How many findings there are of each outcome that there is."""
        count = Counter(each.outcome for each in self.findings)
        return {each: count[each] for each in get_args(Outcome) if each in count}

    @property
    def verdict(self) -> str:
        """The last line: what was found, and what that means."""
        said = ", ".join(f"{n} {outcome}" for outcome, n in self.tally.items())
        if self.falsified:
            first = next(f for f in self.findings if f.outcome == "falsified")
            return f"FALSIFIED ({said}): {first.check}"
        return f"NOT FALSIFIED ({said}). That is no proof: {self.not_proved}"
