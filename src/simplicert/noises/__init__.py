"""Noises: one file each. A new one is a file and a line here."""

from dataclasses import replace
from typing import Any

from simplicert.errors import InputError
from simplicert.identity import digest_of, package_of
from simplicert.noises.gaussian import gaussian as gaussian
from simplicert.noises.protocol import Noise as Noise
from simplicert.noises.protocol import Norm as Norm
from simplicert.noises.protocol import in_norm as in_norm
from simplicert.noises.protocol import measured as measured
from simplicert.noises.uniform import uniform as uniform
from simplicert.plugins import kind_of_values, shown_as_theirs


def _with_digest(noise: Noise) -> Noise:
    if noise.fill is None:
        raise InputError(f"noise {noise.name!r} has no function that fills values")
    fill = noise.fill

    def shielded(values: Any, generator: Any) -> None:
        with shown_as_theirs(
            f"noise {noise.name!r}",
            ". It is called as fill(values, generator) and must overwrite the float32 "
            "torch tensor values",
        ):
            fill(values, generator)

    digest = digest_of(fill, home=[package_of(fill)])
    return replace(noise, fill=shielded, digest=digest)


NOISES = kind_of_values(
    "noise",
    Noise,
    vars(),
    expected="simplicert.noises.Noise(name, norm, fill)",
    check=_with_digest,
)
