"""SmoothAdv: adversarial training of the smoothed classifier (Salman et al. 2019)."""

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import nll_loss
from torch.nn.parallel import DistributedDataParallel

from simplicert.training.methods.base import (
    Fraction,
    Method,
    NonNegative,
    PositiveInt,
    by_image,
    noisy_copies,
    smoothed,
)


class SmoothAdv(Method):
    """Cross-entropy of noisy copies of images moved against the smoothed classifier.

    Each image is moved within an L2 ball to where ``-log`` of the draws' mean softmax
    at its label is large, by projected gradient ascent in steps of ``2 * epsilon /
    steps`` along the normalised gradient. The same noise serves all steps of the attack
    and the step of training, which descends the mean cross-entropy of the noisy copies.

    Choices made here: the ascent starts at the image; pixels may leave [0, 1], as they
    do under noise; batch-norm layers use their running statistics during the attack.

    Attributes:
        draws: Noise vectors an image (the paper's m).
        epsilon: Radius of the ball, in pixels of [0, 1].
        steps: Of the attack (the paper's T).
        warmup: Share of the training in which ``epsilon`` rises linearly from 0.

    References:
        Salman et al. 2019, arXiv:1906.04584, section 2 and Pseudocode 1.
    """

    name: Literal["smoothadv"] = "smoothadv"
    draws: PositiveInt = 2
    epsilon: NonNegative = 0.5
    steps: PositiveInt = 2
    warmup: Fraction = 0.0

    @property
    def passes(self) -> int:
        """One a draw, for each step of the attack and for the one of training."""
        return self.draws * (self.steps + 1)

    def loss(
        self,
        model: nn.Module,
        images: Float[Tensor, "images channels height width"],
        labels: Int[Tensor, " images"],
        *,
        sigma: float,
        done: float,
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "images classes"]]:
        """The objective, and the log-probabilities under attack."""
        noise = noisy_copies(
            torch.zeros_like(images),
            draws=self.draws,
            sigma=sigma,
            generator=generator,
        )
        risen = min(1.0, done / self.warmup) if self.warmup else 1.0
        moved = self._attack(
            model, images, labels, noise=noise, epsilon=self.epsilon * risen
        )
        logits = self._logits(model, moved, noise)
        loss = nll_loss(logits.log_softmax(dim=2).mean(dim=1), labels)
        return loss, smoothed(logits)

    def _logits(
        self,
        model: nn.Module,
        images: Float[Tensor, "images channels height width"],
        noise: Float[Tensor, "copies channels height width"],
    ) -> Float[Tensor, "images draws classes"]:
        copies = images.repeat_interleave(self.draws, dim=0)
        return by_image(model(copies + noise), draws=self.draws)

    def _attack(
        self,
        model: nn.Module,
        images: Float[Tensor, "images channels height width"],
        labels: Int[Tensor, " images"],
        *,
        noise: Float[Tensor, "copies channels height width"],
        epsilon: float,
    ) -> Float[Tensor, "images channels height width"]:
        """The images, moved by at most ``epsilon``."""
        # The wrapper is for passes whose weights' gradients are exchanged; these have
        # none, and with autograd.grad it does not work.
        if isinstance(model, DistributedDataParallel):
            model = model.module
        model.eval()  # or the attack would move batch norm's running statistics
        offset = torch.zeros_like(images)
        for _ in range(self.steps):
            offset.requires_grad_()
            logits = self._logits(model, images + offset, noise)
            # The sum: an image's own gradient does not depend on the batch.
            error = nll_loss(smoothed(logits), labels, reduction="sum")
            (ascent,) = torch.autograd.grad(error, offset)  # and none for the weights
            # Longest 1, but not a division by 0 where the gradient vanishes.
            length = ascent.flatten(1).norm(dim=1).clamp(min=1e-12)
            step = 2 * epsilon / self.steps / length
            offset = offset.detach() + step[:, None, None, None] * ascent
            offset = offset.renorm(p=2, dim=0, maxnorm=epsilon)
        model.train()
        return images + offset
