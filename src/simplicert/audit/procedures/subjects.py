"""What may be tried, and how it is found: three shapes of procedure."""

import inspect
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from simplicert.audit.procedures.of_draws import OfDraws
from simplicert.audit.procedures.of_model import OfModel, remade
from simplicert.audit.procedures.of_votes import OfVotes
from simplicert.errors import InputError
from simplicert.mechanisms.catalogue import applying, find_mechanism, name_of
from simplicert.mechanisms.protocol import Mechanism, proof_of
from simplicert.noises import NOISES
from simplicert.plugins import attribute_of, defined_name, import_place, shown_as_theirs
from simplicert.procedures import PROCEDURES, Procedure
from simplicert.procedures.laws import guarded
from simplicert.procedures.protocol import check_allowed

__all__ = ["Subject", "adapted", "find_audited"]

Subject: TypeAlias = OfVotes | OfDraws | OfModel
"""A procedure on trial."""

EXPECTED = (
    "expected a simplicert.procedures.Procedure; a function of (draw, *, sigma, alpha) "
    "that returns a class and a radius; or a class like Cohen's Smooth(base_classifier,"
    " num_classes, sigma) with certify(x, n0, n, alpha, batch_size)"
)


def find_audited(subject: str) -> object | None:
    """The procedure that a text names, as it is; ``None`` where it names no procedure.

    Unlike ``PROCEDURES.find``, it does not refuse one that is false too often: that is
    for the trial to show.

    Args:
        subject: A built-in's name, or an installed one's; ``file.py:thing`` or
            ``package:thing``; or a ``file.py`` that holds just one procedure. Any other
            file or directory is no procedure.

    Raises:
        InputError: It cannot be imported, or holds nothing that can be tried.
    """
    path = Path(subject)
    if path.suffix == ".py":
        return _only_one(import_place(subject), subject)
    if path.exists():
        return None
    if subject in PROCEDURES.built_in:
        return PROCEDURES.built_in[subject]
    place, _, attribute = subject.rpartition(":")
    if subject not in PROCEDURES.names:
        parts = [] if place.endswith(".py") else place.split(".")
        if not all(map(str.isidentifier, [*parts, *attribute.split(".")])):
            return None
        found: object = attribute_of(import_place(place), attribute, subject)
        return found
    return PROCEDURES.unchecked(subject)[0]


def _only_one(module: ModuleType, place: str) -> object:
    """What can be tried of a file's own things, if that is one."""
    own = {
        name: thing
        for name, thing in vars(module).items()
        if not name.startswith("_")
        and (
            isinstance(thing, Procedure)
            or getattr(thing, "__module__", None) == module.__name__
        )
    }
    fit = {name: thing for name, thing in own.items() if _shape(thing) is not None}
    if len(fit) == 1:
        return next(iter(fit.values()))
    if fit:
        raise InputError(
            f"{place} holds {len(fit)} procedures: say which, as "
            f"{' or '.join(f'{place}:{name}' for name in fit)}"
        )
    raise InputError(f"{place} holds no procedure that can be tried: {EXPECTED}")


def _shape(thing: object) -> str | None:
    """Which of the three shapes it has, or none."""
    if isinstance(thing, Procedure):
        return "votes"
    certify = getattr(thing, "certify", None)
    if callable(certify):
        at = (None,) if isinstance(thing, type) else ()  # self
        made = not isinstance(thing, type) or _takes(thing, None, 2, 1.0)
        return "model" if made and _takes(certify, *at, None, 1, 1, 0.5, 1) else None
    return "draws" if _takes(thing, None, sigma=1.0, alpha=0.5) else None


def _takes(thing: object, *arguments: object, **named: object) -> bool:
    if not callable(thing):
        return False
    try:
        inspect.signature(thing).bind(*arguments, **named)
    except (TypeError, ValueError):  # ValueError: it does not say what it takes
        return False
    return True


def adapted(
    thing: object,
    *,
    draws: int,
    mechanism: str | Mechanism | None = None,
    asymptotic: bool = False,
) -> Subject:
    """Anything that may be tried, so that it can be.

    Raises:
        InputError: It has none of the three shapes; or a mechanism is given, but not
            to a procedure of votes, or one that has no proof for what that counts; or
            the procedure is asymptotic, and nobody said that it may be.
    """
    if isinstance(thing, str):
        text, thing = thing, find_audited(thing)
        if thing is None:
            raise InputError(f"{text} is no procedure: {EXPECTED}")
    with shown_as_theirs(f"{type(thing).__name__} {thing!r:.60}"):
        shape = _shape(thing)
    if isinstance(thing, Procedure):
        check_allowed(thing, asymptotic=asymptotic)
        return _of_votes(thing, draws, mechanism)
    if shape is None:
        raise InputError(f"{thing!r:.80} cannot be tried: {EXPECTED}")
    if mechanism is not None:
        raise InputError(
            "a mechanism is for a procedure of votes: what is tried here makes its "
            "own radii"
        )
    name = defined_name(thing if callable(thing) else type(thing))
    if shape == "draws":
        return OfDraws(name=name, function=thing)  # type: ignore[arg-type]  # it takes draws, so it is callable
    made = thing if isinstance(thing, type) else remade(thing)
    return OfModel(name=name, made=made, draws=draws, choosing=max(draws // 5, 1))


def _of_votes(
    procedure: Procedure, draws: int, mechanism: str | Mechanism | None
) -> OfVotes:
    if procedure not in PROCEDURES.built_in.values():
        procedure = guarded(procedure)
    if mechanism is None:
        noise = "gaussian"
        members = applying(NOISES.find(noise), procedure.statistic)
        members.pop("ensemble", None)  # the largest of others, which are there
        if procedure.radius_of is not None:
            members = {procedure.radius_of: members[procedure.radius_of]}
    else:
        one = find_mechanism(mechanism)
        if procedure.radius_of not in (None, name_of(one)):
            raise InputError(
                f"{name_of(one)} cannot be tried: {procedure.name} bounds the radius "
                f"of {procedure.radius_of} alone"
            )
        noise = proof_of(one).noise
        lack = proof_of(one).lacks(NOISES.find(noise), procedure.statistic)
        if noise not in ("gaussian", "uniform") or lack is not None:
            why = lack or f"nothing is known of {noise} noise here"
            raise InputError(f"{name_of(one)} cannot be tried: {why}")
        members = {name_of(one): one}
    return OfVotes(procedure=procedure, mechanisms=members, noise=noise, draws=draws)
