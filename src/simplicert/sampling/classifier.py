"""Any torch classifier, made ready to be sampled."""

import copy
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from simplicert.errors import InputError
from simplicert.models import load_checkpoint
from simplicert.sampling.engine import DTYPES


@dataclass(frozen=True, kw_only=True)
class Classifier:
    """A base classifier and what identifies it.

    Attributes:
        module: Images in [0, 1] → logits; normalisation inside.
        name: For people.
        digest: SHA-256 over its weights.
        training_sigma: Noise it was trained with, where that is known.
    """

    module: nn.Module
    name: str
    digest: str
    training_sigma: float | None = None

    def ready(self, precision: str, device: torch.device) -> Callable[[Tensor], Tensor]:
        """An evaluation-mode copy on ``device``; the caller's module stays as it is."""
        module = copy.deepcopy(self.module).eval().requires_grad_(False)
        module = module.to(device=device, dtype=DTYPES[precision])
        return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # torch's stubs lack it


def as_classifier(model: nn.Module | str | Path) -> Classifier:
    """A torch module, or the path of a Simplicert checkpoint.

    Raises:
        InputError: It is neither, or the checkpoint cannot be read.
    """
    if isinstance(model, nn.Module):
        name = type(model).__name__
        return Classifier(module=model, name=name, digest=weights_digest(model))
    if isinstance(model, str | Path):
        path = Path(model)
        module, metadata = load_checkpoint(path)
        return Classifier(
            module=module,
            name=path.name,
            digest=weights_digest(module),
            training_sigma=metadata.sigma,
        )
    raise InputError(
        f"model must be a torch module or a checkpoint's path, got {type(model)}"
    )


def weights_digest(module: nn.Module) -> str:
    """SHA-256 over the module's structure and every parameter and buffer."""
    hashed = hashlib.sha256(repr(module).encode())
    for name, tensor in sorted(module.state_dict().items()):
        hashed.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        flat = tensor.detach().cpu().contiguous().view(-1)
        hashed.update(flat.view(torch.uint8).numpy().tobytes())
    return hashed.hexdigest()
