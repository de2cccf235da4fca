"""Scikit-learn's classifiers."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from simplicert.classifiers.digest import classifier_digest
from simplicert.classifiers.function import NumpyClassifier
from simplicert.errors import InputError


@runtime_checkable
class Estimator(Protocol):
    """What scikit-learn's classifiers are."""

    def get_params(self) -> Any:
        """Its settings."""

    def predict(self, samples: Any, /) -> Any:
        """A class a sample."""


def from_estimator(estimator: Estimator, *, name: str | None = None) -> NumpyClassifier:
    """A fitted scikit-learn classifier of flattened images, or of features.

    Class ``k`` is ``classes_[k]``, by whose name it is known, if that is a text, as are
    the features by the names of the table that it was fitted on. Its ``predict_proba``
    is certified where it has one, else the labels that it predicts.

    Raises:
        InputError: It is not fitted, or no classifier.
    """
    name = name or type(estimator).__name__
    labels = getattr(estimator, "classes_", None)
    if isinstance(labels, list):
        raise InputError(
            f"{name} has a list of classes_, one for each of several targets: certify "
            "them one by one, each as a function of its own, which picks its column: "
            "simplicert.classifiers.NumpyClassifier"
        )
    if not isinstance(labels, np.ndarray) or labels.ndim != 1:
        raise InputError(
            f"{name} has no classes_: fit it first, or wrap its function in "
            "simplicert.classifiers.NumpyClassifier if it is no classifier"
        )
    names = labels.tolist()
    probabilities = getattr(estimator, "predict_proba", None)
    columns = getattr(estimator, "feature_names_in_", None)

    def function(images: np.ndarray) -> np.ndarray:
        flat: Any = images.reshape(len(images), -1)
        if columns is not None and len(columns) == flat.shape[1]:
            flat = pd.DataFrame(flat, columns=columns)  # as it was fitted
        if probabilities is not None:
            return np.asarray(probabilities(flat))
        labelled: np.ndarray = np.searchsorted(labels, estimator.predict(flat))
        return labelled

    return _Fitted(
        function,
        output="labels" if probabilities is None else "probabilities",
        classes=len(labels),
        name=name,
        estimator=estimator,
        class_names=names if all(isinstance(n, str) for n in names) else (),
        features=() if columns is None else [*map(str, columns)],
    )


class _Fitted(NumpyClassifier):
    """The function of an estimator, which may be fitted again."""

    def __init__(
        self,
        function: Callable[[np.ndarray], np.ndarray],
        *,
        output: str,
        classes: int,
        name: str,
        estimator: Estimator,
        class_names: Sequence[str],
        features: Sequence[str],
    ) -> None:
        digest = classifier_digest(estimator)
        super().__init__(
            function, output=output, classes=classes, name=name, digest=digest
        )
        self._estimator, self._fitted = estimator, digest
        self.class_names, self.features = tuple(class_names), tuple(features)

    def has_changed(self) -> bool:
        """Whether it was."""
        return classifier_digest(self._estimator) != self._fitted
