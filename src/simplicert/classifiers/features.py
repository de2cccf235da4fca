"""Whether a model and a table mean the same features, where both name them."""

from collections.abc import Sequence

from simplicert.classifiers.adapted import with_columns
from simplicert.classifiers.protocol import Classifier
from simplicert.errors import InputError

_SHOWN = 3


def in_order_of_features(
    classifier: Classifier, features: Sequence[str], *, source: str
) -> Classifier:
    """The classifier of inputs whose features are in the order of a table's.

    Args:
        classifier: Whose features, if it names some, are compared.
        features: The table's; may be empty.
        source: Name of the table, for messages.

    Returns:
        The classifier itself where the names agree or are not known; the same with the
        features put into its order first, where that is all that differs.

    Raises:
        InputError: The table lacks one, or has others.
    """
    theirs, ours = [*classifier.features], [*features]
    if not theirs or not ours or theirs == ours:
        return classifier
    lacking = [name for name in theirs if name not in ours]
    others = [name for name in ours if name not in theirs]
    if lacking:
        raise InputError(
            f"{classifier.name} was fitted on features that {source} lacks: "
            f"{_shown(lacking)}"
            + (f". Instead it has {_shown(others)}" if others else "")
        )
    if others:
        raise InputError(
            f"{source} has features that {classifier.name} was not fitted on: "
            f"{_shown(others)}. Choose the others with feature_columns "
            f"(--feature-columns {','.join(theirs[:_SHOWN])}"
            f"{',…' if theirs[_SHOWN:] else ''})"
        )
    return with_columns(
        classifier, order=[ours.index(name) for name in theirs], features=ours
    )


def _shown(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    shown = ", ".join(map(repr, names[:_SHOWN]))
    return shown + (f" and {more} more" if more > 0 else "")
