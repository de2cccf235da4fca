"""Any classifier, made ready to be sampled."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from simplicert.errors import InputError
from simplicert.machine.device import DTYPES
from simplicert.sampling.digest import weights_digest
from simplicert.sampling.noise import layout
from simplicert.sampling.outputs import (
    Forward,
    Output,
    check_kind,
    outputs_of,
    sum_tolerance,
)

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class Classifier(ABC):
    """A base classifier and what identifies it.

    Args:
        name: For people.
        digest: SHA-256 over its weights, or over what else defines it.
        output: What it returns: ``"logits"``, whose softmax is its scores;
            ``"probabilities"``, which are certified as they are; or ``"labels"``.
        classes: Number of classes. Needed for labels; else learnt from the output.
        shape: Channels, height and width of the images it takes, where that is known.
        training_sigma: Noise it was trained with, where that is known.

    Raises:
        InputError: Another kind of output, or labels of an unknown number of classes.
    """

    def __init__(
        self,
        *,
        name: str,
        digest: str,
        output: str,
        classes: int | None = None,
        shape: Sequence[int] | None = None,
        training_sigma: float | None = None,
    ) -> None:
        self.name, self.digest = name, digest
        self.output: Output = check_kind(output)
        self.classes, self.shape = classes, shape
        self.training_sigma = training_sigma
        if output == "labels" and classes is None:
            raise InputError(
                f"{name} returns labels, which do not tell how many classes there are: "
                "say classes=…"
            )

    @property
    def normalisations(self) -> int:
        """Parts that subtract a mean and divide by a deviation, as far as is known."""
        return 0

    @abstractmethod
    def ready(
        self,
        shape: Sequence[int],
        *,
        precision: str,
        device: torch.device,
        compiled: bool,
    ) -> Forward:
        """What maps noisy images of this shape, on ``device``, to outputs.

        Raises:
            InputError: It cannot be run like that.
        """

    @torch.inference_mode()
    def count_classes(self, forward: Forward, image: Tensor) -> int:
        """One forward pass of an image in [0, 1], to see what comes back.

        Raises:
            InputError: Not one row of outputs, or of another kind than was said.
        """
        outputs = outputs_of(
            forward, image, name=self.name, output=self.output, classes=self.classes
        )
        if self.output == "labels" and self.classes is not None:
            return self.classes
        row = outputs[0].double()
        off = abs(float(row.sum()) - 1)
        like = bool((row >= 0).all()) and off <= sum_tolerance(outputs.dtype)
        if self.output == "logits" and like:
            raise InputError(
                f"{self.name} returns numbers that sum to 1, as probabilities do, but "
                "logits are expected, of which the softmax will be taken. Say "
                'output="probabilities" (docs/classifiers.md), or leave the softmax out'
            )
        if self.output == "probabilities" and not like and bool(row.isfinite().all()):
            raise InputError(
                f"{self.name} is said to return probabilities, but they sum to "
                f"{float(row.sum()):g} and lie in [{float(row.min()):g}, "
                f"{float(row.max()):g}]"
            )
        return len(row)


class TorchClassifier(Classifier):
    """A torch module: images in [0, 1] → outputs, normalisation inside.

    Args:
        module: The module; it stays as it is.
        name: Default: its class's.
        output: As for ``Classifier``, like the other arguments.

    Example:
        >>> module = nn.Sequential(nn.Flatten(), nn.Linear(64, 3), nn.Softmax(dim=1))
        >>> TorchClassifier(module, output="probabilities").name
        'Sequential'
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        name: str | None = None,
        output: str = "logits",
        classes: int | None = None,
        shape: Sequence[int] | None = None,
        training_sigma: float | None = None,
    ) -> None:
        super().__init__(
            name=name or type(module).__name__,
            digest=weights_digest(module),
            output=output,
            classes=classes,
            shape=shape,
            training_sigma=training_sigma,
        )
        self._module = module

    @property
    def normalisations(self) -> int:
        """Submodules with a ``mean`` and a ``std``, which batch norms do not have."""
        return sum(
            hasattr(part, "mean") and hasattr(part, "std")
            for part in self._module.modules()
        )

    def ready(
        self,
        shape: Sequence[int],
        *,
        precision: str,
        device: torch.device,
        compiled: bool,
    ) -> Forward:
        """An evaluation-mode copy on ``device``, laid out as the images are."""
        for name, part in self._module.named_modules():
            if isinstance(part, _BATCH_NORMS) and part.running_mean is None:
                raise InputError(
                    f"{self.name}: {name or 'the module'} normalises by the statistics "
                    "of the batch, so that one draw's vote depends on the others': "
                    "train it with track_running_stats=True"
                )
        try:
            module = copy.deepcopy(self._module)
        except Exception as error:
            raise InputError(
                f"{self.name} cannot be copied ({str(error).partition(chr(10))[0]}): "
                "give a module that has not been run yet, or one without hooks"
            ) from error
        module = module.eval().requires_grad_(False)
        module = module.to(device=device, dtype=DTYPES[precision])
        if layout(shape) is torch.channels_last:
            module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stubs lack it
        if compiled:
            module.compile(dynamic=False)  # so that a shape has one way to be rounded
        return module
