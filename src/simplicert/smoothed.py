"""The smoothed classifier as an object: predict and certify, batch in, arrays out."""

from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int
from scipy.special import betainc

from simplicert.arguments import checked_alpha, checked_sigma
from simplicert.certificates import ABSTAIN, ALPHA, Certificates, certify
from simplicert.mechanisms.protocol import Mechanism
from simplicert.noises import NOISES, Noise
from simplicert.procedures import Procedure
from simplicert.sampling import Progress, Sampler
from simplicert.votes import Votes

if TYPE_CHECKING:
    from simplicert.data.given import Images


class SmoothedClassifier:
    """``g(x)``: the class that ``model`` is most likely to give to ``x`` + noise.

    The shape that users of Cohen's ``Smooth`` and of ART know. For more than a few
    images, ``sample`` into a run directory and ``certify`` it: the votes are kept.

    The classifier is made ready once: copied, laid out and probed at the first call,
    and again only for inputs of another shape, or after ``model`` has changed: a module
    that is trained in between, or an estimator fitted anew, is what it is at each call.

    Args:
        model: As for ``sample``: a torch module (images in [0, 1] → logits), ….
        sigma: Noise standard deviation, in input units.
        noise: What is added; as for ``sample``.
        seed: Decides the noise of every call. Default: fresh noise each time.
        block: As for ``sample``, like the other arguments.

    Example:
        >>> import torch
        >>> images = torch.rand(2, 1, 8, 8, generator=torch.manual_seed(0))
        >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 3))
        >>> g = SmoothedClassifier(model, sigma=0.25, seed=0)
        >>> len(g.predict(images, draws=200)), len(g.certify(images, draws=200).radius)
        (2, 2)

    Raises:
        InputError: ``sigma`` is not a positive number; an unknown noise.
    """

    def __init__(
        self,
        model: object,
        *,
        sigma: float,
        noise: str | Noise = "gaussian",
        seed: int | None = None,
        block: int | None = None,
        batch: int | None = None,
        precision: str = "fp32",
        compiled: bool = False,
        device: str | None = None,
        threads: int | None = None,
        nonfinite: str = "stop",
        progress: Progress | bool | None = None,
    ) -> None:
        self.model, self.sigma = model, checked_sigma(sigma)
        self._make_ready = partial(
            Sampler,
            model,
            noise=NOISES.find(noise),
            precision=precision,
            compiled=compiled,
            device=device,
            threads=threads,
            nonfinite=nonfinite,
        )
        self._seed, self._block, self._batch = seed, block, batch
        self._progress = progress
        self._sampler: Sampler | None = None
        self._preparing = Lock()

    def _sample(self, x: "Images", draws: int) -> Votes:
        with self._preparing:  # calls may come from several threads
            ready = self._sampler
            if ready is None or ready.is_outdated:
                sampler = self._make_ready(x)
            else:
                sampler = ready.on(x)
            plan = sampler.plan(
                sigma=self.sigma,
                draws=draws,
                seed=self._seed,
                block=self._block,
                batch=self._batch,
            )
            self._sampler = sampler
        return sampler.votes(plan, progress=self._progress)

    def predict(
        self, x: "Images", *, draws: int = 1000, alpha: float = ALPHA
    ) -> Int[np.ndarray, " images"]:
        """The smoothed classifier's class of each image, without a radius.

        Returns:
            Classes, each wrong with probability at most ``alpha``; ``ABSTAIN`` where
            a two-sided binomial test cannot tell the top two classes apart.

        Raises:
            InputError: As ``sample``; ``alpha`` outside (0, 1).

        References:
            Cohen et al. 2019, arXiv:1902.02918, section 3.2.1 (PREDICT).
        """
        checked_alpha(alpha)
        votes = self._sample(x, draws)
        second, first = np.sort(votes.counts, axis=1)[:, -2:].T
        # Twice P[Binomial(first + second, 1/2) >= first]; at 0 votes nothing is known.
        p_value = np.where(first > 0, 2.0 * betainc(first, second + 1, 0.5), 1.0)
        return np.where(p_value <= alpha, votes.counts.argmax(axis=1), ABSTAIN)

    def certify(
        self,
        x: "Images",
        *,
        draws: int = 100_000,
        alpha: float = ALPHA,
        framework: str | None = None,
        procedure: str | Procedure | None = None,
        mechanism: str | Mechanism | None = None,
    ) -> Certificates:
        """Certified classes and radii of a batch; see ``simplicert.certify``."""
        votes = self._sample(x, draws)
        return certify(
            votes,
            alpha=alpha,
            framework=framework,
            procedure=procedure,
            mechanism=mechanism,
        )
