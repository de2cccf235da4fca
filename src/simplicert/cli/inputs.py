"""A classifier and the inputs that it is given, from the options that say which."""

from dataclasses import replace
from typing import Literal

from simplicert.classifiers import Classifier, as_classifier
from simplicert.classifiers.protocol import checked_cost
from simplicert.data import Dataset, load_dataset
from simplicert.data.cuts import Interpolation, choose_cut

__all__ = ["classifier_and_data"]


def classifier_and_data(
    model: str,
    data: str,
    *,
    split: str,
    size: int | None,
    crop: float | None,
    interpolation: Interpolation | None,
    stretch: bool | None,
    corrupt: Literal["refuse", "skip"] = "refuse",
    image_column: str | None = None,
    label_column: str | None = None,
    output: str | None = None,
    feature_columns: tuple[str, ...] | None = None,
    mean: tuple[float, ...] | None = None,
    std: tuple[float, ...] | None = None,
    denoiser: str | None = None,
    sigma: float | None = None,
    cost: float | None = None,
) -> tuple[Classifier, Dataset]:
    """The classifier, and all images, cut as it wants them or as was asked."""
    classifier = as_classifier(
        model, output=output, mean=mean, std=std, denoiser=denoiser, sigma=sigma
    )
    if cost is not None:
        classifier.passes = replace(classifier.passes, cost=checked_cost(cost))
    cut = choose_cut(
        classifier.cuts,
        size=size,
        crop=crop,
        interpolation=interpolation,
        stretch=stretch,
    )
    asked = {size, crop, interpolation, stretch} != {None}
    dataset = load_dataset(
        data,
        split=split,
        size=cut.size if cut is not None and asked else None,
        cut=cut,
        corrupt=corrupt,
        image_column=image_column,
        label_column=label_column,
        feature_columns=feature_columns,
        known_features=classifier.features,
    )
    return classifier, dataset
