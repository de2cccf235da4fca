"""Noise, forward passes, votes. The one room that needs a model and time."""

from simplicert.classifiers import (
    Classifier,
    NumpyClassifier,
    TorchClassifier,
    as_classifier,
)
from simplicert.sampling.sampler import Progress, Sampler, sample
from simplicert.sampling.seeds import chunk_seeds

__all__ = [
    "Classifier",
    "NumpyClassifier",
    "Progress",
    "Sampler",
    "TorchClassifier",
    "as_classifier",
    "chunk_seeds",
    "sample",
]
