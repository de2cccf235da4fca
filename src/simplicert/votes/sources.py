"""Where a run's votes come from: data, model, noise, and what was asked before."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from simplicert.noises import Noise
from simplicert.noises.protocol import Norm
from simplicert.units import PIXELS, Unit

__all__ = [
    "PROBED",
    "DataSource",
    "DenoiserSource",
    "MarginsSource",
    "ModelSource",
    "NeighboursSource",
    "NoiseSource",
    "Probe",
    "Record",
]

MOST_SCORED = 2**21
"""Up to here sums of scores are exact, which bounds and digests count on."""


class Record(BaseModel):
    """What is stored: nothing is added to it, guessed or changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class NeighboursSource(Record):
    """That inputs are neighbours of others', how many of each, and where they lie.

    Attributes:
        of: Digest of the data set whose inputs they are neighbours of.
        each: How many an input has, fixed before one of them was drawn.
        images: Those inputs' indices there. Input ``i`` of the neighbours is one of
            ``images[i // each]``.
        distances: Of each one's neighbours in l2, never too small.
        cosines: Of the angle between the directions to each pair of them, never too
            small; pairs in the order of ``itertools.combinations``.
    """

    of: str
    each: int = Field(ge=1, le=16)
    images: list[Annotated[int, Field(ge=0, lt=2**63)]] = Field(min_length=1)
    distances: list[list[Annotated[float, Field(gt=0, allow_inf_nan=False)]]]
    cosines: list[list[Annotated[float, Field(ge=-1, le=1)]]]

    @model_validator(mode="after")
    def _consistent(self) -> "NeighboursSource":
        if len(set(self.images)) != len(self.images):
            raise ValueError("images must not name one image twice")
        pairs = self.each * (self.each - 1) // 2
        for name, each in (("distances", self.each), ("cosines", pairs)):
            rows = getattr(self, name)
            if [len(row) for row in rows] != [each] * len(self.images):
                raise ValueError(f"{name} must be {each} of each image")
        return self


class DataSource(Record):
    """Which images were used: a name for people and a digest for machines.

    Attributes:
        cut: How they were cut to this shape, in words; ``None`` if they were used as
            they are, or if an older Simplicert did not record it.
        unit: What sigma and radii are in; ``None``: pixels in [0, 1], or of imported
            votes nobody knows.
        features: Names of the entries of an input's first axis, where it has some.
        neighbours: Of which inputs these are neighbours, where they are some.
    """

    name: str
    digest: str
    shape: list[int]
    class_names: list[str] | None = None
    cut: str | None = None
    unit: Unit | None = None
    features: list[str] | None = None
    neighbours: NeighboursSource | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "DataSource":
        if self.unit is not None:
            self.unit.check_shape(self.shape, self.name)
        if self.features is not None and len(self.features) != (*self.shape, 0)[0]:
            raise ValueError("features must be one for each of an input's first axis")
        return self

    @property
    def measured_in(self) -> Unit | None:
        """What sigma and radii are in; ``None`` where nobody knows."""
        if self.unit is not None:
            return self.unit
        return PIXELS if self.shape else None

    @property
    def split(self) -> str:
        """The part of the data set, which may be in one file with others."""
        return self.name.rpartition("/")[2]

    @property
    def inputs(self) -> str:
        """What the inputs are called."""
        return "images" if len(self.shape) in {0, 3} else "inputs"


class DenoiserSource(Record):
    """What stood before the classifier, as part of it.

    Attributes:
        digest: SHA-256 over its weights.
        facts: More of it, in words: which step of a diffusion model.
    """

    name: str
    digest: str
    facts: str | None = None

    def __str__(self) -> str:
        said = f" at {self.facts}" if self.facts else ""
        return f"{self.name} ({self.digest[:16]}…){said}"


class ModelSource(Record):
    """Which classifier was sampled.

    Attributes:
        digest: SHA-256 over its weights, or over what else defines it; of its denoiser,
            too.
        training_sigma: Noise it was trained with, or its denoiser if it has one, where
            that is known.
        denoiser: What is part of it and comes first; ``None``: nothing.
    """

    name: str
    digest: str
    training_sigma: float | None = None
    denoiser: DenoiserSource | None = None


class NoiseSource(Record):
    """Which noise was added, as ``Noise.facts``.

    Attributes:
        digest: Of what defines a noise that is not Simplicert's own.
        step: Of the grid on which it was added, exactly, in input units; ``None`` where
            it was added in floating point, or nobody knows how.
    """

    name: str
    norm: Norm
    digest: str | None = None
    step: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @classmethod
    def of(cls, noise: Noise, *, step: float | None = None) -> "NoiseSource":
        """The facts of this noise."""
        facts = {"name": noise.name, "norm": noise.norm, "digest": noise.digest}
        return cls.model_validate(facts | {"step": step})


PROBED = 8
"""Images, a run's first, of which noisy copies are asked about."""


class Probe(Record):
    """What a classifier answered before the first draw.

    Attributes:
        repeatable: Whether equal questions had equal answers, but for rounding. Else
            its votes cannot be drawn again.
        answers: The class of each of some noisy inputs, always the same ones: another
            function under the same digest would answer otherwise.
    """

    repeatable: bool
    answers: list[int]


class MarginsSource(Record):
    """That margins were recorded, and who chose whose.

    Attributes:
        rivals: How many are told from all others.
        pilot: So many first draws of an image chose its class and rivals.
    """

    rivals: int = Field(ge=0, lt=2**24)
    pilot: int = Field(gt=0, le=MOST_SCORED)

    def __str__(self) -> str:
        return f"over {self.rivals} rivals, chosen by {self.pilot:,} draws"
