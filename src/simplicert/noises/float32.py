"""Noise as it was added before: float32 numbers to float32 numbers.

Runs of older versions had it, and what others' programs draw is of the kind. It is read
and certified, and drawn again by an audit; no new run has it.
"""

from dataclasses import replace

from simplicert.noises.gaussian import gaussian
from simplicert.noises.protocol import Noise
from simplicert.noises.uniform import uniform

__all__ = ["FLOAT32", "in_float32"]

_ASSUMES = (
    "added in floating point, so that the low bits of a noisy input tell of the input; "
    "certificates take it for granted that the classifier does not look at them"
)


def in_float32(noise: Noise) -> Noise:
    """One of ours as floating point adds it; any other as it is.

    Example:
        >>> in_float32(gaussian).name
        'gaussian-float32'
    """
    found = FLOAT32.get(f"{noise.name}-float32")
    if found is None or noise.digest is not None:
        return noise
    return replace(found, norm=noise.norm)


FLOAT32 = {
    f"{noise.name}-float32": Noise(
        f"{noise.name}-float32",
        noise.norm,
        stands_for=noise.name,
        assumes=_ASSUMES,
    )
    for noise in (gaussian, uniform)
}
"""By name."""
