"""The smoothed classifier under attack: its votes, and the slope of its scores."""

from collections.abc import Callable
from contextlib import nullcontext
from copy import copy
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor

from simplicert.data.given import as_dataset
from simplicert.errors import InputError
from simplicert.machine.device import DTYPES, cpu_threads
from simplicert.sampling import Sampler
from simplicert.votes import Manifest
from simplicert.votes.looks import one_look

__all__ = ["Target"]

LEAST_DRAWS, MOST_DRAWS = 1_000, 200_000
"""Of a test."""

_LEAST_SCORE = 1e-30


class Target:
    """A classifier with its noise, asked at any points.

    A draw that is not finite is a vote for no class here, whatever the run did with
    it: the sign test compares two classes' votes and needs no others.

    Args:
        sampler: Of the run, or as for it.
        plan: The run's manifest: sigma, precision, batch and threads are as there.
        seed: Decides all noise. No two calls share any.
        clock: Seconds.

    Attributes:
        draws: Passes so far, of votes.
    """

    def __init__(
        self, sampler: Sampler, plan: Manifest, *, seed: int, clock: Callable[[], float]
    ) -> None:
        self._sampler = copy(sampler)
        self._sampler.nonfinite = "count"
        changes = {
            "labels": None,
            "probe": None,
            "precision": sampler.precision,
            "device": sampler.device.type,
        }
        self._plan = plan.model_copy(update=changes)
        self._clock, self._passed = clock, 0.0
        self._seeds = np.random.default_rng(np.random.SeedSequence(seed))
        self._used = {plan.seed}
        self.draws = 0

    @property
    def batch(self) -> int:
        """Most draws a pass."""
        return self._plan.batch

    @property
    def images(self) -> int:
        """How many the data set has."""
        return len(self._sampler.dataset)

    @property
    def pace(self) -> float:
        """Votes a second, so far."""
        return self.draws / self._passed if self._passed > 0 else np.inf

    def most_draws(self, seconds: float) -> int:
        """Draws of one test: as many as take about so long, within bounds."""
        return int(np.clip(self.pace * seconds, LEAST_DRAWS, MOST_DRAWS))

    def fresh_seed(self) -> int:
        """One that neither the run nor a call before had."""
        while True:
            seed = int(self._seeds.integers(2**63))
            if seed not in self._used:
                self._used.add(seed)
                return seed

    def votes(
        self,
        points: Float32[np.ndarray, "points ..."],
        draws: int,
        *,
        seed: int | None = None,
        checked: bool = False,
    ) -> Int[np.ndarray, "points classes"]:
        """Votes at these points, of fresh noise, drawn as the run's were.

        Args:
            points: In [0, 1].
            draws: An input's.
            seed: Of this noise. Default: a fresh one.
            checked: Whether to ask the classifier before and meanwhile, as for a run.
        """
        began = self._clock()
        before = self._sampler.dataset
        # With the same names of classes: they decide the order of the columns.
        named = replace(as_dataset(points, None), class_names=before.class_names)
        sampler = self._sampler.on(named)
        changes = {
            "images": list(range(len(points))),
            "looks": [*one_look(draws)],
            "block": draws,
            "seed": self.fresh_seed() if seed is None else seed,
        }
        plan = self._plan.model_copy(update=changes)
        if checked:
            plan = plan.model_copy(update={"probe": sampler.probe(plan)})
        # Compiled, each size of batch would take a minute.
        eager = self._plan.compiled and not checked
        with torch.compiler.set_stance("force_eager") if eager else nullcontext():
            counts: Int[np.ndarray, "points classes"] = sampler.votes(
                plan, progress=False
            ).counts
        self.draws += draws * len(points)
        self._passed += self._clock() - began
        return counts

    def noise(self, draws: int) -> Float[Tensor, "draws ..."]:
        """Noise to search with, the same at all points."""
        first = int(self._seeds.integers(2**31))
        return self._sampler.noise_alone(self._plan, range(first, first + draws))

    def scores(
        self, points: Float[Tensor, "points ..."], noise: Float[Tensor, "draws ..."]
    ) -> Float[Tensor, "points classes"]:
        """Logarithms of the mean scores over this noise; of labels, of the votes.

        Summed in float32 or more, and with a gradient where the classifier has one.
        """
        size = max(1, self.batch // len(noise))
        pieces = [self._mean(piece, noise) for piece in torch.split(points, size)]
        return torch.cat(pieces)

    def _mean(self, points: Tensor, noise: Tensor) -> Tensor:
        noisy = (points[:, None] + noise[None]).flatten(0, 1)
        with cpu_threads(self._plan.threads):
            outputs = self._sampler.outputs(noisy.to(DTYPES[self._plan.precision]))
        kind = self._sampler.classifier.output
        if kind == "labels":
            outputs = torch.nn.functional.one_hot(outputs, self._sampler.classes)
        if kind == "logits":
            logs = outputs.float().log_softmax(dim=1)
        else:
            logs = outputs.float().clamp(min=_LEAST_SCORE).log()
        logs = logs.nan_to_num(nan=float(np.log(_LEAST_SCORE)))
        each = logs.view(len(points), len(noise), -1)
        mean: Tensor = each.logsumexp(dim=1) - float(np.log(len(noise)))
        return mean

    def slope(
        self,
        points: Float32[np.ndarray, "points ..."],
        noise: Float[Tensor, "draws ..."],
        held: Int[np.ndarray, " points"],
    ) -> Float32[np.ndarray, "points ..."]:
        """The gradient of the best rival's log score less that of the class held."""
        here = torch.from_numpy(points).to(self._sampler.device).requires_grad_(True)
        classes = torch.from_numpy(held).to(here.device)
        size = max(1, self.batch // len(noise))
        slopes = []
        for start in range(0, len(here), size):
            piece = here[start : start + size]
            margin = _margin(self._mean(piece, noise), classes[start : start + size])
            slopes.append(torch.autograd.grad(margin.sum(), piece)[0])
        return torch.cat(slopes).nan_to_num(posinf=0.0, neginf=0.0).cpu().numpy()

    @torch.inference_mode()
    def margins(
        self,
        points: Float32[np.ndarray, "points ..."],
        noise: Float[Tensor, "draws ..."],
        held: Int[np.ndarray, " points"],
    ) -> Float[np.ndarray, " points"]:
        """The best rival's log score less that of the class held."""
        here = torch.from_numpy(points).to(self._sampler.device)
        scores = self.scores(here, noise)
        classes = torch.from_numpy(held).to(here.device)
        return _margin(scores, classes).cpu().numpy().astype(np.float64)

    @cached_property
    def has_slope(self) -> bool:
        """Whether a gradient leads through the classifier, at its first images."""
        first = self._sampler.dataset.read(np.arange(min(8, self.images)))
        held = np.zeros(len(first), dtype=np.int64)
        try:
            found = self.slope(first, self.noise(min(16, self.batch)), held)
        except (InputError, RuntimeError):  # a function, a graph of integers, labels
            return False
        return bool(found.any())


def _margin(scores: Tensor, held: Tensor) -> Tensor:
    own = scores.gather(1, held[:, None])[:, 0]
    rivals = scores.scatter(1, held[:, None], -torch.inf)
    return rivals.amax(dim=1) - own
