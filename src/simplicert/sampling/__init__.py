"""Noise, forward passes, votes. The one room that needs a model and time."""

from simplicert.sampling.classifier import Classifier, TorchClassifier
from simplicert.sampling.on_host import NumpyClassifier
from simplicert.sampling.sampler import Progress, Sampler, sample
from simplicert.sampling.seeds import chunk_seeds
from simplicert.sampling.sources import as_classifier

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
