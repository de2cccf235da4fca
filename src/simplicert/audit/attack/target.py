"""The smoothed classifier under attack: its votes, and the slope of its scores."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from copy import copy
from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor

from simplicert.classifiers.runtimes import eagerly
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
    """

    def __init__(
        self, sampler: Sampler, plan: Manifest, *, seed: int, clock: Callable[[], float]
    ) -> None:
        self._sampler = copy(sampler)
        self._sampler.nonfinite = "count"
        changes = {
            "labels": None,
            "probe": None,
            "rule": None,  # whatever stopped images, these points are not stopped
            "precision": sampler.precision,
            "device": sampler.device.type,
        }
        self._plan = plan.model_copy(update=changes)
        self._clock, self._passed, self._draws = clock, 0.0, 0
        self._seeds = np.random.default_rng(np.random.SeedSequence(seed))
        self._used = {plan.seed}

    @property
    def batch(self) -> int:
        """Most draws a pass."""
        return self._plan.batch

    def most_draws(self, seconds: float) -> int:
        """Draws of one test: as many as take about so long, within bounds."""
        pace = self._draws / self._passed if self._passed > 0 else np.inf
        return int(np.clip(pace * seconds, LEAST_DRAWS, MOST_DRAWS))

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
        # The same names of classes decide the order of the columns; points are numbers.
        named = replace(
            as_dataset(points, None),
            class_names=before.class_names,
            features=before.features,
            unit=before.unit,
        )
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
        with nullcontext() if checked else eagerly():
            counts: Int[np.ndarray, "points classes"] = sampler.votes(
                plan, progress=False
            ).counts
        self._draws += draws * len(points)
        self._passed += self._clock() - began
        return counts

    def noise(self, draws: int) -> Float[Tensor, "draws ..."]:
        """Noise to search with, the same at all points."""
        first = int(self._seeds.integers(2**31))
        return self._sampler.noise_alone(self._plan, range(first, first + draws))

    def _mean(self, points: Tensor, noise: Tensor) -> Tensor:
        """Logarithms of the mean scores over this noise; of labels, of the votes.

        Summed in float32 or more, and with a gradient where the classifier has one.
        """
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

    def _margins(
        self, points: Tensor, noise: Tensor, held: Int[np.ndarray, " points"]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Some points at a time, and the best rival's score less that of the class."""
        classes = torch.from_numpy(held).to(points.device)[:, None]
        size = max(1, self.batch // len(noise))
        for piece, own in zip(
            torch.split(points, size), torch.split(classes, size), strict=True
        ):
            scores = self._mean(piece, noise)
            rivals = scores.scatter(1, own, -torch.inf).amax(dim=1)
            yield piece, rivals - scores.gather(1, own)[:, 0]

    def slope(
        self,
        points: Float32[np.ndarray, "points ..."],
        noise: Float[Tensor, "draws ..."],
        held: Int[np.ndarray, " points"],
    ) -> Float32[np.ndarray, "points ..."]:
        """The gradient of the best rival's log score less that of the class held."""
        here = torch.from_numpy(points).to(self._sampler.device).requires_grad_(True)
        slopes = [
            torch.autograd.grad(margin.sum(), piece)[0]
            for piece, margin in self._margins(here, noise, held)
        ]
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
        margins = [margin for _, margin in self._margins(here, noise, held)]
        return torch.cat(margins).cpu().numpy().astype(np.float64)

    @cached_property
    def has_slope(self) -> bool:
        """Whether a gradient leads through the classifier, at its first images."""
        dataset = self._sampler.dataset
        first = dataset.read(np.arange(min(8, len(dataset)))).astype(np.float32)
        held = np.zeros(len(first), dtype=np.int64)
        try:
            found = self.slope(first, self.noise(min(16, self.batch)), held)
        except (InputError, RuntimeError):  # a function, a graph of integers, labels
            return False
        return bool(found.any())
