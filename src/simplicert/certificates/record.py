"""What is certified about each image, and the facts that it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from simplicert.errors import InputError, unknown_name
from simplicert.noises import Noise
from simplicert.paper import PROCEDURES
from simplicert.votes import Look

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ABSTAIN", "REPORTED", "Certificates"]

REPORTED = "reported"
"""The column of radii that others printed, without the votes behind them."""

ABSTAIN = -1
"""The predicted class where a certificate names none."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Certificates:
    """Certified radii, one row an image, and what they rest on.

    Attributes:
        indices: Each image's index in its dataset.
        labels: True classes, or ``None`` where they are unknown.
        top: Class with the largest expectation, named or not.
        runner_up: Class with the second largest.
        e0: Estimated expectation of the top class.
        e1: Estimated expectation of the runner-up.
        e0_lower: Lower bound on the top class's expectation.
        e1_upper: Upper bound on every other class's; ``e0_lower + e1_upper <= 1``.
        radii: Per mechanism, radii in input units and ``norm``; 0 where nothing is
            certified.
        members: The mechanisms whose maximum is the column ``ensemble``; all of them
            where there is no such column.
        mechanism: The one that ``radius`` and ``predicted`` follow.
        draws: Noisy forward passes behind each row's bounds.
        sigma: Noise standard deviation, in input units.
        alpha: Failure probability of each row on its own, not of the table. It is
            shared by all columns: every radius in a row holds on one event.
        noise: What was added to the inputs, and the norm of the balls it certifies.
        looks: The numbers of draws at which an image could stop, and their shares of
            alpha; one where the number was fixed.
        framework: Whether the expectations are of hard votes (``"multinomial"``) or of
            soft scores (``"softmax"``).
        procedure: The name of what bounded them.
        classes: Number of classes.
        source: What produced the votes.
        draw_seconds: Time that each image's draws took, as in ``Votes``.
    """

    indices: Int[np.ndarray, " images"]
    labels: Int[np.ndarray, " images"] | None
    top: Int[np.ndarray, " images"]
    runner_up: Int[np.ndarray, " images"]
    e0: Float[np.ndarray, " images"]
    e1: Float[np.ndarray, " images"]
    e0_lower: Float[np.ndarray, " images"]
    e1_upper: Float[np.ndarray, " images"]
    radii: Mapping[str, Float[np.ndarray, " images"]]
    members: tuple[str, ...]
    mechanism: str
    draws: Int[np.ndarray, " images"]
    sigma: float
    alpha: float
    noise: Noise
    looks: tuple[Look, ...]
    framework: str
    procedure: str
    classes: int
    source: Mapping[str, str]
    draw_seconds: Float[np.ndarray, " images"] | None = None

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "image",
        "label",
        "predicted",
        "abstention",
        "top",
        "runner_up",
        "draws",
        "e0",
        "e1",
        "e0_lower",
        "e1_upper",
        "largest",
    )
    """What ``table`` has before the radii; without labels there is no ``label``."""

    FACTS: ClassVar[tuple[str, ...]] = ("sigma", "noise", "norm", "procedure", "alpha")
    """What it has after them: the same in every row, so that a file explains itself."""

    def __post_init__(self) -> None:
        if self.mechanism not in self.radii:
            raise unknown_name("mechanism", self.mechanism, self.radii)
        for name, radius in self.radii.items():
            if not (np.isfinite(radius) & (radius >= 0)).all():
                raise InputError(f"{name} gave a radius that is negative or not finite")

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def norm(self) -> str:
        """Of the balls: ``"l1"``, ``"l2"`` or ``"linf"``."""
        return self.noise.norm

    @property
    def facts(self) -> dict[str, str | float]:
        """What every radius rests on, by the names of ``FACTS``."""
        return {
            "sigma": self.sigma,
            "noise": self.noise.name,
            "norm": self.norm,
            "procedure": self.procedure,
            "alpha": self.alpha,
        }

    @property
    def label(self) -> str:
        """What files and choices call these: the framework where it is the paper's."""
        papers = PROCEDURES.get(self.framework) == self.procedure
        return self.framework if papers else self.procedure

    @property
    def radius(self) -> Float[np.ndarray, " images"]:
        """The radius of the chosen mechanism."""
        return self.radii[self.mechanism]

    @property
    def predicted(self) -> Int[np.ndarray, " images"]:
        """The certified class; ``ABSTAIN`` exactly where ``radius`` is 0."""
        return np.where(self.radius > 0, self.top, ABSTAIN)

    @property
    def correct(self) -> Bool[np.ndarray, " images"] | None:
        """Where the certified class is the label; ``None`` without labels."""
        return None if self.labels is None else self.predicted == self.labels

    @property
    def separated(self) -> Bool[np.ndarray, " images"]:
        """Where the bounds prove the top class to be the smoothed classifier's."""
        return self.e0_lower > self.e1_upper

    @property
    def abstention(self) -> np.ndarray:
        """Why no class is named; ``""`` where one is.

        ``"tie"``: two classes have the same estimate. ``"not separated"``: the bounds
        overlap, more draws may help. ``"mechanism"``: they do not, but the chosen
        mechanism certifies nothing there (cohen at E0 <= 1/2).
        """
        return np.select(
            [self.radius > 0, self.separated, self.e0 == self.e1],
            ["", "mechanism", "tie"],
            default="not separated",
        )

    @property
    def largest(self) -> np.ndarray:
        """Ensemble member with the largest radius, first of equals; ``""`` at 0."""
        stack = np.stack([self.radii[name] for name in self.members])
        names = np.array(self.members)[stack.argmax(axis=0)]
        return np.where(stack.max(axis=0) > 0, names, "")

    def table(self) -> "pd.DataFrame":
        """One row an image; one radius column a mechanism."""
        import pandas as pd  # noqa: PLC0415 (costs half a second)

        values = {"image": self.indices, "label": self.labels}
        columns = {
            name: values.get(name, getattr(self, name, None)) for name in self.COLUMNS
        }
        largest = columns.pop("largest")
        columns = {name: each for name, each in columns.items() if each is not None}
        return pd.DataFrame(
            columns | dict(self.radii) | {"largest": largest} | self.facts
        )
