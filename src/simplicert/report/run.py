"""What the page needs of one run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from simplicert.certificates.record import Certificates
from simplicert.errors import InputError
from simplicert.interop import RunEvidence, Verified
from simplicert.mechanisms.protocol import Mechanism
from simplicert.report.portraits import Portrait

__all__ = ["MISSING", "STOPS", "ReportRun"]

MISSING = "what is missing"
"""The fact that is stated first of all: what an imported log does not say."""

STOPS = "one stops when"
"""The fact that is stated where the draws of a run that stops its images went."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ReportRun:
    """One run: its certificates, and what a reader should know about them.

    Attributes:
        name: What the page calls it.
        certificates: One for each procedure, of the same votes.
        digest: Of the votes (``Votes.digest``), or of the log that stands for them.
        facts: What else is known, in the order in which it is shown. Runs with the
            same ``"data digest"`` are of the same images.
        class_names: A name a class; numbers are shown where this is ``None``.
        portraits: What is shown of each input that the page lists.
        commands: What a reader types to derive the same numbers.
        mechanisms: The one that each procedure's certificates open with, if one was
            asked for.
        shorter: Certificates → those of the run's first draws, in order; ``None`` where
            there are no votes to have them of.
        evidence: The run directory behind them; ``None`` where there is none.
        verified: What a verifier proved of the base classifier, to show beside it.

    Raises:
        InputError: No images; certificates of different images; class names that are
            not one for each class.
    """

    name: str
    certificates: Sequence[Certificates]
    digest: str
    facts: Mapping[str, str] = field(default_factory=dict)
    class_names: Sequence[str] | None = None
    portraits: Sequence[Portrait] = ()
    commands: Sequence[str] = ()
    mechanisms: Mapping[str, Mechanism | None] = field(default_factory=dict)
    shorter: Callable[[Certificates], list[Certificates]] | None = None
    evidence: RunEvidence | None = None
    verified: Verified | None = None

    def __post_init__(self) -> None:
        if not self.certificates or len(self.certificates[0]) == 0:
            raise InputError(f"{self.name}: there are no images to report on")
        first = self.certificates[0]
        for other in self.certificates[1:]:
            if not np.array_equal(other.indices, first.indices):
                raise InputError(
                    f"{self.name}: its certificates are of different images; "
                    "make them from the same votes"
                )
        if self.class_names is not None and len(self.class_names) != first.classes:
            raise InputError(
                f"{self.name}: {len(self.class_names)} class names for "
                f"{first.classes} classes"
            )
