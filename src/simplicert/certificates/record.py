"""What is certified about each image, and the facts that it rests on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from jaxtyping import Bool, Float, Int

from simplicert.arguments import checked_distance
from simplicert.certificates.shown import line_of, table_of
from simplicert.errors import InputError, unknown_name
from simplicert.mechanisms.neyman_pearson import SAFETY
from simplicert.noises import Noise, in_norm
from simplicert.paper import PROCEDURES
from simplicert.procedures.confidence import certified_confidence
from simplicert.units import PIXELS, Unit
from simplicert.votes import DataSource, Look, Votes
from simplicert.votes.chosen import chosen_from, chosen_rows
from simplicert.votes.looks import shares_of

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ABSTAIN", "ASYMPTOTIC", "NEIGHBOURS", "PRINTED", "REPORTED", "Certificates"]

CONFIDENCE = "confidence "
"""What a column of confidences is called, before the radius."""

ASYMPTOTIC = "asymptotic"
"""The column of tables that are no certificates: true, in every row."""

NEIGHBOURS = "neighbours"
"""The column of tables whose radii rest on certificates of neighbours, too."""

REPORTED = "reported"
"""The column of radii that others printed, without the votes behind them."""

PRINTED = "printed"
"""What others printed, as they printed it. It is no mechanism: nothing is certified."""

ABSTAIN = -1
"""The predicted class where a certificate names none."""

_ONE_AN_IMAGE = (
    *("indices", "labels", "top", "runner_up", "e0", "e1", "e0_lower", "e1_upper"),
    *("draws", "draw_seconds", "printed", "refused", "decided"),
)
"""The attributes with an entry an image; also each of ``radii`` and ``outcome``."""


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
        asymptotic: Whether that guarantees nothing: these are no certificates then.
        classes: Number of classes.
        source: What produced the votes.
        data: What the inputs are, and what sigma and radii are in; ``None``: not known.
        draw_seconds: Time that each image's draws took, as in ``Votes``.
        printed: Radii as a log printed them, to check a published table by: perhaps
            rounded up, perhaps more than its draws allow. Nothing is certified of them.
        chosen_from: How many images these were chosen from, as in ``Votes``.
        refused: Where bounds would name a class and the rule for naming does not, as in
            ``Intervals``.
        decided: Where the rule that stopped the images has decided, at this alpha;
            ``None``: there is none, or it could not be asked.
        outcome: What it decided, in words, by columns of its own. No radius depends on
            these two.
        votes: What ``confidence`` is computed from; ``None`` where the procedure bounds
            no margin.
        confidences: ``confidence`` within some radii, for ``table``.
        neighbours: How many neighbours of each image were certified, too, of which the
            radii make use: ``alpha`` is shared by their certificates and the image's
            own, and bounds are at its share. 0: none.
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
    data: DataSource | None = None
    draw_seconds: Float[np.ndarray, " images"] | None = None
    printed: Float[np.ndarray, " images"] | None = None
    chosen_from: int | None = None
    refused: Bool[np.ndarray, " images"] | None = None
    decided: Bool[np.ndarray, " images"] | None = None
    asymptotic: bool = False
    outcome: Mapping[str, np.ndarray] = field(default_factory=dict)
    votes: Votes | None = None
    confidences: Mapping[float, Float[np.ndarray, " images"]] = field(
        default_factory=dict
    )
    neighbours: int = 0

    COLUMNS: ClassVar[tuple[str, ...]] = (
        "image",
        "label",
        "predicted",
        "abstention",
        "top",
        "runner_up",
        "draws",
        "look",
        "share_of_alpha",
        "e0",
        "e1",
        "e0_lower",
        "e1_upper",
        "largest",
    )
    """What ``table`` has before the radii; without labels there is no ``label``, and of
    a fixed number of draws neither ``look`` nor ``share_of_alpha``."""

    FACTS: ClassVar[tuple[str, ...]] = ("sigma", "noise", "norm", "procedure", "alpha")
    """What it has after them: the same in every row, so that a file explains itself.
    Where the unit is known and not pixels, there is ``"unit"`` after the norm; where
    the procedure guarantees nothing, ``ASYMPTOTIC`` as well; where radii rest on
    neighbours, ``NEIGHBOURS``: how many an image has."""

    def __post_init__(self) -> None:
        if self.mechanism not in self.radii:
            raise unknown_name("mechanism", self.mechanism, self.radii)
        if PRINTED in self.radii:
            raise InputError(f"no mechanism can be called {PRINTED!r}: it is for logs")
        for name, radius in self.radii.items():
            if not (np.isfinite(radius) & (radius >= 0)).all():
                raise InputError(f"{name} gave a radius that is negative or not finite")
        taken = {*self.COLUMNS, *self.FACTS, "unit", *self.radii, *self._leads}
        taken |= {PRINTED, ASYMPTOTIC, NEIGHBOURS}
        for name in self.outcome:
            if name in taken:
                raise InputError(
                    f"a rule cannot call a column {name!r}, which means something else"
                )

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: Any) -> "Certificates":
        """Those of some images: one, a slice, a list or a mask of rows.

        Raises:
            InputError: As ``Votes``.
        """
        rows = chosen_rows(index, len(self))
        columns = {name: getattr(self, name) for name in _ONE_AN_IMAGE}
        return replace(
            self,
            **{name: each[rows] for name, each in columns.items() if each is not None},
            radii={name: radius[rows] for name, radius in self.radii.items()},
            outcome={name: words[rows] for name, words in self.outcome.items()},
            votes=None if self.votes is None else self.votes[rows],
            confidences={at: each[rows] for at, each in self.confidences.items()},
            chosen_from=chosen_from(self.chosen_from, rows, len(self)),
        )

    def __repr__(self) -> str:
        return line_of(self)

    def _repr_html_(self) -> str:
        """The first rows and the last, for a notebook."""
        return table_of(self)

    @property
    def norm(self) -> str:
        """Of the balls: ``"l1"``, ``"l2"``, ``"linf"``, or ``"none"``."""
        return self.noise.norm

    @property
    def unit(self) -> Unit | None:
        """What sigma and radii are in; ``None`` where nobody knows."""
        return None if self.data is None else self.data.measured_in

    @property
    def inputs(self) -> str:
        """What the inputs are called: ``"images"``, or ``"inputs"``."""
        return "images" if self.data is None else self.data.inputs

    def in_words(self, what: str) -> str:
        """A radius, radii or balls, with their norm and unit."""
        return in_norm(self.norm, what, self.unit)

    @property
    def facts(self) -> dict[str, str | float]:
        """What every radius rests on, by the names of ``FACTS``."""
        return {
            "sigma": self.sigma,
            "noise": self.noise.name,
            "norm": self.norm,
            **({} if self.unit in {None, PIXELS} else {"unit": self.unit.name}),
            "procedure": self.procedure,
            "alpha": self.alpha,
            **({ASYMPTOTIC: True} if self.asymptotic else {}),
            **({NEIGHBOURS: self.neighbours} if self.neighbours else {}),
        }

    @property
    def by(self) -> str:
        """The procedure, as people are told of it: also if it guarantees nothing."""
        if self.asymptotic:
            return f"{self.procedure}, asymptotic: no guarantee"
        return self.procedure

    @property
    def look(self) -> Int[np.ndarray, " images"]:
        """The look at which each image stopped, counted from 1."""
        before = [look.draws for look in self.looks[:-1]]
        found: np.ndarray = np.searchsorted(before, self.draws) + 1
        return found

    @property
    def stops_early(self) -> bool:
        """Whether an image could stop before the last look."""
        return len(self.looks) > 1

    @property
    def label(self) -> str:
        """What files and choices call these: the framework where it is the paper's."""
        if self.asymptotic:
            return f"{self.procedure}-{ASYMPTOTIC}"
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
    def share_of_alpha(self) -> Float[np.ndarray, " images"] | None:
        """What each row's bounds have of alpha; ``None`` where there is one look.

        The bounds of all looks hold at once, so a row's failure probability is alpha.
        """
        if not self.stops_early:
            return None
        return shares_of(self.draws, self.looks)

    @property
    def abstention(self) -> np.ndarray:
        """Why no class is named; ``""`` where one is.

        ``"tie"``: two classes have the same estimate. ``"not separated"``: the bounds
        overlap, more draws may help. ``"too close"``: they would not, but the first two
        classes are too close for naming one of them (``docs/bounds.md``), and more
        draws may help. ``"mechanism"``: they do not, but the chosen mechanism certifies
        nothing there (cohen at E0 <= 1/2).
        """
        refused = np.False_ if self.refused is None else self.refused
        return np.select(
            [self.radius > 0, self.separated, refused, self.e0 == self.e1],
            ["", "mechanism", "too close", "tie"],
            default="not separated",
        )

    @property
    def largest(self) -> np.ndarray:
        """Ensemble member with the largest radius, first of equals; ``""`` at 0."""
        stack = np.stack([self.radii[name] for name in self.members])
        names = np.array(self.members)[stack.argmax(axis=0)]
        return np.where(stack.max(axis=0) > 0, names, "")

    def confidence(self, radius: float) -> Float[np.ndarray, " images"]:
        """How far the class leads, at least, wherever an input moves within ``radius``.

        The smoothed classifier's score of ``top`` is more than every other class's by
        this much. That, or that ``top`` is first as far as both radii reach, is false
        with probability at most ``alpha``, for each image and one radius that was not
        chosen by these draws; of several, each by itself (``docs/margins.md``).

        Args:
            radius: In input units, from 0.

        Returns:
            Lower bounds of expected margins, in [0, 1], in steps of 1/1,024. 0 where no
            class is named, or its radius is less.

        Raises:
            InputError: The procedure is not ``margins``; the radius is no distance.
        """
        within = checked_distance(radius)
        if self.neighbours:
            raise InputError(
                "a margin is bounded about an image itself, and not where its "
                "neighbours vouch for the class: certify without them"
            )
        if self.votes is None:
            raise InputError(
                f"the procedure {self.procedure} bounds no margin, and so no "
                "confidence: certify with procedure='margins', of votes whose margins "
                "were recorded"
            )
        manifest = self.votes.manifest
        moved = 0.0 if manifest is None else manifest.displacement
        return certified_confidence(
            self.votes,
            radius=(within + moved) / self.sigma * (1.0 + SAFETY),
            alpha=self.alpha,
            where=(self.radius > 0) & (self.radius >= within),
        )

    def with_confidence(self, radii: Iterable[float]) -> "Certificates":
        """These, with a column of ``table`` for the confidence within each radius.

        Raises:
            InputError: As ``confidence``.
        """
        found = {float(radius): self.confidence(radius) for radius in radii}
        return replace(self, confidences=found)

    @property
    def _leads(self) -> dict[str, Float[np.ndarray, " images"]]:
        """The columns of ``confidences``."""
        return {
            f"{CONFIDENCE}{np.format_float_positional(at, trim='-')}": each
            for at, each in self.confidences.items()
        }

    def table(self) -> "pd.DataFrame":
        """One row an image; one radius column a mechanism."""
        import pandas as pd  # noqa: PLC0415 (costs half a second)

        values = {"image": self.indices, "label": self.labels}
        columns = {
            name: values.get(name, getattr(self, name, None)) for name in self.COLUMNS
        }
        largest = columns.pop("largest")
        if not self.stops_early:
            del columns["look"]
        columns = {name: each for name, each in columns.items() if each is not None}
        radii = dict(self.radii) | {"largest": largest}
        if self.printed is not None:
            radii[PRINTED] = self.printed
        return pd.DataFrame(
            columns | radii | self._leads | dict(self.outcome) | self.facts
        )
