"""The laws that every certification mechanism obeys, as checks that name the point."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float64
from numpy.typing import ArrayLike

from simplicert import mechanisms
from simplicert.errors import InputError, unknown_name
from simplicert.mechanisms.protocol import Mechanism, Proof, proof_of

__all__ = ["LAWS", "broken_laws", "check_laws"]

LAWS: Mapping[str, str] = MappingProxyType(
    {
        "shape": "float64, in the broadcast shape of its arguments",
        "number": "never negative, never NaN",
        "separated": "0 where e0_lower is not above the runner-up",
        "sum": "bounds that sum to more than 1 count as e1_upper = 1 - e0_lower",
        "monotone": "never falls as e0_lower rises, never rises as e1_upper does",
        "linear": "proportional to sigma",
        "tight": "never above the largest radius that holds for every classifier with "
        "these expectations under its noise: neyman_pearson for Gaussian noise",
    }
)
"""Every law by name, with its statement."""

EXCEPTABLE = ("monotone", "linear", "tight")
"""Those that a sound mechanism might break: it may know more than E0 and E1."""

TOLERANCE = 1e-9
"""Relative slack of every comparison: room for a solver's last digits, not for more."""

_ENDS = np.array([0.0, 1e-9, 1e-6, 1e-4, 1e-3, 3e-3, 0.01, 0.02])
_AXIS = np.concatenate([_ENDS, np.linspace(0.05, 0.95, 19), 1.0 - _ENDS[::-1]])
_E0, _E1 = _AXIS[:, None], _AXIS[None, :]

Surface = Float64[np.ndarray, "e0 e1"]
Broken = Bool[np.ndarray, "e0 e1"]


def check_laws(mechanism: Mechanism, *, except_laws: Collection[str] = ()) -> None:
    """Raise unless a mechanism obeys every law but those that are excepted.

    The laws are tried on 1,225 pairs of bounds that cover the unit square, its edges
    and their neighbourhood. They catch mistakes, such as swapped arguments or a wrong
    constant; they prove nothing about soundness.

    Args:
        mechanism: Function of ``(e0_lower, e1_upper, *, sigma)``.
        except_laws: Which of ``EXCEPTABLE`` do not apply to it.

    Raises:
        InputError: Which law fails, at which point, with the values there.

    Example:
        >>> from simplicert.mechanisms import neyman_pearson
        >>> def hopeful(e0_lower, e1_upper, *, sigma):
        ...     return 3.0 * neyman_pearson(e0_lower, e1_upper, sigma=sigma)
        >>> check_laws(hopeful, except_laws=["tight"])
        >>> check_laws(hopeful)
        Traceback (most recent call last):
        ...
        simplicert.errors.InputError: mechanism 'hopeful' breaks the law 'tight' ...
    """
    if isinstance(except_laws, str):
        except_laws = [except_laws]
    for law in except_laws:
        if law not in EXCEPTABLE:
            raise unknown_name("law in except_laws", law, EXCEPTABLE)
    name = getattr(mechanism, "__name__", repr(mechanism))
    for law, where in broken_laws(mechanism).items():
        if law not in except_laws:
            remedy = (
                " If the law does not apply to it, say so where it is defined, by the "
                f"function's attribute except_laws = [{law!r}]"
            )
            raise InputError(
                f"mechanism {name!r} breaks the law {law!r} ({LAWS[law]}): {where}."
                + (remedy if law in EXCEPTABLE else "")
            )


def tightest(proof: Proof) -> Mechanism | None:
    """Our mechanism that none with a proof about the same noise and norm exceeds."""
    for mechanism in mechanisms.BUILT_IN.values():
        ours = proof_of(mechanism)
        if ours.tight and (ours.noise, ours.norm) == (proof.noise, proof.norm):
            return mechanism
    return None


def broken_laws(mechanism: Mechanism) -> dict[str, str]:
    """Each law that a mechanism breaks, with a point at which it does, in words.

    One that breaks ``"shape"`` is not asked about the others.
    """
    shape = _shape(mechanism)
    if shape:
        return {"shape": shape}
    radius = mechanism(_E0, _E1, sigma=1.0)
    found = {
        "number": _number(radius),
        "separated": _separated(radius),
        "sum": _sum(radius, mechanism),
        "monotone": _monotone(radius),
        "linear": _linear(radius, mechanism),
        "tight": _tight(radius, mechanism),
    }
    return {law: where for law, where in found.items() if where}


def _shape(mechanism: Mechanism) -> str | None:
    cases: list[tuple[ArrayLike, ArrayLike]] = [
        (0.6, 0.2),
        (np.array([]), np.array([])),
        (np.array([0.6, 0.2, 0.5]), 0.2),
        (np.array([[0.6], [0.9]]), np.array([[0.1, 0.2, 0.3]])),
    ]
    for e0, e1 in cases:
        wanted = np.broadcast_shapes(np.shape(e0), np.shape(e1))
        radius = np.asarray(mechanism(e0, e1, sigma=1.0))
        if radius.shape != wanted or radius.dtype != np.float64:
            return (
                f"for arguments of shapes {np.shape(e0)} and {np.shape(e1)} the result "
                f"is {radius.dtype} of shape {radius.shape}"
            )
    return None


def _number(radius: Surface) -> str | None:
    return _first(~(radius >= 0), lambda at: f"the radius is {radius[at]:.6g}")


def _separated(radius: Surface) -> str | None:
    together = np.minimum(_E1, 1.0 - _E0) >= _E0
    return _first(
        together & (radius != 0), lambda at: f"the radius is {radius[at]:.6g}, not 0"
    )


def _sum(radius: Surface, mechanism: Mechanism) -> str | None:
    e0, e1 = np.broadcast_arrays(_E0, np.minimum(_E1, 1.0 - _E0))
    lowered = mechanism(e0, e1, sigma=1.0)
    return _first(
        ~np.isclose(radius, lowered, rtol=TOLERANCE, atol=0.0),
        lambda at: (
            f"the radius is {radius[at]:.6g}, but at e1_upper = 1 - e0_lower it is "
            f"{lowered[at]:.6g}"
        ),
    )


def _monotone(radius: Surface) -> str | None:
    below = np.vstack([radius[:1], radius[:-1]])  # at the next smaller e0_lower
    falls = _first(
        radius < below * (1.0 - TOLERANCE),
        lambda at: (
            f"the radius is {radius[at]:.6g}, for a smaller e0_lower {below[at]:.6g}"
        ),
    )
    left = np.hstack([radius[:, :1], radius[:, :-1]])  # at the next smaller e1_upper
    rises = _first(
        radius * (1.0 - TOLERANCE) > left,
        lambda at: (
            f"the radius is {radius[at]:.6g}, for a smaller e1_upper {left[at]:.6g}"
        ),
    )
    return falls or rises


def _linear(radius: Surface, mechanism: Mechanism) -> str | None:
    tripled = mechanism(_E0, _E1, sigma=3.0)
    return _first(
        ~np.isclose(tripled, 3.0 * radius, rtol=TOLERANCE, atol=0.0),
        lambda at: (
            f"the radius is {radius[at]:.6g} for sigma = 1 and {tripled[at]:.6g} for "
            "sigma = 3"
        ),
    )


def _tight(radius: Surface, mechanism: Mechanism) -> str | None:
    ours = tightest(proof_of(mechanism))
    if ours is None:  # of this noise nobody has told us
        return None
    tight = ours(_E0, _E1, sigma=1.0)
    return _first(
        radius > tight * (1.0 + TOLERANCE),
        lambda at: f"the radius is {radius[at]:.6g}, above {tight[at]:.6g}",
    )


def _first(broken: Broken, says: Callable[[tuple[int, int]], str]) -> str | None:
    """Words for the first broken point, or ``None``."""
    for i, j in np.argwhere(broken):
        return f"at e0_lower = {_AXIS[i]:g}, e1_upper = {_AXIS[j]:g} {says((i, j))}"
    return None
