"""Votes in memory: what a certificate is computed from, and the facts behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from simplicert.arguments import checked_sigma
from simplicert.errors import InputError
from simplicert.noises import Noise, gaussian
from simplicert.votes.columns import COLUMNS
from simplicert.votes.digest import digest
from simplicert.votes.looks import Look, check_looks, one_look


@dataclass(frozen=True)
class Drawn:
    """Which pieces of noise some draws had: a run's seed, and how it was divided.

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

    def may_be_shared(self, other: "Drawn") -> bool:
        """Whether two draws of one image may have had the same noise."""
        ours, theirs = ((each.seed, each.draws, each.block) for each in (self, other))
        if ours == theirs:
            return not set(self.blocks).isdisjoint(other.blocks)
        # Runs that are divided otherwise number the same pieces of noise otherwise.
        return self.seed == other.seed


@dataclass(frozen=True, kw_only=True, eq=False)
class Votes:
    """Hard votes and soft scores of some images under one noise, and their facts.

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
        noise: What was added to the input.
        looks: The numbers of draws at which an image could stop, fixed before the first
            draw, with their shares of alpha. ``None``: all images have as many draws,
            a number that was fixed. Votes of unequal draws without looks are kept, but
            not certified: nothing says that they did not stop when they looked good.
        drawn: Which pieces of noise the draws had; ``None``: not known. Not part of the
            digest.
        selection: Other draws of the same images, which choose the class that these
            bound; ``None`` where these do both. Not part of the digest.
    """

    counts: Shaped[np.ndarray, "images classes"]
    score_sums: Float[np.ndarray, "images classes"] | None = None
    score_squares: Float[np.ndarray, "images classes"] | None = None
    draws: Int[np.ndarray, " images"]
    indices: Int[np.ndarray, " images"]
    labels: Int[np.ndarray, " images"] | None = None
    sigma: float
    source: Mapping[str, str]
    draw_seconds: Float[np.ndarray, " images"] | None = None
    noise: Noise = gaussian
    looks: tuple[Look, ...] | None = None
    drawn: Drawn | None = None
    selection: "Votes | None" = None

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
        checked_sigma(self.sigma)
        if not isinstance(self.noise, Noise):
            raise InputError(
                f"noise must be a simplicert.noises.Noise, got {self.noise!r}: "
                "NOISES.find(name) gives one"
            )
        self._check_rows("draws is not positive", np.asarray(self.draws < 1))
        for name, values in self.columns.items():
            self._check_column(name, values)
        self._check_squares()
        if self.labels is not None:
            if self.labels.shape != self.indices.shape:
                raise InputError(f"{len(self.labels)} labels for {len(self)} images")
            foreign = (self.labels < 0) | (self.labels >= self.classes)
            self._check_rows(
                f"label is not in 0 … {self.classes - 1} (unknown ones: labels = None)",
                foreign,
            )
        if self.looks is not None:
            check_looks(self.looks)
            known = np.isin(self.draws, [look.draws for look in self.looks])
            self._check_rows("its draws are at none of the looks", ~known)
        if self.selection is not None:
            self._check_selection(self.selection)

    def _check_column(self, name: str, values: np.ndarray) -> None:
        if values.shape != self.counts.shape:
            raise InputError(
                f"{name} has shape {values.shape}, but counts {self.counts.shape}"
            )
        limit = self.draws
        if COLUMNS[name].dtype == "float64":
            if values.dtype != np.float64:
                raise InputError(
                    f"{name} must be float64, got {values.dtype}: its sums would be "
                    "rounded by more than the bounds allow for"
                )
            # Ours are exact; others' may have been rounded on the way.
            limit = np.asarray(limit * (1 + 1e-9))
        legal = np.all(values >= 0, axis=1)  # False for NaN, too
        self._check_rows(f"{name} is negative or NaN", ~legal)
        self._check_rows(
            f"{name} sum to more than draws", COLUMNS[name].illegal(values, limit)
        )

    def _check_squares(self) -> None:
        """Scores in [0, 1] have smaller squares, and no negative variance."""
        if self.score_sums is None or self.score_squares is None:
            return
        draws = self.draws[:, None]
        slack = 1e-9 * draws  # ours were floored to 2**-32
        least = self.score_sums**2 / draws - slack
        legal = (least <= self.score_squares) & (
            self.score_squares <= self.score_sums + slack
        )
        self._check_rows(
            "score_squares are not the sums of squares of scores with these score_sums",
            ~legal.all(axis=1),
        )

    def _check_selection(self, other: "Votes") -> None:
        if (
            not np.array_equal(self.indices, other.indices)
            or self.sigma != other.sigma
            or self.noise.facts != other.noise.facts
            or self.classes != other.classes
        ):
            raise InputError(
                "the draws that choose the class must be of the same images, classes, "
                "noise and sigma as those that bound it, in the same order"
            )
        shared = self.drawn and other.drawn and self.drawn.may_be_shared(other.drawn)
        if shared or np.shares_memory(self.counts, other.counts):
            raise InputError(
                "selection and estimation share draws, but those that choose the class "
                "must not be among those that bound it: sample them with two seeds, or "
                "read other blocks of a run"
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
    def columns(self) -> dict[str, np.ndarray]:
        """The evidence columns that there are, by name."""
        found = {name: getattr(self, name) for name in COLUMNS}
        return {name: values for name, values in found.items() if values is not None}

    @property
    def statistics(self) -> tuple[str, ...]:
        """What was counted: ``"multinomial"``, and ``"softmax"`` where scores were."""
        return tuple(dict.fromkeys(COLUMNS[name].statistic for name in self.columns))

    @property
    def fixed_looks(self) -> tuple[Look, ...]:
        """The looks; of as many draws for every image, one.

        Raises:
            InputError: The images have unequal draws, and nothing says why.
        """
        if self.looks is not None:
            return self.looks
        numbers = np.unique(self.draws)
        if len(numbers) > 1:
            raise InputError(
                f"the images have from {numbers[0]:,} to {numbers[-1]:,} draws, and "
                "nothing says that these numbers were fixed before the first draw: "
                "votes that stopped when they looked good would be false too often. If "
                "images could stop at certain looks, with shares of alpha that were "
                "fixed, say so with Votes(looks=…)"
            )
        return one_look(int(numbers[0])) if len(numbers) else ()

    def chosen_by(self, selection: "Votes") -> "Votes":
        """These votes, with other draws that choose each image's class.

        Args:
            selection: Draws of the same images, in the same order; none of these, or
                the certificates are false twice as often. Of another seed, or other
                blocks of a run.

        Raises:
            InputError: They are of other images, classes, noise or sigma, or share
                draws with these.
        """
        return replace(self, selection=selection)

    def take(self, rows: Bool[np.ndarray, " images"]) -> "Votes":
        """The votes of some images only.

        Raises:
            InputError: As ``fixed_looks``.
        """
        columns = {name: values[rows] for name, values in self.columns.items()}
        labels, seconds, chosen = self.labels, self.draw_seconds, self.selection
        looks = (
            self.fixed_looks or None
        )  # or some of unequal draws would pass for fixed
        return replace(
            self,
            **columns,
            draws=self.draws[rows],
            looks=looks,
            indices=self.indices[rows],
            labels=None if labels is None else labels[rows],
            draw_seconds=None if seconds is None else seconds[rows],
            selection=None if chosen is None else chosen.take(rows),
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the table and its facts, labels included: equal evidence only.

        No two tables have one, of whatever shapes. Independent of blocks, parts,
        workers and order, since the sums are exact.
        """
        facts: tuple[object, ...] = float(self.sigma), self.classes
        # What the first runs did not say is not part of their digests.
        if self.noise.facts != gaussian.facts:
            facts += (self.noise.name, self.noise.norm, self.noise.digest)
        if self.looks is not None and any(look.share != 1.0 for look in self.looks):
            facts += self.looks
        columns = {} if self.labels is None else {"labels": self.labels}
        columns |= {"indices": self.indices, "draws": self.draws}
        return digest(facts, columns | self.columns)
