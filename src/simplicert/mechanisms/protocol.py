"""What a certification mechanism is: a function of the evidence and sigma, and a proof.

The function knows E0, E1 and sigma. What noise and norm its radius is about, and of
which statistics, are facts that stand beside it, and are held against the votes'.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeAlias, TypeVar, get_args, runtime_checkable

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from simplicert.errors import InputError, unknown_name
from simplicert.noises import NOISES, Noise
from simplicert.noises.protocol import Norm
from simplicert.votes.columns import COLUMNS

__all__ = ["Mechanism", "Proof", "Radii", "common_proof", "proof_of", "proves"]

Radii: TypeAlias = Float64[np.ndarray, "..."]
"""Certified radii in input units, of the arguments' broadcast shape."""

F = TypeVar("F", bound=Callable[..., object])


@runtime_checkable  # beartype asks, under pytest
class Mechanism(Protocol):
    """Deterministic map from the two class expectations to a certified radius.

    A plain function with this signature is a mechanism; nothing is inherited. What it
    must obey beyond the signature is in ``docs/mechanisms.md``, "the common laws".
    """

    def __call__(
        self, e0_lower: ArrayLike, e1_upper: ArrayLike, *, sigma: float
    ) -> Radii:
        """Radii: 0 where nothing is certified; never negative or NaN."""
        ...


@dataclass(frozen=True)
class Proof:
    """What a mechanism's proof is about. One that says nothing has the default.

    Attributes:
        noise: The name of the noise.
        norm: Of the balls: ``"l1"``, ``"l2"`` or ``"linf"``.
        of: The statistics whose expectations it may be given; ``None``: any mean of
            numbers in [0, 1].
        digest: Of that noise, where it is somebody's own: then of no other of its name.
        tight: Whether no larger radius holds for every classifier with these
            expectations under this noise: nothing that knows E0 and E1 alone is larger.
    """

    noise: str = "gaussian"
    norm: str = "l2"
    of: tuple[str, ...] | None = None
    tight: bool = False
    digest: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.noise, str) or not isinstance(self.of, tuple | None):
            raise InputError(
                "a Proof takes the name of a noise and a tuple of statistics, got "
                f"{self.noise!r} and {self.of!r}"
            )
        if self.norm not in get_args(Norm):
            raise unknown_name("norm", str(self.norm), get_args(Norm))
        known = {column.statistic for column in COLUMNS.values()}
        for statistic in self.of or ():
            if statistic not in known:
                raise unknown_name("statistic", str(statistic), sorted(known))

    def lacks(self, noise: Noise, statistic: str) -> str | None:
        """Why it does not apply to these votes, or ``None`` where it does."""
        if self.noise != noise.law:
            return f"its proof is for {self.noise} noise, and these votes had {noise}"
        ours = self.noise in NOISES.built_in or self.digest is not None
        if ours and self.digest != noise.digest:
            return f"these votes had another noise that is called {noise.name}"
        if self.norm != noise.norm:
            return (
                f"its radii are of {self.norm} balls, and {noise.name} noise certifies "
                f"{noise.norm} balls here"
            )
        if self.of is not None and statistic not in self.of:
            return (
                f"its proof is about {' and '.join(self.of)} expectations (the law of "
                f"the voted class), not {statistic} ones"
            )
        return None


def proves(
    *,
    noise: Noise | str,
    norm: str | None = None,
    of: tuple[str, ...] | None = None,
    tight: bool = False,
) -> Callable[[F], F]:
    """Say what a mechanism's proof is about; a decorator.

    Args:
        noise: The noise, or its name.
        norm: Of the balls. Default: what the noise certifies; of a name that is not of
            ours, l2.
        of: The statistics, as ``Proof`` has them.
        tight: As ``Proof`` has it.
    """
    if isinstance(noise, Noise):
        facts = NOISES.find(noise).facts
    else:
        facts = NOISES.built_in.get(noise, Noise(noise, "l2")).facts

    def mark(function: F) -> F:
        function.proof = Proof(facts.name, norm or facts.norm, of, tight, facts.digest)  # type: ignore[attr-defined]  # functions take any
        return function

    return mark


_WITHIN = ("func", "pyfunc", "__wrapped__", "__func__")
"""Where a ``partial``, a ``numpy.vectorize``, a decorated function and a method keep
the function that they call, whose proof is theirs."""


def proof_of(mechanism: object) -> Proof:
    """What a mechanism says of its proof; Gaussian, l2, any mean, if it says nothing.

    Raises:
        InputError: It says something else than a ``Proof``.
    """
    if isinstance(mechanism, partial) and "members" in mechanism.keywords:
        return common_proof(tuple(mechanism.keywords["members"]))
    proof: object = Proof()
    for name in ("proof", *_WITHIN):
        if hasattr(mechanism, name):
            within = getattr(mechanism, name)
            proof = within if name == "proof" else proof_of(within)
            break
    if not isinstance(proof, Proof):
        raise InputError(
            f"a mechanism's proof must be a simplicert.mechanisms.Proof, got {proof!r}"
        )
    return proof


def common_proof(members: Sequence[object]) -> Proof:
    """What holds of the largest radius of several: what holds of each.

    Raises:
        InputError: They are about different noises or norms, or no common statistic.
    """
    proofs = [proof_of(member) for member in members]
    if not proofs:
        raise InputError("members must hold at least one mechanism, got none")
    first = proofs[0]
    of = first.of
    for other in proofs[1:]:
        if (first.noise, first.norm, first.digest) != (
            other.noise,
            other.norm,
            other.digest,
        ):
            raise InputError(
                f"one of these mechanisms is proved for {first.noise} noise and "
                f"{first.norm} balls, and another for {other.noise} noise and "
                f"{other.norm} balls: their radii cannot be compared"
            )
        if of is None or other.of is None:
            of = other.of if of is None else of
        else:
            of = tuple(name for name in of if name in other.of)
    if of == ():
        raise InputError("these mechanisms are proved for no common statistic")
    tight = any(proof.tight for proof in proofs)
    return Proof(first.noise, first.norm, of, tight, first.digest)
