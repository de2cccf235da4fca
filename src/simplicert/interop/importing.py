"""A file of counts or a log → a run directory, or a reported log."""

import datetime
import hashlib
import importlib.metadata
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import ValidationError

from simplicert.arguments import checked_alpha, checked_sigma
from simplicert.errors import InputError
from simplicert.interop.cohen_log import is_cohen_log, read_cohen_log
from simplicert.interop.counts_table import (
    LARGEST_WHOLE,
    CountsTable,
    read_counts,
)
from simplicert.interop.dsrs_log import is_dsrs_log, read_dsrs_log
from simplicert.noises import NOISES, Noise, gaussian
from simplicert.votes.looks import one_look
from simplicert.votes.manifest import DataSource, Manifest, ModelSource, NoiseSource
from simplicert.votes.rows import VoteRows
from simplicert.votes.run import RunDirectory

__all__ = ["ImportKind", "Imported", "import_file"]

ImportKind = Literal["counts", "cohen", "dsrs"]
"""What a file may be: a counts table, a log in Cohen's layout, or one of DSRS."""


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What an import found.

    Attributes:
        kind: The format.
        path: Where it is now.
        images: How many images.
        sigma: Noise standard deviation.
        draws: Noisy forward passes an image.
        evidence: ``"votes"``: an ordinary run directory. ``"recovered counts"``: a log
            whose radii determine the named class's votes. ``"reported radii"``: a log
            to be believed or not.
        notes: What later results are missing, and what is wrong with the file.
    """

    kind: ImportKind
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
    kind: ImportKind | None = None,
    sigma: float | None = None,
    draws: int | None = None,
    alpha: float | None = None,
    noise: str | Noise = "gaussian",
    label_column: str = "label",
) -> Imported:
    """Read a counts table or a log and write what later commands read.

    A counts table and a DSRS log become an ordinary run directory; a log in Cohen's
    layout has no votes, and becomes a directory with what it reports. Importing the
    same file to the same place again changes nothing, and mends what was damaged.

    Args:
        file: A counts table (text, CSV, ``.npy``, ``.npz``, Parquet), a certification
            log in Cohen's layout, or a DSRS sampling log.
        out: The directory to write.
        kind: The format; by default, what the file looks like.
        sigma: Noise standard deviation. A DSRS log says it.
        draws: Draws an image. Of a counts table, by default what its rows sum to.
        alpha: A Cohen log's failure probability.
        noise: What was added when the counts were drawn, as ``NOISES.find`` takes it.
            The radii of logs are of Gaussian noise.
        label_column: Of a counts table, as ``read_counts`` takes it.

    Raises:
        InputError: The file is none of these, contradicts itself or what was given, or
            something that was not given is needed.
    """
    file, out = Path(file), Path(out)
    if not file.is_file():
        raise InputError(f"{file} does not exist, or is not a file")
    kind = kind or _kind(file)
    added = NOISES.find(noise)
    if kind != "counts" and added is not gaussian:
        raise InputError("--noise is for counts tables: logs are of Gaussian noise")
    if kind != "counts" and label_column != "label":
        raise InputError("--label-column is for counts tables")
    if kind != "cohen" and alpha is not None:
        raise InputError(
            "alpha is asked when votes are certified, not imported: leave --alpha out"
        )
    if kind == "cohen":
        return _import_cohen(file, out, sigma=sigma, draws=draws, alpha=alpha)
    notes: tuple[str, ...] = ()
    if kind == "dsrs":
        log = read_dsrs_log(file)
        _check_given("sigma", sigma, log.sigma, file)
        _check_given("draws", draws, log.draws, file)
        table, sigma, draws = log.table, log.sigma, log.draws
        notes = (
            "the log has the votes of the true label only: all other classes are one, "
            "and certificates that need the runner-up's votes are missing",
        )
    else:
        table = read_counts(file, label_column=label_column)
        draws = _draws(table, draws, file)
    if sigma is None:
        raise InputError(f"{file} does not say its noise: give --sigma")
    if table.labels is None:
        notes += ("there are no labels: no accuracy, the share certified instead",)
    _write_run(table, file, out, sigma=sigma, noise=added, draws=draws)
    return Imported(
        kind=kind,
        path=out,
        images=len(table.counts),
        sigma=sigma,
        draws=draws,
        evidence="votes",
        notes=notes,
    )


def _kind(file: Path) -> ImportKind:
    if file.suffix in (".npy", ".npz", ".parquet"):
        return "counts"
    with file.open("rb") as opened:
        start = opened.read(4096).decode("utf-8", errors="replace")
    if is_dsrs_log(start):
        return "dsrs"
    return "cohen" if is_cohen_log(start) else "counts"


def _import_cohen(
    file: Path,
    out: Path,
    *,
    sigma: float | None,
    draws: int | None,
    alpha: float | None,
) -> Imported:
    if sigma is None or draws is None or alpha is None:
        raise InputError(
            f"{file} is a certification log, which does not say how it was made: give "
            "--sigma, --draws and --alpha as published with it"
        )
    checked_alpha(alpha)
    checked_sigma(sigma)
    if not 1 <= draws < LARGEST_WHOLE:
        raise InputError(f"draws must be at least 1 and below 2**53, got {draws}")
    log = read_cohen_log(file, sigma=sigma, draws=draws, alpha=alpha)
    log.write(out)
    return Imported(
        kind="cohen",
        path=out,
        images=len(log.indices),
        sigma=sigma,
        draws=draws,
        evidence=log.evidence,
        notes=tuple(log.conditions.notes),
    )


def _check_given(name: str, given: float | None, found: float, file: Path) -> None:
    if given is not None and given != found:
        raise InputError(f"{file} says {name} {found:g}, not {given:g}")


def _draws(table: CountsTable, given: int | None, file: Path) -> int:
    """The draws an image: given, or the sum that all rows share."""
    sums = table.counts.sum(axis=1)
    draws = int(sums[0]) if given is None else given
    wrong = sums != draws
    if wrong.any() or draws < 1:
        row = int(np.argmax(wrong))
        raise InputError(
            f"{file}, row {row}: the counts sum to {sums[row]:,}, not to {draws:,}. "
            "Every draw votes for one class: is a column missing, or is one of them a "
            "label (--label-column)?"
        )
    return draws


def _write_run(
    table: CountsTable, file: Path, out: Path, *, sigma: float, noise: Noise, draws: int
) -> None:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    name = f"imported from {file.name}"
    try:
        manifest = Manifest(
            sigma=float(sigma),
            noise=NoiseSource.of(noise),
            looks=[*one_look(draws)],
            block=draws,
            seed=0,
            classes=table.counts.shape[1],
            statistics=["multinomial"],
            model=ModelSource(name=name, digest=digest),
            data=DataSource(
                name=name, digest=digest, shape=[], class_names=table.class_names
            ),
            images=table.indices.tolist(),
            labels=None if table.labels is None else table.labels.tolist(),
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
                images=table.indices,
                blocks=np.zeros(len(table.indices), dtype=np.int64),
                columns={"counts": table.counts},
                draw_seconds=np.full(len(table.indices), np.nan),
            )
        )
