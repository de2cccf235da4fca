"""Torch modules."""

import copy
from collections.abc import Sequence

import torch
from torch import nn

from simplicert.classifiers.digest import weights_digest
from simplicert.classifiers.outputs import Forward
from simplicert.classifiers.protocol import Classifier
from simplicert.data.cuts import PublishedCut
from simplicert.errors import InputError
from simplicert.machine.device import DTYPES
from simplicert.machine.layout import layout

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class TorchClassifier(Classifier):
    """A torch module: images in [0, 1] → outputs, normalisation inside.

    Args:
        module: The module; it stays as it is.
        name: Default: its class's.
        output: As for ``Classifier``, like the other arguments.
        remarks: What to say of it before it is sampled.

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
        class_names: Sequence[str] = (),
        cuts: Sequence[PublishedCut] = (),
        remarks: Sequence[str] = (),
    ) -> None:
        super().__init__(
            name=name or type(module).__name__,
            digest=weights_digest(module),
            output=output,
            classes=classes,
            shape=shape,
            training_sigma=training_sigma,
            class_names=class_names,
            cuts=cuts,
        )
        self._module, self._remarks = module, tuple(remarks)

    @property
    def normalisations(self) -> int:
        """Submodules with a ``mean`` and a ``std``, which batch norms do not have."""
        return sum(
            hasattr(part, "mean") and hasattr(part, "std")
            for part in self._module.modules()
        )

    def warnings(self, *, precision: str) -> tuple[str, ...]:
        """The remarks, and weights of another precision, which are converted."""
        kept = {w.dtype for w in self._module.parameters() if w.is_floating_point()}
        others = kept - {torch.float32, DTYPES[precision]}
        return self._remarks + tuple(
            f"the model has weights in {name.removeprefix('torch.')}, which are "
            f"converted to {precision}: what is certified is the converted model. Is "
            "it the one that you use?"
            for name in sorted(map(str, others))
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
