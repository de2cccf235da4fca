"""A run's votes as they stood at each of some looks, read once."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from simplicert.errors import InputError
from simplicert.votes import Look, Manifest, RunDirectory, Votes
from simplicert.votes.adding import votes_of
from simplicert.votes.columns import COLUMNS
from simplicert.votes.rows import Positions

__all__ = ["Stages"]


@dataclass(frozen=True, eq=False)
class Stages:
    """The votes of every image at every look.

    Attributes:
        run: Where they are from.
        looks: Of the replay.
        sums: Evidence by column: looks × images × classes, up to each look.
        seconds: Time of these draws: looks × images.
        last: The number of the last look that each image has the draws for.
    """

    run: RunDirectory
    looks: tuple[Look, ...]
    sums: dict[str, np.ndarray]
    seconds: np.ndarray
    last: Int[np.ndarray, " images"]

    @classmethod
    def of(cls, run: RunDirectory, looks: tuple[Look, ...]) -> "Stages":
        """Read a run.

        Raises:
            InputError: A look is not the end of a block; an image lacks draws.
        """
        manifest = run.manifest
        ends = manifest.block_ends
        for look in looks:
            if look.draws not in ends:
                raise InputError(
                    f"a look at {look.draws} draws is not to be had of {run.path}: it "
                    f"has {manifest.draws} draws an image, {_in_blocks(manifest)}"
                )
        draws = [look.draws for look in looks]
        stage = np.searchsorted(draws, ends)  # of each block; beyond the last: no use
        shape = (len(looks), len(manifest.images), manifest.classes)
        sums: dict[str, np.ndarray] = {}
        seconds, blocks = np.zeros(shape[:2]), np.zeros(shape[:2], dtype=np.int64)
        position = Positions(manifest.images)
        for rows in run.rows():
            use = stage[rows.blocks] < len(looks)
            where = stage[rows.blocks[use]], position(rows.images[use])
            np.add.at(blocks, where, 1)
            np.add.at(seconds, where, rows.draw_seconds[use])
            for name, values in rows.columns.items():
                if COLUMNS[name].cells is not None:
                    continue  # the first of these draws choose, and bound nothing
                if name not in sums:
                    sums[name] = np.zeros(shape, dtype=values.dtype)
                np.add.at(sums[name], where, values[use])
        for values in (*sums.values(), seconds):
            np.cumsum(values, axis=0, out=values)
        whole = blocks == np.bincount(stage, minlength=len(looks))[: len(looks), None]
        last = np.logical_and.accumulate(whole, axis=0).sum(axis=0) - 1
        least = len(looks) - 1 if manifest.block else 0
        if (last < least).any():
            image = manifest.images[int(np.argmin(last))]
            raise InputError(
                f"{run.path} is not finished: {int((last < least).sum())} of "
                f"{len(last)} images lack draws, image {image} among them. Run the "
                "same `simplicert sample` command again to finish it"
            )
        return cls(run, looks, sums, seconds, last)

    def __len__(self) -> int:
        return len(self.last)

    def votes(
        self,
        stopped: Int[np.ndarray, " images"],
        images: Int[np.ndarray, " images"] | None = None,
    ) -> Votes:
        """Votes of images, each as it stood at one of the looks."""
        at = np.arange(len(self)) if images is None else images
        return votes_of(
            self.run.manifest,
            at,
            {name: values[stopped, at] for name, values in self.sums.items()},
            draws=np.array([look.draws for look in self.looks])[stopped],
            draw_seconds=self.seconds[stopped, at],
            looks=self.looks,
        )

    def at(self, number: int, images: Int[np.ndarray, " images"]) -> Votes:
        """Votes of some images at one look."""
        return self.votes(np.full(len(images), number), images)

    def whole(self) -> Votes:
        """Votes of a fixed number of draws; of a run that stopped images, all."""
        if self.run.manifest.block:
            return replace(self.votes(self.last), looks=None)
        if self.looks == tuple(self.run.manifest.looks):
            return self.votes(self.last)
        return self.run.read()


def _in_blocks(manifest: Manifest) -> str:
    if manifest.block:
        return f"in blocks of {manifest.block}"
    return f"and looks at {', '.join(f'{look.draws}' for look in manifest.looks)}"
