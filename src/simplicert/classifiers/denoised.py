"""A classifier behind a denoiser: of both, one base classifier."""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from simplicert.classifiers.adapted import Adapted
from simplicert.classifiers.denoisers import Denoiser, find_denoiser
from simplicert.classifiers.digest import state_digest, weights_digest
from simplicert.classifiers.outputs import Forward, what
from simplicert.classifiers.protocol import Classifier, Stated
from simplicert.classifiers.torch_module import TorchClassifier, check_statistics
from simplicert.errors import InputError


def denoised(
    classifier: Classifier, denoiser: object, *, sigma: float | None = None
) -> Classifier:
    """The classifier of what a denoiser makes of noisy images.

    What is certified is the two together, and its digest is of both. A torch module is
    run as one module with its denoiser, by any runtime; any other classifier is given
    what torch has denoised.

    Args:
        classifier: Any.
        denoiser: A torch module, noisy images → images of the same shape; a pipeline of
            diffusers; or, in words, what ``--denoiser`` takes (docs/denoised.md).
        sigma: Of the noise, in pixels of [0, 1], which a diffusion model must know.

    Raises:
        InputError: It is no denoiser; or the classifier has one.

    Example:
        >>> from simplicert.classifiers import as_classifier
        >>> bright = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
        >>> denoised(as_classifier(bright), nn.AvgPool2d(3, 1, 1)).name
        'Sequential denoised by AvgPool2d'
    """
    if classifier.denoiser is not None:
        raise InputError(
            f"{classifier.name} has a denoiser before it already: give the classifier "
            "alone"
        )
    found = find_denoiser(denoiser, sigma=sigma)
    before = _Checked(found.module)
    if isinstance(classifier, TorchClassifier) and classifier.module is not None:
        both = nn.Sequential(before, classifier.module)
        return _DenoisedModule(classifier, found, both)
    return _DenoisedAny(classifier, found, before)


class _Checked(nn.Module):
    """A denoiser, whose images are seen to keep their shape."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module  # and no name, which would be in the digest

    def forward(self, images: Any) -> Any:
        """What the denoiser makes of them.

        Raises:
            InputError: Something else.
        """
        found = self.module(images)
        read = isinstance(found, fx.Proxy)  # and not run
        same = isinstance(found, Tensor) and found.shape == images.shape
        if not (read or same):
            raise InputError(
                f"the denoiser {type(self.module).__name__} must return images of the "
                f"shape that it is given, {tuple(images.shape)}, but returned "
                f"{what(found)}"
            )
        return found


class _DenoisedModule(TorchClassifier):
    """One module of both, so that whatever runs modules runs it."""

    def __init__(
        self, classifier: TorchClassifier, denoiser: Denoiser, both: nn.Module
    ) -> None:
        super().__init__(
            both,
            name=_called(classifier, denoiser),
            output=classifier.reading,
            classes=classifier.classes,
            shape=classifier.shape,
            training_sigma=denoiser.training_sigma,
            class_names=classifier.class_names,
            cuts=classifier.cuts,
            remarks=classifier.remarks,
        )
        self.is_multi_label = classifier.is_multi_label
        self.passes = classifier.passes
        self.denoiser = _stated(denoiser)
        self._classifier, self._check = classifier, denoiser.check

    @property
    def normalisations(self) -> int | None:
        """The classifier's: the denoiser's own would be taken for a second."""
        return self._classifier.normalisations

    def ready(
        self,
        shape: Sequence[int],
        *,
        precision: str,
        device: torch.device,
        runtime: str,
    ) -> Forward:
        """As of any module.

        Raises:
            InputError: Also if the denoiser does not take this shape.
        """
        self._check(shape)
        return super().ready(shape, precision=precision, device=device, runtime=runtime)


class _DenoisedAny(Adapted):
    """A classifier that is no torch module, and torch before it."""

    def __init__(
        self, classifier: Classifier, denoiser: Denoiser, before: nn.Module
    ) -> None:
        stated, copied = _stated(denoiser), copy.deepcopy(before)
        for parameter in copied.parameters():
            parameter.detach_()  # also TorchScript's, whose copies are no leaves
        super().__init__(
            classifier,
            name=_called(classifier, denoiser),
            facts=("denoised", stated.digest),
            before=copied,
            behind=nn.Identity(),
            class_names=classifier.class_names,
        )
        self.denoiser, self.training_sigma = stated, denoiser.training_sigma
        self._check, self._given = denoiser.check, before
        self._state = state_digest(before)

    def has_changed(self) -> bool:
        """Whether the denoiser or the classifier has."""
        return state_digest(self._given) != self._state or super().has_changed()

    def ready(
        self,
        shape: Sequence[int],
        *,
        precision: str,
        device: torch.device,
        runtime: str,
    ) -> Forward:
        """The classifier's, behind the denoiser.

        Raises:
            InputError: Also if the denoiser does not take this shape, or has changed.
        """
        self._check(shape)
        check_statistics(self._given, self.name)
        if self.has_changed():
            raise InputError(
                f"{self.name} has changed since its digest was taken: make another one"
            )
        return super().ready(shape, precision=precision, device=device, runtime=runtime)


def _called(classifier: Classifier, denoiser: Denoiser) -> str:
    return f"{classifier.plain_name} denoised by {denoiser.name}"


def _stated(denoiser: Denoiser) -> Stated:
    return Stated(
        name=denoiser.name,
        digest=weights_digest(denoiser.module),
        facts=denoiser.facts,
    )
