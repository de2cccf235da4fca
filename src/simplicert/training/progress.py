"""What a training run tells whoever watches it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a run stands after a step.

    Attributes:
        epoch: Current epoch, from 1.
        epochs: Epochs in all.
        images: Images seen in this epoch.
        images_total: Images in an epoch.
        loss: Mean loss over the images seen in this epoch.
        accuracy: Share of them that was classified correctly, under noise; None where
            nothing classifies.
        learning_rate: Rate of this step.
        images_per_second: Mean speed of this epoch.
    """

    epoch: int
    epochs: int
    images: int
    images_total: int
    loss: float
    accuracy: float | None
    learning_rate: float
    images_per_second: float

    @property
    def done(self) -> float:
        """Share of the whole run that is done, in [0, 1]."""
        return (self.epoch - 1 + self.images / self.images_total) / self.epochs

    @property
    def seconds_left(self) -> float:
        """Time to the end of the run at this epoch's speed."""
        images = (1 - self.done) * self.epochs * self.images_total
        return images / self.images_per_second

    def __str__(self) -> str:
        """One line for people."""
        accuracy = (
            "" if self.accuracy is None else f"noisy accuracy {self.accuracy:.1%}, "
        )
        return (
            f"epoch {self.epoch}/{self.epochs}, loss {self.loss:.3f}, {accuracy}"
            f"{self.images_per_second:,.0f} images/s, {self.seconds_left:,.0f} s left"
        )


Watcher = Callable[[Progress], object]
"""Called after every step."""


def ignore(progress: Progress) -> None:
    """Watch nothing."""
