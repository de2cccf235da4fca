"""Annotations are checked while tests run, the sizes of axes among them."""

from dataclasses import dataclass

import jaxtyping
import numpy as np
import pytest
from jaxtyping import Float, Int
from typechecker import checked

from simplicert.bounds import clopper_pearson_lower
from simplicert.bounds.staircase import Law

ONE, TWO = np.zeros(1), np.zeros(2)


@checked
def added(
    a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"] | None
) -> Float[np.ndarray, " n"]:
    if b is not None:
        added(TWO, None)  # has a scope of its own
    return a if len(a) < 3 else a[1:]


@checked
def halved(number: float) -> int:
    return number if number < 1 else int(number)


@checked
def counted(of: Int[np.ndarray, " n"], also: Int[np.ndarray, " n"]):
    yield len(of)


@checked
def named(number: int, thing: "Nowhere") -> "int":  # noqa: F821
    return thing


@checked
@dataclass
class Pair:
    first: Float[np.ndarray, " n"]
    second: Float[np.ndarray, " n"]


def test_what_is_as_annotated_passes():
    assert added(ONE, ONE) is ONE
    assert halved(2) == 2  # an int is a float
    assert next(counted(np.arange(3), np.arange(3))) == 3
    assert named(1, 2) == 2
    assert Pair(ONE, ONE).second is ONE


@pytest.mark.parametrize(
    "call",
    [
        lambda: added(ONE, TWO),
        lambda: added(ONE, ONE[None]),
        lambda: added(ONE, np.zeros(1, dtype=int)),
        lambda: added(np.zeros(3), None),
        lambda: halved("2"),
        lambda: halved(0.5),
        lambda: counted(np.arange(2), np.arange(3)),
        lambda: named("1", 2),
        lambda: Pair(ONE, TWO),
        lambda: clopper_pearson_lower(1, trials=2, alpha="0.5"),
        lambda: Law(first="0.5", second=0.2, rest=0.3),
    ],
)
def test_what_is_not_is_refused(call):
    with pytest.raises(TypeError, match=r"violates type hint|Type-check error"):
        call()


def test_of_functions_in_functions_those_of_arrays_are_checked():
    @checked
    def first(a: Float[np.ndarray, " n"], b: Float[np.ndarray, " n"]):
        return a

    assert first(ONE, ONE) is ONE
    with pytest.raises(TypeError, match="violates type hint"):
        first(ONE, TWO)


def test_it_is_what_the_import_hook_writes():
    assert jaxtyping.jaxtyped(typechecker=None) is checked
