"""What somebody claims, in one shape, whatever file or directory says it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from simplicert.audit.finding import Finding, Outcome
from simplicert.noises import Noise, gaussian
from simplicert.votes import RunDirectory

__all__ = ["ABSTAINS", "Claims", "Real", "Whole", "some"]

ABSTAINS = -1
"""In place of a class: the row names none. What is no class at all is -2."""

Whole = Int[np.ndarray, " images"]
Real = Float[np.ndarray, " images"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Claims:
    """What is claimed. Nothing here is known to be true, or even possible.

    Attributes:
        subject: The path, as it was given.
        kind: ``"run"``, ``"log"``, ``"counts"`` or ``"certificates"``.
        indices: Each image's number.
        sigma: Noise standard deviation; ``None``: nobody says.
        alpha: Failure probability of each row.
        draws: Draws behind each row's bound.
        noise: What was added, and the norm of the balls.
        certificate: ``"cohen"``: a radius is sigma times the quantile of one lower
            bound. ``"other"``: it is not known what it is.
        labels: True classes.
        predicted: Named classes; ``ABSTAINS``, or -2 for what can be no class.
        radius: As printed; NaN where there is no number.
        unit: Of each radius's last printed digit.
        votes: Of the named class.
        counts: Votes of every class.
        correct: What a column of that name says, as numbers.
        table: The rows of certificates, whose columns are known by name.
        run: The run.
        complete: What it is, where that says how it was made; "" where it may lack
            something.
        notes: What was said on reading.
    """

    subject: str
    kind: str
    indices: Whole
    sigma: float | None = None
    alpha: float | None = None
    draws: Whole | None = None
    noise: Noise = gaussian.facts
    certificate: str = "other"
    labels: Whole | None = None
    predicted: Whole | None = None
    radius: Real | None = None
    unit: Real | None = None
    votes: Whole | None = None
    counts: Int[np.ndarray, "images classes"] | None = None
    correct: Real | None = None
    table: pd.DataFrame | None = None
    run: RunDirectory | None = None
    complete: str = ""
    notes: tuple[str, ...] = ()

    @property
    def named(self) -> np.ndarray:
        """Rows that name a class and certify a ball for it."""
        if self.radius is None or self.predicted is None:
            return np.zeros(len(self.indices), dtype=bool)
        finite = np.isfinite(self.radius) & (self.radius > 0)
        return np.asarray(finite & (self.predicted >= 0))

    @property
    def lacks(self) -> str:
        """Why radii cannot be examined, and what must be given; "" if nothing."""
        named = {"sigma": self.sigma, "draws": self.draws, "alpha": self.alpha}
        missing = [f"--{name}" for name, value in named.items() if value is None]
        give = ", ".join(missing)
        return give and f"the subject does not say how it was made: give {give}"

    @property
    def classes(self) -> float:
        """How many there are, where all have counts; else infinitely many."""
        return np.inf if self.counts is None else self.counts.shape[1]

    @property
    def conditions(self) -> tuple[float, float, Whole]:
        """Sigma, alpha and each row's draws, where nothing is lacking."""
        assert self.sigma is not None
        assert self.alpha is not None
        assert self.draws is not None
        return self.sigma, self.alpha, self.draws

    @property
    def printed(self) -> tuple[Real, Real]:
        """Radii and the units of their last digits, where there are radii."""
        assert self.radius is not None
        assert self.unit is not None
        return self.radius, self.unit

    @property
    def facts(self) -> Mapping[str, str | float]:
        """What the subject says of itself."""
        facts: dict[str, str | float] = {"kind": self.kind, "images": len(self.indices)}
        for name in ("sigma", "alpha"):
            if (value := getattr(self, name)) is not None:
                facts[name] = value
        if self.draws is not None and len(self.draws):
            few, many = int(self.draws.min()), int(self.draws.max())
            facts["draws"] = f"{few:,}" if few == many else f"{few:,} to {many:,}"
        facts["noise"] = str(self.noise)
        return facts | ({"notes": "; ".join(self.notes)} if self.notes else {})

    def images(self, rows: np.ndarray) -> tuple[int, ...]:
        """The images of a mask of rows."""
        return tuple(dict.fromkeys(map(int, self.indices[rows])))

    def of_rows(
        self, check: str, outcome: Outcome, rows: np.ndarray, what: str
    ) -> Finding:
        """What is said of a mask of rows: how many there are, and of which images."""
        images = self.images(rows)
        return Finding(
            check=check,
            outcome=outcome,
            says=f"{int(rows.sum()):,} of {len(rows):,} rows ({some(images)}): {what}",
            images=() if outcome == "held" else images,
        )


def some(images: tuple[int, ...], most: int = 5) -> str:
    """Some images for a sentence, and how many more."""
    more = f" and {len(images) - most:,} more" if len(images) > most else ""
    many = "s" if len(images) > 1 else ""
    return f"image{many} {', '.join(map(str, images[:most]))}{more}"
