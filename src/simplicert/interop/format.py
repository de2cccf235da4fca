"""What a format of other people's evidence is, what it is asked, and what it finds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np
from jaxtyping import Int

from simplicert.errors import InputError
from simplicert.interop.reported import ReportedLog
from simplicert.interop.roles import roles_of
from simplicert.interop.table import Table, is_number, shown
from simplicert.noises import NOISES, Noise, gaussian

__all__ = [
    "Asked",
    "Counts",
    "Format",
    "Match",
    "matched",
    "noise_of",
    "stated_number",
]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What was said of a file beside its name; ``import_file`` says what each means."""

    sigma: float | None = None
    draws: int | None = None
    alpha: float | None = None
    noise: str | Noise | None = None
    norm: str | None = None
    certificate: str | None = None
    label_column: str | None = None
    ignore_column: tuple[str, ...] = ()
    invalid_draws: bool = False

    @property
    def given(self) -> set[str]:
        """The options that were given at all."""
        default = Asked()
        return {
            each.name
            for each in fields(self)
            if getattr(self, each.name) != getattr(default, each.name)
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Counts:
    """Hard votes as they were found, whole numbers and not negative.

    Attributes:
        counts: Votes of each class.
        draws: Of each image; rows may sum to less, where draws gave no class.
        indices: Each image's index; the row number where the file gives none.
        labels: True classes, or ``None``.
        class_names: Of the classes where they are more than numbers.
        sigma: Noise standard deviation; ``None``: it was neither said nor given.
        noise: What was added.
        notes: What was left out or converted.
    """

    counts: Int[np.ndarray, "images classes"]
    draws: int
    indices: Int[np.ndarray, " images"]
    labels: Int[np.ndarray, " images"] | None
    class_names: list[str] | None
    sigma: float | None = None
    noise: Noise = gaussian.facts
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """How well a table fits a format.

    Attributes:
        sure: How many things are there that tell this format from others.
        lacks: What it needs, and is not there.
    """

    sure: int
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Format:
    """One format: how it is recognised, and how it is read.

    Attributes:
        name: What ``--kind`` calls it.
        title: What it is, in words, with its article.
        options: The fields of ``Asked`` that it takes.
        match: How well a table fits it, with what was said of it. Called with tables of
            any kind.
        read: The evidence in the table: votes, or a log of reported certificates.
    """

    name: str
    title: str
    options: frozenset[str]
    match: Callable[[Table, Asked], Match]
    read: Callable[[Table, Asked], Counts | ReportedLog]


def matched(
    table: Table, *, needs: Mapping[str, tuple[str, ...]], tells: tuple[str, ...] = ()
) -> Match:
    """How well columns fit: by what is needed, each in one of several roles.

    Args:
        table: The table.
        needs: What is needed, as its message calls it, and the roles that are it.
        tells: Other roles that tell this format from others.
    """
    roles = roles_of(table.names) if table.named else {}
    lacks = tuple(
        name for name, either in needs.items() if not any(r in roles for r in either)
    )
    return Match(len(needs) - len(lacks) + sum(r in roles for r in tells), lacks)


def stated_texts(table: Table, name: str) -> set[str]:
    """What the file says of all its rows, in a comment or a column of its own."""
    return _of_rows(table, name) | table.stated.get(name, frozenset())


def _of_rows(table: Table, name: str) -> set[str]:
    columns = roles_of(table.names).get(name, ()) if table.named else ()
    return {str(value) for each in columns for value in table.frame[each].unique()}


def noise_of(table: Table, asked: Asked) -> Noise:
    """The noise that was given, Gaussian by default, and the norm of its balls.

    Raises:
        InputError: It is not known and its norm is not given, or the file says another.
    """
    name, norm = asked.noise, asked.norm
    if norm is not None and isinstance(name, str) and name.isidentifier():
        # Nothing is drawn of it, so its facts are enough.
        found = (
            Noise(name, norm) if name not in NOISES.names else NOISES.find(name).facts
        )
    else:
        found = NOISES.find(gaussian if name is None else name).facts
    if norm is not None:
        found = Noise(found.name, norm, digest=found.digest)
    said = stated_texts(table, "noise") - {found.name}
    if found.name == gaussian.name:
        said = {each for each in said if each.casefold() not in _GAUSSIAN}
    if said:
        raise InputError(
            f"{table.path} says noise {shown(sorted(said))}, not {found.name}: give "
            "--noise, and --norm (l1, l2 or linf; none, if the radii are no distances "
            "between inputs)"
        )
    norms = {_NORMS.get(each, each) for each in stated_texts(table, "norm")}
    if norms - {found.norm}:
        raise InputError(
            f"{table.path} says norm {shown(sorted(norms))}, not {found.norm}: give "
            "--norm"
        )
    return found


_GAUSSIAN = ("gaussian", "gauss", "normal", "none", "nan", "")
_NORMS = {"1": "l1", "2": "l2", "inf": "linf", "1.0": "l1", "2.0": "l2", "L1": "l1"}
_NORMS |= {"L2": "l2", "Linf": "linf", "": "l2"}


def stated_number(table: Table, name: str, given: float | None) -> float | None:
    """A number that holds for all rows: as given, and as the file itself says it.

    It may say it in a comment, or in a column of its own.

    Raises:
        InputError: The two differ, or the file says several.
    """
    of_rows = set(map(float, filter(is_number, _of_rows(table, name))))
    said = set(map(float, filter(is_number, stated_texts(table, name))))
    values = shown(f"{each:g}" for each in sorted(said))
    if given is not None:
        # A comment may speak of others, too: of the training's sigma.
        if (said and given not in said) or of_rows - {given}:
            raise InputError(f"{table.path} says {name} {values}, not {given:g}")
        return given
    if len(said) > 1:
        raise InputError(
            f"{table.path} says {name} {values}: divide it into a file each, or give "
            f"--{name}"
        )
    return said.pop() if said else None
