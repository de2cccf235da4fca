"""Architectures with normalisation inside, and their checkpoints."""

from simplicert.models.catalogue import build_model
from simplicert.models.checkpoint import (
    Metadata,
    load_checkpoint,
    load_trained_classifier,
    load_trained_denoiser,
    save_checkpoint,
)
from simplicert.models.published import load_published
from simplicert.models.small_cnn import SmallConvNet

__all__ = [
    "Metadata",
    "SmallConvNet",
    "build_model",
    "load_checkpoint",
    "load_published",
    "load_trained_classifier",
    "load_trained_denoiser",
    "save_checkpoint",
]
