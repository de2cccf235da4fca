"""Denoisers, alone or for one classifier (Salman et al. 2020)."""

from functools import lru_cache
from pathlib import Path
from textwrap import shorten
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from pydantic import model_validator
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from simplicert.classifiers import TorchClassifier
from simplicert.data import Dataset
from simplicert.errors import InputError
from simplicert.models import load_trained_classifier
from simplicert.training.methods.base import (
    Method,
    NonNegative,
    by_image,
    noisy_copies,
)


class Denoise(Method):
    """Squared error of what a denoiser makes of a noisy image, or what is seen in it.

    Without a classifier ``error = mean((D(x + n) - x)²) / sigma²``: what share of the
    noise's energy is left, 1 for a denoiser that does nothing. With one, the stability
    is added, ``error + weight * CE(F(D(x + n)), argmax F(x))``: the cross-entropy of
    what the classifier ``F`` sees in the denoised image with what it decides on the
    clean one; labels are for the accuracy alone. The classifier is in evaluation mode
    and stays as it is.

    The paper descends the stability alone, after the error. It is steep: its gradient
    in an image is some hundred times as long as the error's, and at a rate that suits
    the error it undoes what that has learnt. So they are descended together.

    Attributes:
        classifier: Path of its checkpoint, trained on such images.
        digest: Of it, as manifests have it. Default: the file's, which is stored.
        weight: Of the stability beside the error.

    References:
        Salman et al. 2020, arXiv:2003.01908, eq. (3) and (4), which it calls MSE and
        STAB.
    """

    denoises: ClassVar[bool] = True

    name: Literal["denoise"] = "denoise"
    classifier: str | None = None
    digest: str | None = None
    weight: NonNegative = 0.01

    @model_validator(mode="after")
    def _mean_something(self) -> "Denoise":
        if self.classifier is None and self != Denoise.model_construct():
            raise ValueError(
                "digest and weight are of the stability: say which classifier's"
            )
        return self

    @property
    def passes(self) -> int:
        """One."""
        return 1

    def resolved(self, dataset: Dataset) -> "Denoise":
        """With the digest of the classifier.

        Raises:
            InputError: It is no checkpoint of a classifier, is for other images or
                classes, or has not the digest that was said.
        """
        if self.classifier is None:
            return self
        path = Path(self.classifier)
        module, metadata = load_trained_classifier(path)
        for what, theirs, ours in (
            ("images of shape", metadata.shape, dataset.shape),
            ("classes", metadata.class_names, dataset.class_names),
        ):
            if tuple(theirs) != tuple(ours):
                raise InputError(
                    f"{path} is for {what} {shorten(str(theirs), 80)}, but these are "
                    f"{shorten(str(ours), 80)}: give a classifier that was trained on "
                    "such data"
                )
        digest = TorchClassifier(module).digest
        if self.digest not in {None, digest}:
            raise InputError(
                f"{path} has digest {digest[:16]}…, but the recipe says "
                f"{self.digest:.16}…: it is another classifier than was meant"
            )
        return self.model_copy(update={"digest": digest})

    def classifying(self, model: nn.Module) -> nn.Module | None:
        """The classifier, of what the denoiser gives it."""
        device = next(model.parameters()).device
        frozen = self._frozen(device)
        return None if frozen is None else nn.Sequential(model, frozen)

    def loss(
        self,
        model: nn.Module,
        images: Float[Tensor, "images channels height width"],
        labels: Int[Tensor, " images"],  # noqa: ARG002 (it learns from images alone)
        *,
        sigma: float,
        done: float,  # noqa: ARG002 (always the same)
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, ""], Float[Tensor, "images classes"] | None]:
        """The objective, and what the classifier sees, if there is one."""
        noisy = noisy_copies(images, draws=1, sigma=sigma, generator=generator)
        denoised = model(noisy)
        # Mixed precision ends here, of a difference that has few digits left.
        precise = denoised.to(torch.promote_types(denoised.dtype, torch.float32))
        error = (precise - images).square().mean() / sigma**2
        frozen = self._frozen(images.device)
        if frozen is None:
            return error, None
        with torch.no_grad():
            decided = frozen(images).argmax(dim=1)
        logits = by_image(frozen(precise), draws=1).squeeze(1)
        return error + self.weight * cross_entropy(logits, decided), logits

    def _frozen(self, device: torch.device) -> nn.Module | None:
        if self.classifier is None:
            return None
        return _loaded(self.classifier, self.digest, device)


@lru_cache(maxsize=1)
def _loaded(path: str, digest: str | None, device: torch.device) -> nn.Module:
    """The classifier, in evaluation mode, of which no weight has a gradient."""
    module, _ = load_trained_classifier(Path(path))
    if digest is not None and TorchClassifier(module).digest != digest:
        raise InputError(f"{path} has changed since the training began: bring it back")
    module.requires_grad_(False)
    module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
    return module
