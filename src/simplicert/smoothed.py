"""The smoothed classifier as an object: predict and certify, batch in, arrays out."""

from collections.abc import Sequence
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from simplicert.arguments import checked_sigma
from simplicert.certificates import (
    ABSTAIN,
    ALPHA,
    Certificates,
    certify,
    find_procedure,
)
from simplicert.errors import InputError
from simplicert.mechanisms.protocol import Mechanism
from simplicert.noises import NOISES, Noise
from simplicert.procedures import Procedure
from simplicert.sampling import Progress, Sampler
from simplicert.sampling.soft import SoftScores
from simplicert.stopping import Rule, as_rule
from simplicert.stopping.sure import is_sure, sure
from simplicert.units import Unit
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
        sigma: Noise standard deviation, in the unit.
        unit: As for ``sample``; of a unit that depends on a data set, as
            ``"deviations"`` and ``"levels"`` do, give the ``Unit`` itself.
        noise: What is added; as for ``sample``.
        seed: Decides the noise of every call. Default: fresh noise each time.
        temperature: What logits are divided by before the softmax, as for ``sample``.
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
        unit: str | Unit | None = None,
        noise: str | Noise = "gaussian",
        seed: int | None = None,
        temperature: float = 1.0,
        block: int | None = None,
        batch: int | None = None,
        precision: str = "fp32",
        runtime: str = "eager",
        device: str | None = None,
        threads: int | None = None,
        nonfinite: str = "stop",
        progress: Progress | bool | None = None,
    ) -> None:
        self.model, self.sigma = model, checked_sigma(sigma)
        if unit in ("deviations", "levels"):
            cure = {
                "deviations": "as simplicert.data.units.deviations(dataset) returns it",
                "levels": 'Unit(name="levels", low=0, high=255), and scale=1 / 255 '
                "where the classifier takes [0, 1]",
            }
            raise InputError(
                f"{unit} are those of a data set, and calls bring a few inputs: give a "
                f"simplicert.units.Unit, {cure[unit]}"
            )
        self._make_ready = partial(
            Sampler,
            model,
            unit=unit,
            noise=NOISES.find(noise),
            precision=precision,
            runtime=runtime,
            device=device,
            threads=threads,
            nonfinite=nonfinite,
        )
        self._seed, self._block, self._batch = seed, block, batch
        self._temperature, self._progress = temperature, progress
        self._sampler: Sampler | None = None
        self._preparing = Lock()

    def _sample(
        self,
        x: "Images",
        *,
        draws: int,
        rule: Rule | None,
        alpha: float,
        margins: bool = False,
    ) -> Votes:
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
                block=self._block if rule is None else None,
                batch=self._batch,
                rule=rule,
                alpha=alpha,
                scores=SoftScores(margins=margins, temperature=self._temperature),
            )
            self._sampler = sampler
        return sampler.votes(plan, rule=rule, progress=self._progress)

    def predict(
        self, x: "Images", *, draws: int = 1000, alpha: float = ALPHA
    ) -> Int[np.ndarray, " images"]:
        """The smoothed classifier's class of each image, without a radius.

        An image gets no more draws when its class is sure; most need some dozens.

        Args:
            x: Images, as for ``sample``.
            draws: The most that an image can get.
            alpha: Failure probability of each class.

        Returns:
            Classes, each wrong with probability at most ``alpha``; ``ABSTAIN`` where
            a two-sided binomial test cannot tell the top two classes apart, at the
            share of ``alpha`` of the look at which the draws ended.

        Raises:
            InputError: As ``sample``; ``alpha`` outside (0, 1).

        References:
            Cohen et al. 2019, arXiv:1902.02918, section 3.2.1 (PREDICT).
        """
        votes = self._sample(x, draws=draws, rule=sure, alpha=alpha)
        return np.where(is_sure(votes, alpha), votes.counts.argmax(axis=1), ABSTAIN)

    def certify(
        self,
        x: "Images",
        *,
        draws: int = 100_000,
        until: str | Rule | Sequence[float] | np.ndarray | float | None = None,
        alpha: float = ALPHA,
        framework: str | None = None,
        procedure: str | Procedure | None = None,
        mechanism: str | Mechanism | None = None,
        asymptotic: bool = False,
    ) -> Certificates:
        """Certified classes and radii of a batch.

        Args:
            x: Images, as for ``sample``.
            draws: Of each image; with ``until``, the most that one can get.
            until: As for ``sample``: what is to be decided, after which an image gets
                no more draws.
            alpha: As for ``simplicert.certify``, like what follows.
            framework: What is counted.
            procedure: How the expectations are bounded. For ``margins`` the first block
                of an image chooses, and the others bound; not with ``until``.
            mechanism: What bounds the radius.
            asymptotic: Let the procedure be one that guarantees nothing.
        """
        how = find_procedure(procedure, framework=framework, asymptotic=asymptotic)
        rule = None if until is None else as_rule(until)
        margins = "margins" in how.columns
        if how.separate and not margins:
            raise InputError(
                f"the procedure {how.name} needs other draws that choose the class, "
                "and this draws one set: sample twice, with two seeds, and certify "
                "votes.chosen_by(others)"
            )
        votes = self._sample(x, draws=draws, rule=rule, alpha=alpha, margins=margins)
        return certify(
            votes,
            alpha=alpha,
            procedure=how,
            mechanism=mechanism,
            asymptotic=asymptotic,
        )
