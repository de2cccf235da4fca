"""What a run is: everything that must be equal for two sets of votes to be one."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

import numpy as np
from jaxtyping import Bool, Int
from pydantic import Field, model_validator

from simplicert.noises import FLOAT32, NOISES, Noise, displacement
from simplicert.noises.grid import largest_input
from simplicert.units import Unit
from simplicert.votes.columns import CELLS, columns_of
from simplicert.votes.looks import Look, check_looks
from simplicert.votes.sources import (
    MOST_SCORED,
    DataSource,
    MarginsSource,
    ModelSource,
    NoiseSource,
    Probe,
    Record,
)
from simplicert.votes.words import rule_in_words

_MOST_DRAWS = 2**31

_MOST_BLOCKS = 2**30
"""Of a run. What is known of each while a run is read must have room in memory."""

_LEAST_SIGMA = 1e-30
"""A float32 that is not subnormal: it scales float32 noise."""

_OF_DRAWS = {
    *("schema_number", "draws", "looks", "block", "seed", "statistics", "margins"),
    "data.digest",
}
"""What ``Manifest.evidence`` says of whose draws there were, and how many."""


def _scales(unit: Unit | None) -> object:
    """What of a unit decides which distance a number is."""
    return None if unit is None else (unit.name, unit.scale, unit.offset)


class Manifest(Record):
    """The conditions of a run. Written once, before the first draw; never radii.

    Attributes:
        noise: What was added; sigma is its standard deviation.
        looks: The numbers of draws at which an image may stop, and their shares of
            alpha. The last is the most that an image can get.
        block: Draws of a block, the unit of work, storage and resumption; ``None``
            where an image may stop at a look: then its blocks are what is drawn from
            one look to the next.
        rule: What stopped images at looks, as ``Rule.spec``; ``None``: nothing did.
            No certificate depends on it.
        device: Kind of device: ``"cpu"``, ``"cuda"``. Each has noise of its own.
        batch: Draws a forward pass. Part of the manifest because floating-point
            results may depend on it in the last bit.
        statistics: What was counted: ``"multinomial"``, and ``"softmax"`` where there
            are scores.
        margins: ``None`` where no histograms of margins were recorded.
        temperature: What logits were divided by before the softmax.
        images: Indices in the dataset, in run order.
        labels: True classes of those images, or ``None`` where they are unknown.
        precision: Of the forward pass; ``"unknown"`` for imported votes.
        runtime: What ran the forward pass: ``"eager"`` is torch itself; others round
            differently.
        threads: CPU threads a worker; 0 where the device is not a CPU.
        probe: ``None`` where nobody asked: older and imported runs.
        versions: Of Python and of the packages that decide the votes.
        created: UTC time, ISO 8601.
    """

    schema_number: Literal[3] = 3
    sigma: float = Field(gt=0, le=1e6, allow_inf_nan=False)
    noise: NoiseSource
    looks: list[Look]
    block: int | None = Field(gt=0, le=2**31)
    rule: dict[str, Any] | None = None
    seed: int = Field(ge=0, lt=2**64)
    classes: int = Field(ge=2, le=2**24)
    statistics: list[Literal["multinomial", "softmax"]]
    margins: MarginsSource | None = None
    temperature: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    model: ModelSource
    data: DataSource
    images: list[Annotated[int, Field(ge=0, lt=2**63)]] = Field(min_length=1)
    labels: list[int] | None
    precision: Literal["fp32", "bf16", "fp16", "unknown"]
    runtime: str = Field(default="eager", min_length=1, max_length=100)
    batch: int = Field(gt=0, le=2**24)
    device: str
    threads: int = Field(ge=0)
    probe: Probe | None = None
    versions: dict[str, str]
    git_commit: str | None
    created: str

    @model_validator(mode="after")
    def _consistent(self) -> "Manifest":
        if self.sigma < _LEAST_SIGMA:
            raise ValueError(f"sigma must be at least {_LEAST_SIGMA:g}")
        check_looks(self.looks)
        if self.draws > _MOST_DRAWS:
            raise ValueError(f"draws must be at most 2**31, got {self.draws}")
        if self.scores and self.draws > MOST_SCORED:
            raise ValueError(
                f"draws must be at most {MOST_SCORED:,} where scores are counted, got "
                f"{self.draws:,}: divide the run, or sample labels only"
            )
        for look in self.looks:
            if self.block is not None and look.draws % self.block:
                raise ValueError(
                    f"draws ({look.draws}) must be a multiple of block ({self.block})"
                )
        if self.temperature != 1.0 and not self.scores:
            raise ValueError("temperature is of scores, and labels have none")
        if self.margins is not None:
            self._check_margins(self.margins)
        if len(self.images) * self.blocks > _MOST_BLOCKS:
            raise ValueError(
                f"a run has at most {_MOST_BLOCKS:,} blocks, and this one "
                f"{len(self.images) * self.blocks:,}: choose a larger block"
            )
        if len(set(self.images)) != len(self.images):
            raise ValueError("images must not name one image twice")
        if self.labels is not None and len(self.labels) != len(self.images):
            raise ValueError(f"{len(self.labels)} labels for {len(self.images)} images")
        if self.labels is not None and not all(
            0 <= label < self.classes for label in self.labels
        ):
            raise ValueError(f"labels must lie in 0 … {self.classes - 1}")
        return self

    def _check_margins(self, margins: MarginsSource) -> None:
        if not self.scores:
            raise ValueError("margins are those of scores, and labels have none")
        if margins.rivals > self.classes - 2:
            raise ValueError(f"rivals must be at most {self.classes - 2}")
        if self.block is None:
            raise ValueError(
                "margins need a number of draws that is fixed, not a rule that stops"
            )
        if margins.pilot % self.block or margins.pilot >= self.draws:
            raise ValueError(
                f"pilot must be whole blocks of {self.block}, below {self.draws} draws"
            )

    def widths(self, *, scores: bool = True) -> dict[str, int]:
        """The evidence columns in their order, and how many numbers a row of each has.

        Args:
            scores: Whether of soft scores, too.
        """
        wanted = self.statistics if scores else ["multinomial"]
        found = {column.name: self.classes for column in columns_of(wanted)}
        if self.margins is not None and scores:
            found["margins"] = (self.margins.rivals + 1) * CELLS
        return found

    @property
    def noise_facts(self) -> Noise:
        """The noise, as far as it can be known without what draws it."""
        known = FLOAT32.get(self.noise.name) or NOISES.built_in.get(self.noise.name)
        found = Noise(**self.noise.model_dump(exclude={"step"}))
        if known is None or found.digest is not None:
            return found
        return replace(found, stands_for=known.stands_for, assumes=known.assumes)

    @property
    def displacement(self) -> float:
        """By how much radii are less, for inputs that were moved to the noise's grid.

        In input units; 0 where the noise was not added on a grid.
        """
        if self.noise.step is None:
            return 0.0
        unit = self.data.measured_in
        return displacement(
            self.noise.norm,
            values=math.prod(self.data.shape),
            step=self.noise.step,
            rounding=0.0 if unit is None else unit.rounding(largest_input(self.sigma)),
        )

    @property
    def draws(self) -> int:
        """The most noisy forward passes that an image can get."""
        return self.looks[-1].draws

    @property
    def scores(self) -> bool:
        """Whether soft scores were recorded beside the hard votes."""
        return "softmax" in self.statistics

    @property
    def blocks(self) -> int:
        """Blocks an image."""
        return len(self.looks) if self.block is None else self.draws // self.block

    @property
    def stops_early(self) -> bool:
        """Whether an image may have fewer draws than the last look."""
        return self.block is None

    @property
    def total(self) -> int | None:
        """The most draws of all images together, if the rule is a budget."""
        rule = self.rule or {}
        total = rule.get("total") if rule.get("name") == "budget" else None
        return total if type(total) is int else None  # anything may stand there

    @property
    def block_ends(self) -> Int[np.ndarray, " blocks"]:
        """An image's draws after each of its blocks."""
        return self.draws_until(np.arange(1, self.blocks + 1))

    def draws_in(self, blocks: Int[np.ndarray, " rows"]) -> Int[np.ndarray, " rows"]:
        """Draws of each of these blocks."""
        numbers = np.asarray(blocks)
        sizes: np.ndarray = self.draws_until(numbers + 1) - self.draws_until(numbers)
        return sizes

    def draws_where(self, blocks: Bool[np.ndarray, "images blocks"]) -> int:
        """Draws in these blocks of each image, together."""
        sizes = self.draws_in(np.arange(self.blocks))
        return int(blocks.sum(axis=0) @ sizes)

    def draws_until(self, blocks: Int[np.ndarray, " rows"]) -> Int[np.ndarray, " rows"]:
        """An image's draws when it has so many blocks, its first ones."""
        if self.block is not None:
            return np.asarray(blocks) * self.block
        ends = np.array([0, *(look.draws for look in self.looks)])
        until: np.ndarray = ends[blocks]
        return until

    @property
    def answers_at_random(self) -> bool:
        """Whether a block that is drawn again has other votes, as far as is known."""
        return self.probe is not None and not self.probe.repeatable

    @property
    def images_digest(self) -> str:
        """SHA-256 of the images in their order and of the label of each."""
        return hashlib.sha256(repr((self.images, self.labels)).encode()).hexdigest()

    def evidence(self) -> dict[str, object]:
        """The fields that must agree for votes to be counted together.

        Images may differ between shards of one run; the sigma, the noise, the looks,
        the seed, the block, the precision, the kind of device, the model, the data and
        the shape of these may not.
        """
        # Of runs without there is none, as there was before there were any.
        asked: dict[str, object] = {}
        if self.margins is not None:
            asked["margins"] = self.margins.model_dump()
        if self.temperature != 1.0:
            asked["temperature"] = self.temperature
        if self.data.unit is not None:
            unit = self.data.unit
            asked["data.unit"] = {  # as JSON has it
                field: list(each) if isinstance(each, tuple) else each
                for field, each in asdict(unit).items()
            }
        if self.runtime not in {"eager", "compiled"}:
            asked["runtime"] = self.runtime
        if self.data.features is not None:
            asked["data.features"] = self.data.features
        return {
            "schema_number": self.schema_number,
            "sigma": self.sigma,
            "noise": self.noise.model_dump(),
            "draws": self.draws,
            "looks": [asdict(look) for look in self.looks],
            "block": self.block,
            "seed": self.seed,
            "classes": self.classes,
            "statistics": self.statistics,
            **asked,
            "precision": self.precision,
            "compiled": self.runtime == "compiled",  # before there were others
            "device": self.device,
            "data.digest": self.data.digest,  # the same whatever they are cut to
            "data.shape": self.data.shape,
            "data.cut": self.data.cut,
            "model.digest": self.model.digest,
        }

    def _ends(self) -> str:
        if not self.stops_early:
            return "every image has all draws"
        return f"an image stops when {rule_in_words(self.rule)},"

    def difference(self, other: "Manifest", *, whole: bool = False) -> str | None:
        """The first field that differs, in words; ``None`` if none does.

        Args:
            other: The manifest to compare with.
            whole: Compare what makes it the same run (images, labels, batch), not only
                what makes its votes addable.
        """
        if whole and self.rule != other.rule:
            ours_end, theirs_end = self._ends(), other._ends()
            if ours_end == theirs_end:
                return f"{ours_end} there, and here by other code of that name"
            return f"{ours_end} there, and {theirs_end} here"
        ours, theirs = self.evidence(), other.evidence()
        if whole:
            fields = {"batch", "threads", "images", "labels"}
            ours |= self.model_dump(include=fields)
            theirs |= other.model_dump(include=fields)
        return self._first_of(ours, theirs, other)

    def other_function(self, other: "Manifest") -> str | None:
        """The first fact by which the smoothed classifiers differ, in words; or None.

        The images may be others, and how many draws they had, of which noise; so may
        the range that they lie in.
        """
        ours, theirs = (
            {name: each for name, each in found.items() if name not in _OF_DRAWS}
            | {"data.unit": _scales(manifest.data.measured_in)}
            for manifest, found in ((self, self.evidence()), (other, other.evidence()))
        )
        return self._first_of(ours, theirs, other)

    def _first_of(
        self,
        ours: Mapping[str, object],
        theirs: Mapping[str, object],
        other: "Manifest",
    ) -> str | None:
        for field in dict.fromkeys([*ours, *theirs]):
            value = ours.get(field)
            if value == theirs.get(field):
                continue
            if isinstance(value, list) or isinstance(theirs.get(field), list):
                return f"{field} differ"
            return self._otherwise(other, field, value, theirs.get(field))
        return None

    def _otherwise(
        self, other: "Manifest", field: str, ours: object, theirs: object
    ) -> str:
        if field == "noise":
            there, here = self.noise_facts, other.noise_facts
            same = " of another source" if str(there) == str(here) else ""
            return f"noise is {there} there and {here}{same} here"
        if field == "margins":
            said = (f"{each.margins or 'not recorded'}" for each in (self, other))
            return "margins are {} there and {} here".format(*said)
        if field == "model.digest" and self.model.denoiser != other.model.denoiser:
            said = (f"{m.model.denoiser or 'none'}" for m in (self, other))
            return "the denoiser is {} there and {} here".format(*said)
        if field == "data.unit":
            before, after = self.data.measured_in, other.data.measured_in
            differ = " of other scales" if str(before) == str(after) else ""
            return f"the unit is {before} there and {after}{differ} here"
        if field == "temperature":  # of what is usual it is no evidence
            ours, theirs = self.temperature, other.temperature
        if field in {"compiled", "runtime"}:
            field, ours, theirs = "runtime", self.runtime, other.runtime
        return f"{field} is {ours!r} there and {theirs!r} here"
