"""Votes in memory: what a certificate is computed from."""

import hashlib
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from simplicert.errors import InputError


@dataclass(frozen=True)
class Noise:
    """Which noise some draws had: a run's seed, and what it was divided among.

    Attributes:
        seed: The run's.
        draws: Of each image in the whole run.
        block: Draws of a block.
        blocks: Which blocks of each image these are.
    """

    seed: int
    draws: int
    block: int
    blocks: range

    def may_be_shared(self, other: "Noise") -> bool:
        """Whether two draws of one image may have had the same."""
        ours, theirs = ((each.seed, each.draws, each.block) for each in (self, other))
        if ours == theirs:
            return not set(self.blocks).isdisjoint(other.blocks)
        # Runs that are divided otherwise number the same pieces of noise otherwise.
        return self.seed == other.seed


@dataclass(frozen=True, kw_only=True, eq=False)
class Votes:
    """Hard votes and soft scores of some images under one sigma.

    Attributes:
        counts: How many draws had each class as arg max.
        score_sums: Sums over the draws of each class's softmax probability; ``None``
            where the classifier gives labels only.
        score_squares: Sums of the squared probabilities, likewise.
        draws: Noisy forward passes of each image. Counts may sum to less: a draw with
            non-finite logits votes for no class.
        indices: Each image's index in its dataset.
        labels: True classes, or ``None`` where they are unknown.
        sigma: Noise standard deviation, in input units.
        source: What produced the votes, for people: model, data, precision, digest.
        draw_seconds: Time that each image's draws took one process: wall clock, shared
            evenly among what was drawn together. NaN or ``None``: not known. It is no
            evidence, and not part of the digest.
        noise: Which noise the draws had; ``None``: not known. Not part of the digest.
    """

    counts: Shaped[np.ndarray, "images classes"]
    score_sums: Float[np.ndarray, "images classes"] | None
    score_squares: Float[np.ndarray, "images classes"] | None
    draws: Int[np.ndarray, " images"]
    indices: Int[np.ndarray, " images"]
    labels: Int[np.ndarray, " images"] | None
    sigma: float
    source: dict[str, str]
    draw_seconds: Float[np.ndarray, " images"] | None = None
    noise: Noise | None = None

    def __post_init__(self) -> None:
        if self.counts.ndim != 2 or self.counts.shape[1] < 2:
            raise InputError(
                f"counts must be images × classes with at least 2 classes, "
                f"got shape {self.counts.shape}"
            )
        if not np.issubdtype(self.counts.dtype, np.integer):
            raise InputError(
                f"counts must be integers, got {self.counts.dtype}: sums of soft "
                "scores are not votes and have no Clopper-Pearson bound"
            )
        if not 0.0 < self.sigma < np.inf:
            raise InputError(f"sigma must be positive and finite, got {self.sigma!r}")
        self._check_rows("counts is negative", np.any(self.counts < 0, axis=1))
        self._check_rows("draws is not positive", self.draws <= 0)
        self._check_rows(
            "counts sum to more than draws", self.counts.sum(axis=1) > self.draws
        )
        for name in ("score_sums", "score_squares"):
            scores = getattr(self, name)
            if scores is None:
                continue
            if scores.shape != self.counts.shape:
                raise InputError(
                    f"{name} has shape {scores.shape}, but counts {self.counts.shape}"
                )
            sums = scores.sum(axis=1)
            self._check_rows(f"{name} is negative or NaN", ~(scores >= 0).all(axis=1))
            # Ours are exact; others' may have been rounded on the way.
            limit = self.draws * (1 + 1e-9)
            self._check_rows(f"{name} sum to more than draws", ~(sums <= limit))
        if self.labels is not None:
            if self.labels.shape != self.indices.shape:
                raise InputError(f"{len(self.labels)} labels for {len(self)} images")
            foreign = (self.labels < 0) | (self.labels >= self.classes)
            self._check_rows(
                f"label is not in 0 … {self.classes - 1} (unknown ones: labels = None)",
                foreign,
            )

    def _check_rows(self, rule: str, broken: Bool[np.ndarray, " images"]) -> None:
        if broken.any():
            image = self.indices[int(np.argmax(broken))]
            raise InputError(f"image {image}: {rule}; these are not votes")

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.counts.shape[1])

    @property
    def digest(self) -> str:
        """SHA-256 of the table, labels included: equal evidence, equal digest.

        Independent of blocks, parts, workers and order, since the sums are exact.
        """
        order = np.argsort(self.indices)
        hashed = hashlib.sha256(repr((float(self.sigma), self.classes)).encode())
        columns = (
            self.labels,
            self.indices,
            self.draws,
            self.counts,
            self.score_sums,
            self.score_squares,
        )
        for column in columns:
            if column is not None:
                hashed.update(np.ascontiguousarray(column[order]).tobytes())
        return hashed.hexdigest()
