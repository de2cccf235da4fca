"""What a radius is in the values of each feature."""

import numpy as np
import pandas as pd

from simplicert.certificates import Certificates
from simplicert.errors import InputError

__all__ = ["feature_reach"]


def feature_reach(
    certificates: Certificates, radius: float | None = None
) -> pd.DataFrame:
    """How far a value of each entry of an input may move while all others stay.

    An l1, l2 or linf ball of the unit reaches ``radius`` along each of its axes, and
    one of the unit is as many of a feature's own values as its scale says.

    Args:
        certificates: Of inputs in a unit that has a scale.
        radius: In that unit. Default: the median of the certified radii.

    Returns:
        One row an entry of an input's first axis: ``feature``, ``one_is`` (one of the
        unit, in its values), ``alone`` (how far it may move, not rounded up).

    Raises:
        InputError: The unit has no scale, or is not known.

    """
    unit, data = certificates.unit, certificates.data
    if unit is None or data is None or not unit.is_converted:
        raise InputError(
            "these radii are in the inputs' own values, or nobody knows in what: there "
            "is no other scale to tell them in"
        )
    if radius is None:
        radius = float(np.median(certificates.radius))
    entries = data.shape[0] if unit.entries > 1 else 1
    scales = np.broadcast_to(unit.scales(1), (entries,))
    names = data.features or [str(entry) for entry in range(entries)]
    return pd.DataFrame(
        {
            "feature": names[:entries] if entries > 1 else ["all"],
            "one_is": scales,
            "alone": np.nextafter(radius * scales, 0.0),  # rounded, maybe up
        }
    )
