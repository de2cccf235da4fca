"""Which portraits the inputs of a data set have."""

from simplicert.data.dataset import Dataset
from simplicert.report.portraits.features import features_of
from simplicert.report.portraits.pictures import pictures_of
from simplicert.report.portraits.protocol import Portrait
from simplicert.report.portraits.statistics import Statistics
from simplicert.report.portraits.waveform import waveform_of
from simplicert.report.portraits.words import words_of

__all__ = ["portraits_of"]


def portraits_of(dataset: Dataset) -> list[Portrait]:
    """What is shown of each input, in this order; at least one.

    Args:
        dataset: The inputs as they were sampled, in the run's unit.
    """
    makers = (words_of, pictures_of, features_of, waveform_of)
    found: list[Portrait] = [
        each for make in makers if (each := make(dataset, dataset.unit)) is not None
    ]
    return found or [Statistics(dataset)]
