"""Noises: one file each. A new one is a file and a line here."""

from dataclasses import replace
from typing import Any

from simplicert.errors import InputError
from simplicert.identity import digest_of, package_of
from simplicert.noises.float32 import FLOAT32 as FLOAT32
from simplicert.noises.float32 import in_float32 as in_float32
from simplicert.noises.gaussian import gaussian as gaussian
from simplicert.noises.grid import displacement as displacement
from simplicert.noises.protocol import Noise as Noise
from simplicert.noises.protocol import Norm as Norm
from simplicert.noises.protocol import in_norm as in_norm
from simplicert.noises.protocol import measured as measured
from simplicert.noises.uniform import uniform as uniform
from simplicert.plugins import kind_of_values, shown_as_theirs


def _with_digest(noise: Noise) -> Noise:
    if noise.name in FLOAT32:
        raise InputError(
            f"{noise.name} is how older versions added noise, and is kept for reading "
            f"their runs: use {FLOAT32[noise.name].law}, which is added exactly"
        )
    if noise.on_grid is not None:
        raise InputError(
            f"noise {noise.name!r} has a law on_grid, which only Simplicert's own can "
            "have: nothing would check it. Give it a function that fills values"
        )
    if noise.fill is None:
        raise InputError(f"noise {noise.name!r} has no function that fills values")
    fill = noise.fill

    def shielded(values: Any, generator: Any) -> None:
        with shown_as_theirs(
            f"noise {noise.name!r}",
            ". It is called as fill(values, generator), with a numpy.random.Generator, "
            "and must overwrite the float64 array values",
        ):
            fill(values, generator)

    digest = digest_of(fill, home=[package_of(fill)])
    # What proofs call it, and what they take for granted of it, is not for it to say.
    return replace(noise, fill=shielded, digest=digest, stands_for=None, assumes=None)


NOISES = kind_of_values(
    "noise",
    Noise,
    vars(),
    expected="simplicert.noises.Noise(name, norm, fill)",
    check=_with_digest,
)
