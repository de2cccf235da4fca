"""Votes in memory: what a certificate is computed from, and the facts behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from simplicert.arguments import checked_sigma
from simplicert.errors import InputError
from simplicert.noises import Noise, gaussian
from simplicert.votes.chosen import (
    chosen_from,
    chosen_rows,
)
from simplicert.votes.columns import CELLS, COLUMNS
from simplicert.votes.digest import digest
from simplicert.votes.looks import Look, check_looks, one_look
from simplicert.votes.manifest import Manifest
from simplicert.votes.rivals import check_chosen_apart, check_rivals, mislaid_margins
from simplicert.votes.shown import line_of, table_of


@dataclass(frozen=True)
class Drawn:
    """Which pieces of noise some draws had: a run's seed, and how it was divided.

    Attributes:
        seed: The run's.
        draws: Of each image in the whole run.
        block: Draws of a block.
        blocks: Which blocks of each image these are.
        by_image: Whether noise is numbered within an image, however that is divided.
    """

    seed: int
    draws: int
    block: int
    blocks: range
    by_image: bool = True

    def may_be_shared(self, other: "Drawn") -> bool:
        """Whether two draws of one image may have had the same noise."""
        if self.seed != other.seed or self.by_image != other.by_image:
            return False
        if (self.draws, self.block) == (other.draws, other.block):
            return not set(self.blocks).isdisjoint(other.blocks)
        if not self.by_image:  # divided otherwise, pieces were numbered otherwise
            return True
        (ours, end), (theirs, others_end) = (
            (each.blocks.start * each.block, each.blocks.stop * each.block)
            for each in (self, other)
        )
        return ours < others_end and theirs < end


@dataclass(frozen=True, kw_only=True, eq=False)
class Votes:
    """Hard votes and soft scores of some images under one noise, and their facts.

    Attributes:
        counts: How many draws had each class as arg max.
        score_sums: Sums over the draws of each class's softmax probability; ``None``
            where the classifier gives labels only.
        score_squares: Sums of the squared probabilities, likewise.
        margins: Histograms of the margins of the class ``rivals[:, 0]`` over each of
            its rivals, one after the other, and at last over the largest of all others:
            how many draws had a margin in each of ``CELLS`` cells of [-1, 1]. A draw
            that is in none counts as one of -1. ``None``: not recorded.
        rivals: The classes that ``margins`` are of: one that was chosen, and then its
            rivals. Not these draws chose them, but ``selection``.
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
        pilot: Those of these draws that chose ``rivals``, where they are known. Not
            part of the digest.
        manifest: Of the run that drew them; ``None``: not known. Not part of the
            digest.
        chosen_from: How many images these were chosen from, by index; ``None``: they
            are all there were. What is said of a whole table allows for it, because
            nobody knows how they were chosen.
    """

    counts: Shaped[np.ndarray, "images classes"]
    score_sums: Float[np.ndarray, "images classes"] | None = None
    score_squares: Float[np.ndarray, "images classes"] | None = None
    margins: Int[np.ndarray, "images cells"] | None = None
    rivals: Int[np.ndarray, "images chosen"] | None = None
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
    pilot: "Votes | None" = None
    manifest: Manifest | None = None
    chosen_from: int | None = None

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
        check_rivals(self.rivals, self.margins, self.counts)
        for name, values in self.columns.items():
            self._check_column(name, values)
        self._check_squares()
        if self.margins is not None and self.rivals is not None:
            if self.score_sums is None:
                raise InputError("margins are those of scores: score_sums are missing")
            self._check_rows(
                "margins are not those of scores with these score_sums",
                mislaid_margins(self.rivals, self.margins, self.score_sums),
            )
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
        if COLUMNS[name].cells is None and values.shape != self.counts.shape:
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
        check_chosen_apart(self, other)

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

    def margins_over(self, rival: int) -> Int[np.ndarray, "images levels"]:
        """Histograms of the margin over one rival, of all draws, lowest cell first.

        Args:
            rival: Its place in ``rivals``, from 1; or the next, for all others.
        """
        assert self.margins is not None  # the procedure reads them
        found = self.margins[:, (rival - 1) * CELLS : rival * CELLS].astype(np.int64)
        found[:, 0] += self.draws - found.sum(axis=1)
        return found

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

    @property
    def set_apart(self) -> "Votes":
        """Without their pilot draws, which are the ``selection`` of those that remain.

        These themselves, if they have a selection, or no pilot that is known.
        """
        pilot, drawn = self.pilot, self.drawn
        if pilot is None or self.selection is not None or len(self.fixed_looks) > 1:
            return self
        if drawn is not None and pilot.drawn is not None:
            drawn = replace(drawn, blocks=drawn.blocks[len(pilot.drawn.blocks) :])
        seconds = self.draw_seconds
        if seconds is not None and pilot.draw_seconds is not None:
            seconds = seconds - pilot.draw_seconds
        remain = self.draws - pilot.draws
        return replace(
            self,
            **{name: each - pilot.columns[name] for name, each in self.columns.items()},
            draws=remain,
            draw_seconds=seconds,
            looks=tuple(
                Look(each, look.share)
                for each, look in zip(
                    remain[:1].tolist(), self.fixed_looks, strict=False
                )
            )
            or None,
            drawn=drawn,
            selection=pilot,
            pilot=None,
        )

    def __getitem__(self, index: Any) -> "Votes":
        """Those of some images: one, a slice, a list or a mask of rows.

        Raises:
            IndexError: There is no such row.
            InputError: The index means no rows, or one of them twice; or as
                ``fixed_looks``.
        """
        rows = chosen_rows(index, len(self))
        columns = {name: values[rows] for name, values in self.columns.items()}
        labels, seconds, chosen = self.labels, self.draw_seconds, self.selection
        rivals, pilot = self.rivals, self.pilot
        looks = (
            self.fixed_looks or None
        )  # or some of unequal draws would pass for fixed
        return replace(
            self,
            **columns,
            rivals=None if rivals is None else rivals[rows],
            draws=self.draws[rows],
            looks=looks,
            indices=self.indices[rows],
            labels=None if labels is None else labels[rows],
            draw_seconds=None if seconds is None else seconds[rows],
            selection=None if chosen is None else chosen[rows],
            pilot=None if pilot is None else pilot[rows],
            chosen_from=chosen_from(self.chosen_from, rows, len(self)),
        )

    def save(self, path: Path | str) -> Path:
        """Write a run directory that every command reads; return its path.

        ``read_run`` gives the same votes again. It cannot be drawn on: an image's draws
        are one block.

        Raises:
            InputError: ``path`` holds something else; or the votes are some that were
                chosen, are of several looks, or have others that choose their class.
        """
        from simplicert.votes.saving import save  # noqa: PLC0415 (it reads votes)

        return save(self, path)

    def __repr__(self) -> str:
        return line_of(self)

    def _repr_html_(self) -> str:
        """The first rows and the last, for a notebook."""
        return table_of(self)

    @property
    def digest(self) -> str:
        """SHA-256 of the table and its facts, labels included: equal evidence only.

        No two tables have one, of whatever shapes. Independent of blocks, parts,
        workers and order, since the sums are exact.
        """
        facts: tuple[object, ...] = float(self.sigma), self.classes
        # What the first runs did not say is not part of their digests.
        if not gaussian.shares_law(self.noise):
            facts += (self.noise.law, self.noise.norm, self.noise.digest)
        if self.looks is not None and any(look.share != 1.0 for look in self.looks):
            facts += self.looks
        columns = {} if self.labels is None else {"labels": self.labels}
        columns |= {"indices": self.indices, "draws": self.draws}
        if self.margins is not None and self.rivals is not None:
            columns["rivals"] = self.rivals
        return digest(facts, columns | self.columns)
