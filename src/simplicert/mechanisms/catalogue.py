"""Mechanisms by name, from a file, from a package, or installed by somebody else."""

from collections.abc import Callable, Collection, Sequence
from typing import cast

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from simplicert import mechanisms
from simplicert.errors import InputError
from simplicert.mechanisms.foreign import guarded
from simplicert.mechanisms.laws import check_laws
from simplicert.mechanisms.protocol import Mechanism, common_proof, proof_of
from simplicert.noises import Noise
from simplicert.plugins import Kind, Origin

__all__ = ["MECHANISMS", "applying", "best_of", "find_mechanism", "name_of"]


def find_mechanism(spec: str | Mechanism) -> Mechanism:
    """The mechanism that a text names, or a function of yours made one.

    A mechanism from outside is checked against the laws of
    :mod:`simplicert.mechanisms.laws` first. Its function is then only ever given
    float64 arrays of one shape with ``e0 + e1 <= 1``, and whatever it returns is
    checked again on every call.

    Args:
        spec: What ``simplicert.plugins.Kind.find`` takes; or, as text, several of these
            with commas between them, for the largest of their radii.

    Returns:
        A mechanism whose ``__name__`` serves as a column name.

    Raises:
        InputError: If nothing has that name, it cannot be imported, or it breaks a law.

    Example:
        >>> find_mechanism("cohen").__name__
        'cohen'
        >>> find_mechanism("li,cohen").__name__
        'max(li, cohen)'
    """
    if isinstance(spec, str) and "," in spec:
        parts = [find_mechanism(part.strip()) for part in spec.split(",")]
        return MECHANISMS.keep(best_of(parts))
    return MECHANISMS.find(spec)


def applying(noise: Noise, statistic: str) -> dict[str, Mechanism]:
    """Those of ours whose proof is about this noise, its norm and this statistic."""
    return {
        name: each
        for name, each in mechanisms.BUILT_IN.items()
        if proof_of(each).lacks(noise, statistic) is None
    }


def best_of(members: Sequence[Mechanism]) -> Mechanism:
    """The largest radius of several mechanisms, itself a mechanism.

    Its proof is about what all of theirs are about.

    Raises:
        InputError: They are about different noises, norms or statistics.

    Example:
        >>> at_best = best_of([mechanisms.li, mechanisms.cohen])
        >>> at_best(0.9, 0.05, sigma=1.0).round(3)
        np.float64(1.282)
    """
    members = tuple(members)

    def best(
        e0_lower: ArrayLike, e1_upper: ArrayLike, *, sigma: float
    ) -> Float64[np.ndarray, "..."]:
        return mechanisms.ensemble(e0_lower, e1_upper, sigma=sigma, members=members)

    return _marked(
        best, f"max({', '.join(map(name_of, members))})", common_proof(members)
    )


def name_of(mechanism: Mechanism) -> str:
    """What it is called in columns and legends."""
    return str(getattr(mechanism, "__name__", type(mechanism).__name__))


def _admit(function: object, origin: Origin) -> Mechanism:
    """Somebody else's function, guarded, and found to obey the laws."""
    if not callable(function):
        raise InputError(
            f"{origin.text!r} is a {type(function).__name__}, not a function"
        )
    excepted = getattr(function, "except_laws", ())
    if not isinstance(excepted, Collection) or not all(
        isinstance(law, str) for law in excepted
    ):
        raise InputError(
            f"mechanism {origin.name!r}: except_laws must be a list of laws, got "
            f"{excepted!r}"
        )
    mechanism = _marked(
        guarded(function, name=origin.name), origin.name, proof_of(function)
    )
    check_laws(mechanism, except_laws=excepted)
    return mechanism


def _marked(function: Callable[..., object], name: str, proof: object) -> Mechanism:
    function.__name__ = name
    function.proof = proof  # type: ignore[attr-defined]  # functions take any
    return cast("Mechanism", function)


MECHANISMS: Kind[Mechanism] = Kind(
    name="mechanism", built_in=mechanisms.BUILT_IN, admit=_admit
)
