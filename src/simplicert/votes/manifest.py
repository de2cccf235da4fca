"""What a run is: everything that must be equal for two sets of votes to be one."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from simplicert.errors import InputError

SCHEMA = 1
"""Raised whenever an older Simplicert could misread a run."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DataSource(_Record):
    """Which images were used: a name for people and a digest for machines."""

    name: str
    digest: str
    shape: list[int]
    class_names: list[str] | None = None


class ModelSource(_Record):
    """Which classifier was sampled.

    Attributes:
        digest: SHA-256 over its weights, or over what else defines it.
        training_sigma: Noise it was trained with, where that is known.
    """

    name: str
    digest: str
    training_sigma: float | None = None


class Manifest(_Record):
    """The conditions of a run. Written once, before the first draw; never radii.

    Attributes:
        draws: Noisy forward passes an image.
        block: Draws of one seed; the unit of work, storage and resumption.
        device: Kind of device: ``"cpu"``, ``"cuda"``. Each has noise of its own.
        batch: Draws a forward pass. Part of the manifest because floating-point
            results may depend on it in the last bit.
        scores: Whether soft scores were recorded beside the hard votes.
        images: Indices in the dataset, in run order.
        labels: True classes of those images, or ``None`` where they are unknown.
        precision: Of the forward pass; ``"unknown"`` for imported votes.
        compiled: Whether torch.compile rewrote it, which rounds differently.
        threads: CPU threads a worker; 0 where the device is not a CPU.
        versions: Of Python and of the packages that decide the votes.
        created: UTC time, ISO 8601.
    """

    schema_number: Literal[1] = 1
    sigma: float = Field(gt=0, le=1e6, allow_inf_nan=False)
    noise: Literal["gaussian"] = "gaussian"
    draws: int = Field(gt=0, le=2**31)
    block: int = Field(gt=0, le=2**31)
    seed: int = Field(ge=0, lt=2**64)
    classes: int = Field(ge=2, le=2**24)
    scores: bool
    model: ModelSource
    data: DataSource
    images: list[Annotated[int, Field(ge=0, lt=2**63)]] = Field(min_length=1)
    labels: list[int] | None
    precision: Literal["fp32", "bf16", "fp16", "unknown"]
    compiled: bool = False
    batch: int = Field(gt=0, le=2**24)
    device: str
    threads: int = Field(ge=0)
    versions: dict[str, str]
    git_commit: str | None
    created: str

    @model_validator(mode="after")
    def _consistent(self) -> "Manifest":
        if self.draws % self.block:
            raise ValueError(
                f"draws ({self.draws}) must be a multiple of block ({self.block})"
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

    @property
    def blocks(self) -> int:
        """Blocks an image."""
        return self.draws // self.block

    @property
    def images_digest(self) -> str:
        """SHA-256 of the images in their order and of the label of each."""
        return hashlib.sha256(repr((self.images, self.labels)).encode()).hexdigest()

    def evidence(self) -> dict[str, object]:
        """The fields that must agree for votes to be counted together.

        Images and draws may differ between shards of one run; the sigma, the seed,
        the block, the precision, the kind of device, the model, the data and the shape
        of these may not.
        """
        return {
            "schema_number": self.schema_number,
            "sigma": self.sigma,
            "noise": self.noise,
            "block": self.block,
            "seed": self.seed,
            "classes": self.classes,
            "scores": self.scores,
            "precision": self.precision,
            "compiled": self.compiled,
            "device": self.device,
            "data.digest": self.data.digest,  # the same whatever they are cut to
            "data.shape": self.data.shape,
            "model.digest": self.model.digest,
        }

    def difference(self, other: "Manifest", *, whole: bool = False) -> str | None:
        """The first field that differs, in words; ``None`` if none does.

        Args:
            other: The manifest to compare with.
            whole: Compare what makes it the same run (images, labels, draws, batch),
                not only what makes its votes addable.
        """
        ours, theirs = self.evidence(), other.evidence()
        if whole:
            fields = {"draws", "batch", "threads", "images", "labels"}
            ours |= self.model_dump(include=fields)
            theirs |= other.model_dump(include=fields)
        for field, value in ours.items():
            if value == theirs[field]:
                continue
            if isinstance(value, list) or isinstance(theirs[field], list):
                return f"{field} differ"
            return f"{field} is {value!r} there and {theirs[field]!r} here"
        return None


def parse_manifest(content: bytes, *, source: Path) -> Manifest:
    """Read a manifest, or say in one line what is wrong with it."""
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not JSON ({error}): it was cut short") from error
    found = fields.get("schema_number") if isinstance(fields, dict) else None
    if found != SCHEMA:
        raise InputError(
            f"{source} has schema number {found!r}, this Simplicert reads {SCHEMA}: "
            "use the version of Simplicert that wrote it"
        )
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "manifest"
        raise InputError(
            f"{source}: {where}: {first['msg']}; the manifest was edited or damaged"
        ) from error
