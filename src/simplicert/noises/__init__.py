"""Noises: one file each. A new one is a file and a line here."""

from dataclasses import replace

from simplicert.errors import InputError
from simplicert.noises.gaussian import gaussian as gaussian
from simplicert.noises.protocol import Noise as Noise
from simplicert.noises.uniform import uniform as uniform
from simplicert.plugins import Kind, Origin, source_digest

BUILT_IN = {each.name: each for each in vars().values() if isinstance(each, Noise)}


def _admit(thing: object, origin: Origin) -> Noise:
    if not isinstance(thing, Noise) or not callable(thing.fill):
        raise InputError(
            f"{origin.text} is no noise: expected simplicert.noises.Noise(name, norm, "
            "fill), with a function fill(values, generator)"
        )
    if thing.name in BUILT_IN:
        raise InputError(
            f"a noise of your own cannot be called {thing.name!r}: that is another, "
            "whose proofs would be used for it"
        )
    return replace(thing, digest=source_digest(thing.fill))


NOISES: Kind[Noise] = Kind(name="noise", built_in=BUILT_IN, admit=_admit)
