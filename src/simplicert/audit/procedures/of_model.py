"""A class like Cohen's Smooth: given a torch classifier, it adds noise of its own."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float

from simplicert.audit.procedures.answers import (
    Answers,
    Asked,
    checked_number,
    one_by_one,
)
from simplicert.errors import InputError
from simplicert.plugins import shown_as_theirs

__all__ = ["OfModel", "Received", "remade"]

LINES = ((1.0, 1.0, 1.0), (1.0, -1.0, 0.0))
"""Along which a classifier of three pixels looks. Noise that pixels share is too wide
on one of them, and none on the other."""


@dataclass(eq=False)
class Received:
    """Noise that a classifier was given, for sigma 1.

    Attributes:
        number: Of inputs.
        sums: Of each pixel.
        products: Of each pair of pixels.
        repeated: Certificates whose noise was that of an earlier one.
    """

    number: int = 0
    sums: Float[np.ndarray, "3"] = field(default_factory=lambda: np.zeros(3))
    products: Float[np.ndarray, "3 3"] = field(default_factory=lambda: np.zeros((3, 3)))
    repeated: int = 0
    _batches: bytes = b""
    _certificates: set[bytes] = field(default_factory=set)

    def add(self, noise: Float[np.ndarray, "inputs 3"]) -> None:
        """Of one batch."""
        self.number += len(noise)
        self.sums += noise.sum(axis=0)
        self.products += noise.T @ noise
        self._batches += noise[:1].tobytes()

    def end_of_certificate(self) -> None:
        """All batches of one were given."""
        self.repeated += self._batches in self._certificates
        self._certificates.add(self._batches)
        self._batches = b""


@dataclass(kw_only=True, eq=False)
class OfModel:
    """A class with ``certify(x, n0, n, alpha, batch_size)``, on trial.

    Attributes:
        name: What it is called.
        made: (base classifier, number of classes, sigma) → an object with ``certify``.
        draws: That it is told to take to bound the class.
        choosing: That it is told to take to choose it.
        received: What the classifier was given.
    """

    name: str
    made: Callable[[Any, int, float], Any]
    draws: int
    choosing: int
    received: Received = field(default_factory=Received)

    kind: ClassVar[str] = "class like Cohen's Smooth, with noise of its own"
    noise: ClassVar[str] = "gaussian"
    scores: ClassVar[bool] = False
    # Beside them [0, 1] is wide: clipping what is noisy changes nothing.
    sigmas: ClassVar[tuple[float, ...]] = (0.05, 0.1)
    usual_trials: ClassVar[int] = 2000

    @property
    def sizes(self) -> set[int]:
        """Numbers of draws that bound something."""
        return {self.draws}

    def answers(self, asked: Asked) -> Answers:
        """What it says of one image of three pixels, in the middle of [0, 1].

        On a GPU where there is one, since Cohen's own class needs it.
        """
        import torch  # noqa: PLC0415 (this shape alone needs it)

        synthetic, sigma, received = asked.synthetic, asked.sigma, self.received
        device = "cuda" if torch.cuda.is_available() else "cpu"
        image = torch.full((3, 1, 1), 0.5, device=device)
        edges = torch.tensor(synthetic.edges(), dtype=torch.float64, device=device)
        logits = torch.tensor(synthetic.scores, dtype=torch.float32, device=device)
        line = np.array(LINES[int(asked.generator.integers(len(LINES)))])
        unit = torch.tensor(line / (line @ line) ** 0.5, device=device)
        taken = 0

        class Line(torch.nn.Module):
            """Answers by where the image lies on the line."""

            def forward(self, images: Any) -> Any:
                nonlocal taken
                taken += checked_number(len(images), taken)
                noise = (images.reshape(len(images), 3).double() - 0.5) / sigma
                received.add(noise.cpu().numpy())
                return logits[torch.bucketize(noise @ unit, edges)]

        with shown_as_theirs(f"{self.name}(base_classifier, num_classes, sigma)"):
            smoothed = self.made(Line(), synthetic.scores.shape[1], sigma)

        def certified() -> tuple[object, int]:
            nonlocal taken
            taken = 0
            numbers = self.choosing, self.draws
            said = smoothed.certify(image, *numbers, asked.alpha, sum(numbers))
            received.end_of_certificate()
            return said, taken

        with torch.random.fork_rng():
            torch.manual_seed(int(asked.generator.integers(2**63)))
            return one_by_one(self.name, asked, certified)


def remade(smoothed: object) -> Callable[[Any, int, float], Any]:
    """A Smooth-like object with another classifier in the place of its own.

    Raises:
        InputError: It does not keep what would have to be replaced.
    """
    names = ("base_classifier", "num_classes", "sigma")
    missing = [name for name in names if not hasattr(smoothed, name)]
    if missing:
        raise InputError(
            f"{type(smoothed).__name__} has no {' and no '.join(missing)}: an object "
            "that is to be tried must have these, so that another classifier can take "
            "its own's place. Or give the class"
        )

    def made(classifier: Any, classes: int, sigma: float) -> Any:
        again = copy.copy(smoothed)
        for name, value in zip(names, (classifier, classes, sigma), strict=True):
            setattr(again, name, value)
        return again

    return made
