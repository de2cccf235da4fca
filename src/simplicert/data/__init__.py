"""Datasets: inputs in their unit, labels, class names and stable indices. No torch."""

from simplicert.data.catalogue import load_dataset
from simplicert.data.dataset import Dataset

__all__ = ["Dataset", "load_dataset"]
