"""Where to look for neighbours: draws that are never counted choose them.

Half of an image's draws estimate the direction in which its class gains most, by
Stein's identity: the mean of the noise of the draws that voted for the class. The
others try points on both sides of it. The classifier is only asked for classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import torch
from jaxtyping import Float, Int

from simplicert.arguments import checked_distance, checked_draws
from simplicert.certificates.balls import covered
from simplicert.data import Dataset
from simplicert.data.neighbours import neighbours_of, seen_from
from simplicert.errors import InputError
from simplicert.machine.device import DTYPES, cpu_threads
from simplicert.mechanisms import neyman_pearson
from simplicert.sampling.noisy import NoisyInputs, chunk_draws, chunks_of, stages
from simplicert.sampling.progress import Told
from simplicert.sampling.sampler import Sampler
from simplicert.sampling.seeds import ASKED
from simplicert.votes import Manifest

__all__ = ["DISTANCES", "EACH", "PILOT", "find_neighbours"]

EACH, PILOT, DISTANCES = 2, 1000, (0.25, 0.5, 1.0)
"""Neighbours of an image, draws that look for them, and how many sigma away."""

_FARTHEST = 40  # sigma: the largest share below 1 in float64 certifies fewer
_MOST_CHOICES = 20_000  # all lie in memory, with their pairs


def find_neighbours(
    sampler: Sampler,
    plan: Manifest,
    *,
    each: int = EACH,
    pilot: int = PILOT,
    distances: Sequence[float] = DISTANCES,
    progress: Told | None = None,
) -> Dataset:
    """Neighbours of every image, as a data set to be sampled.

    No draw is counted: the bits of its noise are of another purpose than those of any
    counted draw, whatever the seeds, so that a run of the neighbours bounds what it has
    not chosen.

    Args:
        sampler: A classifier and images.
        plan: Of a run of these: its sigma, seed, batch and precision.
        each: Neighbours of an image, 1 to 16.
        pilot: Draws an image.
        distances: At which they are looked for, in sigma.
        progress: Told how much is done.

    Raises:
        InputError: A number out of range, or too few draws for so many distances; the
            noise certifies no l2 balls.
    """
    far = [checked_distance(each) * plan.sigma for each in distances]
    tried = 2 * len(far)
    pilot = checked_draws(pilot)
    if not all(far) or not 1 <= each <= min(tried, 16):
        raise InputError(
            f"{each} neighbours an image cannot be chosen from {tried} points: give "
            "from 1 to 16, and at least half as many distances, above 0"
        )
    if max(far) > _FARTHEST * plan.sigma:
        raise InputError(
            f"distances go to {_FARTHEST} sigma, got {max(far) / plan.sigma:g}: no "
            "draws certify a ball so far away that holds the input"
        )
    choices = comb(tried, each)
    if choices > _MOST_CHOICES:
        raise InputError(
            f"{each} of {tried} points can be chosen in {choices:,} ways, more than "
            f"the {_MOST_CHOICES:,} that are compared: give fewer distances, or fewer "
            "neighbours"
        )
    if pilot < 4 * tried:
        raise InputError(
            f"{pilot} pilot draws are too few to compare {tried} points: give at least "
            f"{4 * tried}"
        )
    if plan.noise_facts.norm != "l2":
        raise InputError(
            f"{plan.noise_facts}: neighbours' balls are combined in l2 alone"
        )
    ask = _Pilot(sampler, plan)
    images, found = len(plan.images), []
    with cpu_threads(plan.threads), torch.inference_mode():
        for position in range(images):
            found.append(_around(ask, position, far=far, each=each, pilot=pilot))
            if progress is not None:
                progress((position + 1) * pilot, images * pilot)
    how = {
        "sigma": plan.sigma,
        "seed": plan.seed,
        "pilot": pilot,
        "distances": far,
        "model": plan.model.digest,
    }
    return neighbours_of(sampler.dataset, np.stack(found), how=how)


def _around(
    ask: "_Pilot", position: int, *, far: Sequence[float], each: int, pilot: int
) -> Float[np.ndarray, "each ..."]:
    """The neighbours of one image that the pilot draws think best."""
    [origin] = ask.inputs(position)
    answers, noise = ask.draw(position, origin, first=0, draws=pilot // 2)
    top = int(answers.mean(axis=0).argmax())
    gain = answers[:, top] - answers[:, top].mean()
    way = np.tensordot(gain, noise, axes=1)
    if not way.any():  # all agree: any direction is as good
        way = noise[0]
    way /= np.linalg.norm(way)
    points = np.stack([origin + s * d * way for s in (1, -1) for d in far])
    points = points.astype(np.float32)
    draws = (pilot - pilot // 2) // len(points)
    radii = np.array(
        [
            _radius(ask.draw(position, point, first=pilot, draws=draws)[0], top)
            for point in points
        ]
    )
    best: np.ndarray = points[_best(origin, points, radii * ask.plan.sigma, each)]
    return best


def _radius(answers: Float[np.ndarray, "draws classes"], top: int) -> float:
    """About the radius at sigma 1, of a class by so few draws."""
    shares = (answers.sum(axis=0) + 0.5) / (len(answers) + 1.0)
    others = np.delete(shares, top).max()
    return float(neyman_pearson(shares[top], others, sigma=1.0))


def _best(
    origin: Float[np.ndarray, "..."],
    points: Float[np.ndarray, "points ..."],
    radii: Float[np.ndarray, " points"],
    each: int,
) -> Int[np.ndarray, " each"]:
    """Of all choices of so many points the one whose balls cover most; else nearest."""
    choices = np.array([*combinations(range(len(points)), each)])
    places = [seen_from(origin, points[choice]) for choice in choices]
    away, cosines = (np.array([place[i] for place in places]) for i in (0, 1))
    covers = covered(
        np.zeros(len(choices)), radii[choices], distances=away, cosines=cosines
    )
    left = (radii[choices] - away).sum(axis=1)
    best: np.ndarray = choices[np.lexsort((left, covers))[-1]]
    return best


@dataclass(frozen=True)
class _Pilot:
    """Asks the classifier about noisy copies of points, which no run counts."""

    sampler: Sampler
    plan: Manifest

    def inputs(self, position: int) -> Float[np.ndarray, "one ..."]:
        """One image, in float64."""
        return self.sampler.asked.read(np.array([position])).astype(np.float64)

    def draw(
        self, position: int, point: Float[np.ndarray, "..."], *, first: int, draws: int
    ) -> tuple[Float[np.ndarray, "draws classes"], Float[np.ndarray, "draws ..."]]:
        """Which class each draw votes for, as rows of 0 and 1; and its noise."""
        asked, shape = self.sampler.asked, point.shape
        size = chunk_draws(shape)
        chunks = chunks_of(
            0,
            seed=self.plan.seed,
            image=self.plan.images[position],
            first=first,
            draws=draws,
            size=size,
            purpose=ASKED,
        )
        noisy = self._noisy(shape, max(size, self.plan.batch))
        here = torch.from_numpy(point)
        answers, noise = [], []
        for stage in stages(chunks, capacity=noisy.capacity):
            inputs = noisy.fill(stage, [here])
            noise.append(inputs.cpu().double().numpy() - point)
            answers += [
                asked.ask(each) for each in torch.split(inputs, self.plan.batch)
            ]
        votes = torch.nn.functional.one_hot(
            torch.cat(answers).argmax(dim=1), asked.classes
        )
        return votes.double().numpy(), np.concatenate(noise)

    def _noisy(self, shape: Sequence[int], capacity: int) -> NoisyInputs:
        return NoisyInputs(
            shape,
            noise=self.sampler.noise,
            capacity=capacity,
            sigma=self.plan.sigma,
            dtype=DTYPES[self.plan.precision],
            device=self.sampler.device,
        )
