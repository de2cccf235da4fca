"""Mechanisms by name, from a file, from a package, or installed by somebody else."""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import numpy as np
from jaxtyping import Float64
from numpy.typing import ArrayLike

from simplicert import mechanisms
from simplicert.errors import InputError, unknown_name
from simplicert.mechanisms.foreign import guarded
from simplicert.mechanisms.laws import check_laws
from simplicert.mechanisms.protocol import Mechanism

__all__ = ["ENTRY_POINTS", "best_of", "find_mechanism", "known_mechanisms"]

ENTRY_POINTS = "simplicert.mechanisms"
"""The entry point group under which a package can offer mechanisms."""


def known_mechanisms() -> list[str]:
    """Names that :func:`find_mechanism` knows: built-in ones, then installed ones."""
    return [*mechanisms.__all__, *(point.name for point in _installed())]


def find_mechanism(spec: str | Mechanism) -> Mechanism:
    """The mechanism that a text names, or a function of yours made one.

    A mechanism from outside is checked against the laws of
    :mod:`simplicert.mechanisms.laws` first. Its function is then only ever given
    float64 arrays of one shape with ``e0 + e1 <= 1``, and whatever it returns is
    checked again on every call.

    Args:
        spec: A built-in name; ``path/to/file.py:function``;
            ``package.module:function``; the name of an installed entry point of the
            group ``simplicert.mechanisms``; or several of these with commas between
            them, for the largest of their radii; or a function.

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
    if not isinstance(spec, str):
        return _from_outside(spec, name=name_of(spec), origin=repr(spec))
    if "," in spec:
        return best_of([find_mechanism(part.strip()) for part in spec.split(",")])
    if spec in mechanisms.__all__:
        mechanism: Mechanism = getattr(mechanisms, spec)
        return mechanism
    if ":" in spec:
        place, _, attribute = spec.rpartition(":")
        short = Path(place).stem if _is_file(place) else place.rpartition(".")[2]
        function = _attribute(_imported(place), attribute, place)
        return _from_outside(function, name=f"{short}.{attribute}", origin=spec)
    for point in _installed():
        if point.name == spec:
            function = _attribute(_imported(point.module), point.attr, point.module)
            return _from_outside(function, name=point.name, origin=point.value)
    raise unknown_name("mechanism", spec, known_mechanisms())


def best_of(members: Sequence[Mechanism]) -> Mechanism:
    """The largest radius of several mechanisms, itself a mechanism.

    Example:
        >>> at_best = best_of([mechanisms.li, mechanisms.cohen])
        >>> at_best(0.9, 0.05, sigma=1.0).round(3)
        np.float64(1.282)
    """

    def best(
        e0_lower: ArrayLike, e1_upper: ArrayLike, *, sigma: float
    ) -> Float64[np.ndarray, "..."]:
        return mechanisms.ensemble(e0_lower, e1_upper, sigma=sigma, members=members)

    best.__name__ = f"max({', '.join(map(name_of, members))})"
    return best


def name_of(mechanism: Mechanism) -> str:
    """What it is called in columns and legends."""
    return getattr(mechanism, "__name__", type(mechanism).__name__)


def _installed() -> list[EntryPoint]:
    return sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)


def _from_outside(function: object, *, name: str, origin: str) -> Mechanism:
    """Somebody else's function, guarded, and found to obey the laws."""
    if not callable(function):
        raise InputError(f"{origin!r} is a {type(function).__name__}, not a function")
    except_laws = getattr(function, "except_laws", ())
    mechanism = guarded(function, name=name)
    check_laws(mechanism, except_laws=except_laws)
    return mechanism


def _is_file(place: str) -> bool:
    return place.endswith(".py")


def _imported(place: str) -> ModuleType:
    """The module of a path that ends in ``.py``, or of a dotted name."""
    try:
        if not _is_file(place):
            return importlib.import_module(place)
        name = f"_mechanisms_in_{Path(place).stem}"  # no real module's name
        spec = importlib.util.spec_from_file_location(name, place)
        if spec is None or spec.loader is None:
            raise ImportError("not a Python file")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses and pickle look it up
        spec.loader.exec_module(module)
        return module
    except Exception as error:  # the user's code: anything can happen
        raise InputError(
            f"cannot import {place!r} for a mechanism: {type(error).__name__}: {error}"
        ) from error


def _attribute(module: ModuleType, name: str, place: str) -> object:
    if not hasattr(module, name):
        own = [
            key
            for key, value in vars(module).items()
            if getattr(value, "__module__", None) == module.__name__
        ]
        raise unknown_name(f"function of {place}", name, own)
    return getattr(module, name)
