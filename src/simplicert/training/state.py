"""A training run on disk: all that the next epoch needs, in one safetensors file.

Order, augmentation and noise come from numbered seeds, and the rate from the recipe, so
weights, momentum, loss scale and the number of epochs done are the whole state.
"""

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import nn

from simplicert.data import Dataset
from simplicert.errors import InputError
from simplicert.files import opened, regular, write_whole
from simplicert.models.checkpoint import fit_weights
from simplicert.training.recipe import Recipe

_KEY = "simplicert-training"
_WEIGHT, _MOMENTUM = "weight/", "momentum/"


class EpochRecord(BaseModel):
    """A row of the log.

    Attributes:
        epoch: From 1.
        learning_rate: Of its last step.
        loss: Mean over its images.
        accuracy: Share of them classified correctly, augmented and under noise; None
            where nothing classifies.
        validation_accuracy: Share of the validation images classified correctly under
            noise, after it; None without such images, or where nothing classifies.
        images_per_second: Mean speed of its training.
        seconds: It took, validation included.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    epoch: int
    learning_rate: float
    loss: float
    accuracy: float | None
    validation_accuracy: float | None
    images_per_second: float
    seconds: float


class _Header(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    recipe: dict[str, Any]
    images_digest: str
    scaler: dict[str, Any]
    log: tuple[EpochRecord, ...]


class TrainingState:
    """Saves a run after an epoch, and finds where it was.

    Args:
        path: Of the file, which ends in ``.training``; the log ends in ``.csv``.
        recipe: Of the run.
        dataset: The images it is trained on.

    Raises:
        InputError: If the path does not end so.
    """

    def __init__(self, path: Path, recipe: Recipe, dataset: Dataset) -> None:
        if path.suffix != ".training":
            raise InputError(f"state {path}: the name of a state ends in .training")
        self.path, self.log_path = path, path.with_suffix(".csv")
        self._recipe = recipe.model_dump(mode="json")
        # The dataset's own is of the whole split, whichever images are selected.
        selected = dataset.digest.encode() + dataset.indices.tobytes()
        self._digest = hashlib.sha256(selected).hexdigest()

    def save(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
        log: Sequence[EpochRecord],
    ) -> None:
        """Write state and log, each completely or not at all."""
        tensors = {_WEIGHT + key: value for key, value in model.state_dict().items()}
        for name, weight in model.named_parameters():
            momentum = optimiser.state[weight].get("momentum_buffer")
            if momentum is not None:
                tensors[_MOMENTUM + name] = momentum
        header = _Header(
            recipe=self._recipe,
            images_digest=self._digest,
            scaler=scaler.state_dict(),
            log=tuple(log),
        )
        content = to_bytes(
            {key: value.contiguous() for key, value in tensors.items()},
            {_KEY: header.model_dump_json()},
        )
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # The log first: an epoch without its state is trained and logged again.
            write_whole(self.log_path, _log(log))
            write_whole(self.path, content)
        except OSError as error:
            raise InputError(
                f"cannot write {error.filename or self.path}: {error.strerror}. What "
                "was saved before is kept: make room, and the same command goes on "
                "from there"
            ) from error

    def restore(
        self,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        scaler: torch.amp.GradScaler,
    ) -> list[EpochRecord]:
        """Bring back what was saved, if anything was; returns the log so far.

        Raises:
            InputError: If the file is damaged, or of another run; names what differs.
                If what would be written over is something else.
        """
        self._spare_others()
        if not self.path.exists():
            return []
        try:
            with safe_open(regular(self.path), framework="pt") as file:
                saved = (file.metadata() or {}).get(_KEY, "")
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            header = _Header.model_validate_json(saved)
        except (SafetensorError, ValidationError, InputError, OSError) as error:
            raise InputError(
                f"{self.path} is no state of a training run, or is damaged: remove it "
                "to start again"
            ) from error
        check_same_run(
            self.path, header.recipe, header.images_digest, self._recipe, self._digest
        )
        weights = {
            key.removeprefix(_WEIGHT): value
            for key, value in tensors.items()
            if key.startswith(_WEIGHT)
        }
        fit_weights(model, weights, source=str(self.path))
        for name, weight in model.named_parameters():
            if _MOMENTUM + name in tensors:
                momentum = tensors[_MOMENTUM + name].to(weight.device)
                optimiser.state[weight]["momentum_buffer"] = momentum
        scaler.load_state_dict(header.scaler)
        return list(header.log)

    def _spare_others(self) -> None:
        """Refuse to write the log over a file that is none."""
        if not self.log_path.exists():
            return
        with opened(self.log_path) as file:
            first = file.readline()
        if first != _log([]):
            raise InputError(
                f"{self.log_path} is no log of a training, which would be written "
                "there: move it, or write elsewhere with -o"
            )


def _log(records: Sequence[EpochRecord]) -> bytes:
    rows = io.StringIO()
    writer = csv.DictWriter(rows, EpochRecord.model_fields, lineterminator="\n")
    writer.writeheader()
    writer.writerows(record.model_dump() for record in records)
    return rows.getvalue().encode()


def check_same_run(
    path: Path,
    recipe: dict[str, Any],
    digest: str,
    wanted_recipe: dict[str, Any],
    wanted_digest: str,
) -> None:
    """Refuse to go on with, or to replace, what another recipe or other data made.

    Raises:
        InputError: If they differ; names the first field that does.
    """
    for field in sorted(recipe.keys() | wanted_recipe.keys()):
        old, new = recipe.get(field), wanted_recipe.get(field)
        if old != new:
            raise InputError(
                f"{path} was trained with {field} = {old!r}, not {new!r}: remove it, "
                "or write elsewhere with -o"
            )
    if digest != wanted_digest:
        raise InputError(
            f"{path} was trained on other images (digest {digest[:16]}…, not "
            f"{wanted_digest[:16]}…): remove it, or write elsewhere with -o"
        )
