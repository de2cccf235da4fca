"""What a figure about data is: what it needs, its table, its drawing."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import pandas as pd
from matplotlib.axes import Axes

from simplicert import analysis
from simplicert.certificates import Certificates
from simplicert.interop import RunEvidence
from simplicert.mechanisms.protocol import Mechanism
from simplicert.paper import BASELINE
from simplicert.simplex import Boundary
from simplicert.units import PIXELS

__all__ = ["Figure", "View"]


@dataclass(frozen=True, kw_only=True, eq=False)
class View:
    """One set of certificates, and what a figure or table may ask about it.

    What is asked for by several is computed once.

    Attributes:
        name: The run's.
        certificates: Of one procedure.
        shorter: Certificates of the run's first draws, in order (Figure 6); ``None``
            where there are no votes to have them of.
        mechanism: One of the user's own, which ``certificates`` has a column of.
        evidence: The run that they are of; ``None``: a log, or not known.
    """

    name: str
    certificates: Certificates
    shorter: Callable[[], list[Certificates]] | None = None
    mechanism: Mechanism | None = None
    evidence: RunEvidence | None = None

    @property
    def stem(self) -> str:
        """The name and the procedure, as files have it."""
        return f"{self.name}-{self.certificates.label}"

    @cached_property
    def by_draws(self) -> list[Certificates] | None:
        """What ``shorter`` gives."""
        return None if self.shorter is None else self.shorter()

    @cached_property
    def curves(self) -> pd.DataFrame:
        """Certified accuracy of every mechanism, against the radius."""
        radii = analysis.curve_radii(self.certificates)
        return analysis.certified_accuracy(self.certificates, radii)

    @property
    def boundaries(self) -> tuple[Boundary, ...]:
        """The curves between the regions that the paper's mechanisms win."""
        return analysis.region_boundaries(self.certificates)

    @property
    def improvable(self) -> bool:
        """Whether the baseline certifies an image, and something may be larger."""
        certificates = self.certificates
        return analysis.has_baseline(certificates) and bool(
            (certificates.radii[BASELINE] > 0).any()
        )


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A figure about one set of certificates, one run, or several runs together.

    Attributes:
        name: Of its file.
        table: A ``View`` → what is drawn, or ``None`` where there is nothing to draw.
            Of a figure of several runs, the views of one procedure, norm and unit; of
            one of a run's votes, the first of its views.
        draw: ``(what the table gave, axes)``. No arithmetic, no files.
        of: ``"run"``: one figure a view; ``"runs"``: one for all views of a procedure;
            ``"votes"``: one for all views of a run.
    """

    name: str
    table: Callable[[Any], Any]
    draw: Callable[[Any, Axes], object]
    of: Literal["run", "runs", "votes"] = "run"

    def drawn_from(self, views: Sequence[View]) -> dict[str, Any]:
        """File name without suffix → what its figure is drawn from."""
        if self.of == "run":
            found = {f"{self.name}-{view.stem}": self.table(view) for view in views}
        elif self.of == "votes":
            first = {view.name: view for view in reversed(views)}
            found = {
                f"{self.name}-{name}": self.table(first[name])
                for name in dict.fromkeys(view.name for view in views)
            }
        else:
            alike: dict[str, list[View]] = {}
            kinds: dict[str, list[object]] = {}  # of units, by their name
            for view in views:  # radii of two norms or units are on no common axis
                made = view.certificates
                suffix = "" if made.norm == "l2" else f"-{made.norm}"
                if made.unit not in {None, PIXELS}:
                    same = kinds.setdefault(made.unit.name, [])
                    if made.unit not in same:
                        same.append(made.unit)
                    which = same.index(made.unit)
                    suffix += f"-{_as_file(made.unit.name)}{which or ''}"
                alike.setdefault(f"{made.label}{suffix}", []).append(view)
            found = {
                f"{self.name}-{label}": self.table(several)
                for label, several in alike.items()
            }
        return {name: table for name, table in found.items() if table is not None}


def _as_file(name: str) -> str:
    """A unit's name as part of a file's."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()
