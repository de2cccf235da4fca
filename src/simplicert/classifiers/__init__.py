"""Anything that answers a batch, as a classifier: one file a kind."""

from simplicert.classifiers.catalogue import as_classifier
from simplicert.classifiers.denoised import denoised
from simplicert.classifiers.denoisers import DENOISERS as DENOISERS
from simplicert.classifiers.function import NumpyClassifier
from simplicert.classifiers.http import HttpClassifier
from simplicert.classifiers.protocol import Classifier
from simplicert.classifiers.torch_module import TorchClassifier

__all__ = [
    "Classifier",
    "HttpClassifier",
    "NumpyClassifier",
    "TorchClassifier",
    "as_classifier",
    "denoised",
]
