"""Certification logs in the layout of Cohen et al.: ``idx label predict radius …``."""

import re
from dataclasses import replace

import numpy as np

from simplicert.arguments import checked_alpha, checked_sigma
from simplicert.certificates import ALPHA
from simplicert.errors import InputError, unknown_name
from simplicert.interop.format import (
    Asked,
    Format,
    Match,
    matched,
    noise_of,
    stated_number,
)
from simplicert.interop.formats.counts import label_column, the_one, without
from simplicert.interop.log_rows import log_rows, truths
from simplicert.interop.log_votes import votes_of
from simplicert.interop.reported import LogConditions, ReportedLog
from simplicert.interop.roles import key, roles_of
from simplicert.interop.table import LARGEST_WHOLE, Table, numbers, shown
from simplicert.noises import gaussian

__all__ = ["LOG_OPTIONS", "as_log", "cohen", "conditions_of", "in_layout"]

LOG_OPTIONS = frozenset(
    (
        *("sigma", "draws", "alpha", "noise", "norm", "certificate"),
        *("label_column", "ignore_column"),
    )
)
_LAYOUT = ("idx", "label", "predict", "radius", "correct", "time")
_LARGE_SIGMA = 5.0
"""No published model of images in [0, 1] has more: those are angles or pixels."""


def _match(table: Table, asked: Asked) -> Match:  # noqa: ARG001 (a format's)
    if not table.named:
        return Match(5) if in_layout(table) else Match(0, ("header",))
    needs = {
        "'label'": ("label",),
        "'predict'": ("predict",),
        "'radius' (or 'count')": ("radius", "count", "bound"),
    }
    match = matched(table, needs=needs, tells=("correct",))
    if match.lacks == ("'radius' (or 'count')",) and _other_radii(table):
        return Match(match.sure + 1)
    return match


def in_layout(table: Table) -> bool:
    """A log without its header: what it says twice shows that it is one."""
    if len(table.names) not in (5, 6) or table.frame.empty:
        return False
    parsed = [numbers(table.frame[name]) for name in table.names[:4]]
    index, label, predict, radius = parsed
    right = truths(table.frame[table.names[4]])
    return bool(
        len(np.unique(index)) == len(index)
        and np.array_equal(right, (label == predict))
        and not np.isnan(label).any()
        and (radius != np.floor(radius)).any()
    )


def _other_radii(table: Table) -> list[str]:
    """Columns of radii that are not called Cohen's."""
    mine = roles_of(table.names).get("radius", [])
    return [
        name
        for name in table.names
        if re.search(r"radius|radii", key(name)) and name not in mine
    ]


def _read(table: Table, asked: Asked) -> ReportedLog:
    """The log's certificates, and the counts behind them as far as it has them.

    A count beside the radius is the evidence, held against it. Without one, for each
    radius the counts are found that Cohen's procedure (one Clopper-Pearson bound at
    ``alpha``, ``sigma * ndtri``) would print so. If that is one count in every row, the
    log is as good as its counts; if not, the radii are *reported, not re-derivable*.
    Radii of another certificate are what they are.

    Raises:
        InputError: A missing column; a row that no certification can have written;
            radii that are not Cohen's, and are not said to be others'.

    References:
        https://github.com/locuslab/smoothing, ``code/certify.py``.
    """
    table = as_log(table, asked.ignore_column)
    notes = [*table.notes]
    columns = _columns(table, asked, certificate_of(table, asked))
    conditions = conditions_of(table, asked, printed="radius" in columns)
    rows = log_rows(table, columns, notes)
    fewest, most, rows = votes_of(table, columns, rows, conditions, notes)
    read = {*columns.values(), *_stated_columns(table)}
    if left := [name for name in table.names if name not in read]:
        notes.append(f"columns left out: {shown(left)}")
    return ReportedLog(
        conditions=conditions.model_copy(update={"notes": notes}),
        indices=rows.indices,
        labels=rows.labels,
        predicted=rows.predicted,
        radius=rows.radius,
        unit=rows.unit,
        fewest=fewest,
        most=most,
    )


def as_log(table: Table, ignored: tuple[str, ...] = ()) -> Table:
    """The table with names for its columns, without a row that was cut short.

    Raises:
        InputError: It is no whole table, or has no column to ignore.
    """
    table = _without_cut(table)
    table.check_whole()
    table = without(table, ignored)
    if table.named:
        return table
    note = "without a header: the columns were taken as those of such logs"
    names = _LAYOUT[: len(table.names)]
    return replace(
        table,
        frame=table.frame.set_axis(names, axis=1),
        named=True,
        notes=(*table.notes, note),
    )


def _without_cut(table: Table) -> Table:
    """A certification that was halted leaves a last line that is cut."""
    if not table.odd or table.text is None or table.frame.empty:
        return table
    last = table.odd[-1]
    final = table.text.rstrip().rpartition("\n")[2].strip()
    if last.fields >= len(table.names) or final != last.text:
        return table
    note = f"the last line is cut, and its row left out: {last.text[:60]!r}"
    return replace(table, odd=table.odd[:-1], notes=(*table.notes, note))


def _stated_columns(table: Table) -> list[str]:
    """Columns that hold what is the same in all rows, or is not read of any log."""
    roles = roles_of(table.names)
    known = ("index", "sigma", "draws", "alpha", "noise", "norm", "time", "correct")
    return [name for role in known for name in roles.get(role, [])]


def _columns(table: Table, asked: Asked, certificate: str) -> dict[str, str]:
    """The columns that are read, by their roles.

    Raises:
        InputError: One is missing, or there are several to choose from.
    """
    roles = roles_of(table.names)
    found = {role: names[0] for role, names in roles.items() if role in _READ}
    if "cohen" in key(found.get("radius", "")):
        roles["radius"] = [found["radius"]]
    for role in ("predict", "radius", "count", "bound"):
        if role in found and (certificate == "cohen" or role == "predict"):
            the_one(table, roles[role], f"what is called {role}", "leave all but one")
    found.pop("label", None)
    if (label := label_column(table, asked.label_column)) is not None:
        found["label"] = label
    others = _other_radii(table)
    if certificate == "other":
        found = {
            r: n for r, n in found.items() if r not in ("radius", "count", "bound")
        }
        mine = [name for name in roles.get("radius", []) if "cohen" not in key(name)]
        if len(mine + others) > 1:
            raise InputError(
                f"{table.path} has several columns of radii: {shown(mine + others)}. "
                "Leave all but one out with --ignore-column"
            )
        if mine + others:
            found["radius"] = (mine + others)[0]
    evidence = {"radius", "count", "bound"} & set(found)
    if others and not evidence:
        raise InputError(
            f"{table.path} has no column 'radius', but {shown(others)}: if these are "
            "to be read as reported, say --certificate other"
        )
    lacks = [repr(role) for role in ("label", "predict") if role not in found]
    lacks += [] if evidence or "radius" in found else ["'radius' (or 'count')"]
    if lacks:
        raise InputError(
            f"{table.path} has no column {' and no '.join(lacks)}, which a log needs; "
            f"its columns: {shown(table.names)}"
        )
    return found


_READ = ("index", "label", "predict", "correct", "radius", "count", "bound")


def certificate_of(table: Table, asked: Asked) -> str:
    """What the radii are: Cohen's, or another's; by default what the noise allows.

    Raises:
        InputError: There is no such certificate, or Cohen's is not of this noise.
    """
    noise = noise_of(table, asked)
    theirs = noise != gaussian.facts
    certificate = asked.certificate or ("other" if theirs else "cohen")
    if certificate not in ("cohen", "other"):
        raise unknown_name("certificate", certificate, ["cohen", "other"])
    if theirs and certificate == "cohen":
        raise InputError(
            f"Cohen's certificate is of gaussian noise and l2 balls, not of {noise}: "
            "leave --certificate out"
        )
    return certificate


def conditions_of(table: Table, asked: Asked, *, printed: bool) -> LogConditions:
    """How the log was made, as it was published with it; without notes.

    Raises:
        InputError: Something is missing, is not legal or contradicts the file; or the
            radii seem to be no distances between inputs.
    """
    path, noise = table.path, noise_of(table, asked)
    sigma, draws, alpha = (
        stated_number(table, name, getattr(asked, name))
        for name in ("sigma", "draws", "alpha")
    )
    if alpha is None and not printed:
        alpha = ALPHA  # of counts any can be had
    if sigma is None or draws is None or alpha is None:
        raise InputError(
            f"{path} is a certification log, which does not say how it was made: give "
            "--sigma, --draws and --alpha as published with it"
        )
    checked_alpha(alpha)
    checked_sigma(sigma)
    if not 1 <= draws < LARGEST_WHOLE or draws != int(draws):
        raise InputError(f"draws must be at least 1 and below 2**53, got {draws:g}")
    if sigma > _LARGE_SIGMA and not asked.given & {"noise", "norm", "certificate"}:
        raise InputError(
            f"{path}: sigma {sigma:g} is large for noise on inputs. If the radii are "
            "of a translation, a rotation or a blur, say --norm none; if they are l2 "
            "distances between inputs, say --norm l2"
        )
    certificate = certificate_of(table, asked)
    return LogConditions(
        schema_number=3,
        sigma=float(sigma),
        draws=int(draws),
        alpha=float(alpha),
        source=path.name,
        digest=table.digest,
        notes=[],
        noise=noise.name,
        norm=noise.norm,  # type: ignore[arg-type]  # a Noise checks it
        certificate=certificate,  # type: ignore[arg-type]  # one of two
        printed=printed,
    )


cohen = Format(
    "cohen", "a certification log in Cohen's layout", LOG_OPTIONS, _match, _read
)
