"""Noise, forward passes, votes. The one room that needs a model and time."""

from simplicert.classifiers import (
    Classifier,
    NumpyClassifier,
    TorchClassifier,
    as_classifier,
)
from simplicert.sampling.memory import MemoryRun
from simplicert.sampling.one_call import sample
from simplicert.sampling.progress import Progress
from simplicert.sampling.sampler import Sampler
from simplicert.sampling.seeds import Stream

__all__ = [
    "Classifier",
    "MemoryRun",
    "NumpyClassifier",
    "Progress",
    "Sampler",
    "Stream",
    "TorchClassifier",
    "as_classifier",
    "sample",
]
