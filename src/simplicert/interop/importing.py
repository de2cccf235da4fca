"""A file of counts or a log → a run directory, or a reported log."""

import datetime
import importlib.metadata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from simplicert.errors import InputError
from simplicert.interop.format import Asked, Counts, Format
from simplicert.interop.formats import FORMATS
from simplicert.interop.reported import ReportedLog
from simplicert.interop.table import Table, shown
from simplicert.interop.table_file import read_table
from simplicert.noises import Noise, in_float32
from simplicert.votes.looks import one_look
from simplicert.votes.manifest import Manifest
from simplicert.votes.rows import VoteRows
from simplicert.votes.run import RunDirectory
from simplicert.votes.sources import DataSource, ModelSource, NoiseSource

__all__ = ["Imported", "evidence_in", "import_file"]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import found.

    Attributes:
        kind: The format's name.
        path: Where it is now.
        images: How many images.
        sigma: Noise standard deviation.
        draws: Noisy forward passes an image.
        evidence: ``"votes"``: an ordinary run directory. ``"recovered counts"``: a log
            whose radii determine the named class's votes. ``"reported radii"``: a log
            to be believed or not.
        notes: What later results are missing, and what is wrong with the file.
    """

    kind: str
    path: Path
    images: int
    sigma: float
    draws: int
    evidence: Literal["votes", "recovered counts", "reported radii"]
    notes: tuple[str, ...]


def import_file(
    file: Path | str,
    out: Path | str,
    *,
    kind: str | Format | None = None,
    sigma: float | None = None,
    draws: int | None = None,
    alpha: float | None = None,
    noise: str | Noise | None = None,
    norm: str | None = None,
    certificate: str | None = None,
    label_column: str | None = None,
    ignore_column: Sequence[str] = (),
    invalid_draws: bool = False,
) -> Imported:
    """Read counts or a log and write what later commands read.

    Counts and a DSRS log become an ordinary run directory; a log in Cohen's layout, and
    counts of two stages, become a directory with what they report. Importing the same
    file to the same place again changes nothing, and mends what was damaged.

    Args:
        file: Text, CSV, JSON or JSON lines, ``.npy``, ``.npz`` or Parquet; perhaps
            packed as ``.gz``, ``.bz2`` or ``.xz``.
        out: The directory to write.
        kind: The format, as ``FORMATS.find`` takes it; by default, what the file looks
            like.
        sigma: Noise standard deviation, where the file does not say it.
        draws: Draws an image. Of counts, by default what the rows sum to.
        alpha: A log's failure probability.
        noise: What was added when the counts were drawn, as ``NOISES.find`` takes it,
            or with ``norm`` any name; Gaussian by default.
        norm: Of the balls that the radii are about: ``"l1"``, ``"l2"``, ``"linf"``; or
            ``"none"``: they are no distances between inputs, but of a translation, say.
        certificate: What a log's radii are: ``"cohen"``, the default for Gaussian
            noise, or ``"other"``, which are kept as reported.
        label_column: The labels' column: a name or, where there are no names, a
            position (0 is the first, -1 the last). By default the one that is called
            so.
        ignore_column: Columns that are to be left out, likewise.
        invalid_draws: Draws that are missing from a row's sum were made, and gave no
            class (NaN outputs): they count for none.

    Raises:
        InputError: The file is none of these, contradicts itself or what was given, or
            something that was not given is needed.
    """
    file, out = Path(file), Path(out)
    if not file.is_file():
        raise InputError(f"{file} does not exist, or is not a file")
    asked = Asked(
        sigma=sigma,
        draws=draws,
        alpha=alpha,
        noise=noise,
        norm=norm,
        certificate=certificate,
        label_column=label_column,
        ignore_column=tuple(ignore_column),
        invalid_draws=invalid_draws,
    )
    said = None if kind is None else FORMATS.find(kind)
    table = read_table(file)
    format_, found = evidence_in(table, asked, said)
    if isinstance(found, ReportedLog):
        found.write(out)
        return Imported(
            kind=format_.name,
            path=out,
            images=len(found.indices),
            sigma=found.conditions.sigma,
            draws=found.conditions.draws,
            evidence=found.evidence,
            notes=tuple(found.conditions.notes),
        )
    if found.sigma is None:
        raise InputError(f"{file} does not say its noise: give --sigma")
    notes = found.notes
    if found.labels is None:
        notes += ("there are no labels: no accuracy, the share certified instead",)
    _write_run(found, table, out, sigma=found.sigma)
    return Imported(
        kind=format_.name,
        path=out,
        images=len(found.counts),
        sigma=found.sigma,
        draws=found.draws,
        evidence="votes",
        notes=notes,
    )


def evidence_in(
    table: Table, asked: Asked, kind: Format | None = None
) -> tuple[Format, Counts | ReportedLog]:
    """What a table holds, by the format that it fits best or is said to be.

    Raises:
        InputError: As ``import_file``.
    """
    format_ = _recognised(table, asked, kind)
    _check_options(format_, asked)
    return format_, format_.read(table, asked)


def _recognised(table: Table, asked: Asked, kind: Format | None = None) -> Format:
    """The format that a table fits best, or the one that it is said to be.

    Raises:
        InputError: It looks most like one of which something is missing; or like none.
    """
    formats = FORMATS.built_in.values() if kind is None else [kind]
    # Of two columns of one name the first; reading refuses both.
    once = table.frame.loc[:, ~table.frame.columns.duplicated()]
    seen = replace(table, frame=once)
    matches = [(each, each.match(seen, asked)) for each in formats]
    # Of equally sure ones that which lacks least; then the first in the registry.
    # One that does not take what was said of the file is not what is meant.
    best, match = max(
        matches,
        key=lambda m: (
            m[1].sure - 2 * (not asked.given <= m[0].options),
            -len(m[1].lacks),
        ),
    )
    if not match.lacks:
        return best
    table.check_whole()
    columns = shown(table.names) if table.named else f"{len(table.names)}, unnamed"
    if kind is not None:
        raise InputError(
            f"{table.path} is not {best.title}: it has no "
            f"{' and no '.join(match.lacks)}. Its columns: {columns}"
        )
    raise InputError(
        f"{table.path} looks most like {best.title}, but has no "
        f"{' and no '.join(match.lacks)}. Its columns: {columns}. "
        f"If it is something else, say which with --kind: {', '.join(FORMATS.names)}"
    )


def _check_options(format_: Format, asked: Asked) -> None:
    for name in sorted(asked.given - format_.options):
        if name == "alpha":
            raise InputError(
                "alpha is asked when votes are certified, not imported: leave --alpha "
                "out"
            )
        options = [f"--{each.replace('_', '-')}" for each in (name, *format_.options)]
        raise InputError(
            f"{options[0]} is not for {format_.title}, which takes "
            f"{', '.join(sorted(options[1:]))}"
        )


def _write_run(found: Counts, table: Table, out: Path, *, sigma: float) -> None:
    file, digest, draws = table.path, table.digest, found.draws
    name = f"imported from {file.name}"
    try:
        manifest = Manifest(
            sigma=float(sigma),
            noise=NoiseSource.of(in_float32(found.noise)),
            looks=[*one_look(draws)],
            block=draws,
            seed=0,
            classes=found.counts.shape[1],
            statistics=["multinomial"],
            model=ModelSource(name=name, digest=digest),
            data=DataSource(
                name=name, digest=digest, shape=[], class_names=found.class_names
            ),
            images=found.indices.tolist(),
            labels=None if found.labels is None else found.labels.tolist(),
            precision="unknown",
            batch=draws,
            device="imported",
            threads=0,
            versions={"simplicert": importlib.metadata.version("simplicert")},
            git_commit=None,
            created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        )
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        rule = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{file}: {where and f'{where}: '}{rule}") from error
    store = RunDirectory.open_or_create(out, manifest)
    store.set_damaged_aside()
    if not store.done().all():
        store.append(
            VoteRows(
                images=found.indices,
                blocks=np.zeros(len(found.indices), dtype=np.int64),
                columns={"counts": found.counts},
                draw_seconds=np.full(len(found.indices), np.nan),
            )
        )
