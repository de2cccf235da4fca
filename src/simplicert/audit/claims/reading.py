"""Runs, logs and tables as claims: read as they are, not as they should be."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Int

from simplicert.arguments import checked_alpha, checked_sigma
from simplicert.audit.claims.subject import ABSTAINS, Claims, Whole
from simplicert.errors import InputError
from simplicert.interop import Asked, ReportedLog, Table, is_reported_log
from simplicert.interop.format import noise_of, stated_number
from simplicert.interop.formats.cohen import as_log, in_layout
from simplicert.interop.formats.counts import MOST_CELLS, label_column, without
from simplicert.interop.importing import evidence_in
from simplicert.interop.log_rows import units_of
from simplicert.interop.roles import numbered, roles_of
from simplicert.interop.table import LARGEST_WHOLE, numbers
from simplicert.interop.table_file import read_table
from simplicert.noises import FLOAT32, NOISES, Noise, gaussian
from simplicert.votes import RunDirectory

__all__ = ["claims_at"]

CERTIFICATES = {"image", "predicted", "e0_lower", "e1_upper", "procedure", "alpha"}
"""Columns that together only ``Certificates.table`` has."""

_ABSTENTIONS = ("abstain", "abstained", "none", "nan", "", "reject", "rejected")


def claims_at(path: Path, asked: Asked) -> Claims:
    """What a run, an imported log or a file claims.

    Raises:
        InputError: It is none of these, or cannot be read as one.
    """
    if is_reported_log(path):
        log = _of_log(str(path), ReportedLog.read(path))
        return replace(log, complete="an imported log")
    if path.is_dir() or not path.exists():
        return _of_run(str(path), RunDirectory(path))
    table = without(read_table(path), asked.ignore_column)
    if set(table.names) >= CERTIFICATES:
        table.check_whole()
        return _of_certificates(table)
    if in_layout(table) if not table.named else _is_log(table):
        return _of_log_file(as_log(table), asked)
    if table.named and _series(table.names):
        table.check_whole()
        return _of_rows(table, asked)
    return _of_evidence(table, asked)


def _of_evidence(table: Table, asked: Asked) -> Claims:
    """What an import would make of it; which refuses what is not as it should be."""
    _, found = evidence_in(table, replace(asked, alpha=None, ignore_column=()))
    if isinstance(found, ReportedLog):
        return _of_log(str(table.path), found)
    return Claims(
        subject=str(table.path),
        kind="counts",
        indices=found.indices,
        sigma=found.sigma,
        alpha=asked.alpha,
        draws=np.full(len(found.counts), found.draws),
        noise=found.noise,
        labels=found.labels,
        counts=found.counts,
        notes=found.notes,
    )


def _of_run(subject: str, run: RunDirectory) -> Claims:
    manifest = run.manifest
    return Claims(
        subject=subject,
        kind="run",
        indices=np.array(manifest.images, dtype=np.int64),
        sigma=manifest.sigma,
        noise=manifest.noise_facts,
        labels=None if manifest.labels is None else np.array(manifest.labels),
        run=run,
        complete="a run",
    )


def _of_log(subject: str, log: ReportedLog) -> Claims:
    said = log.conditions
    counted = bool((log.fewest == log.most).all()) and not said.printed
    return Claims(
        subject=subject,
        kind="log",
        indices=log.indices,
        sigma=said.sigma,
        alpha=said.alpha,
        draws=np.full(len(log.indices), said.draws),
        noise=Noise(said.noise, said.norm),
        certificate=said.certificate,
        labels=log.labels,
        predicted=log.predicted,
        radius=log.radius if said.printed else None,
        unit=log.unit if said.printed else None,
        votes=log.most if counted else None,
        notes=tuple(said.notes),
    )


def _of_certificates(table: Table) -> Claims:
    frame = table.frame
    indices = _classes(frame["image"])
    draws = _classes(frame["draws"]) if "draws" in frame else None
    return Claims(
        subject=str(table.path),
        kind="certificates",
        indices=indices,
        draws=draws,
        sigma=_constant(frame, "sigma"),
        alpha=_constant(frame, "alpha"),
        noise=_noise_in(frame),
        labels=_classes(frame["label"]) if "label" in frame else None,
        predicted=_classes(frame["predicted"]),
        table=frame,
        complete="a table of certificates",
        notes=table.notes,
    )


def _constant(frame: pd.DataFrame, name: str) -> float | None:
    """The number that a column has in all rows; ``None`` where it has several."""
    found = np.unique(numbers(frame[name])) if name in frame else np.empty(0)
    return float(found[0]) if len(found) == 1 and np.isfinite(found[0]) else None


def _noise_in(frame: pd.DataFrame) -> Noise:
    names = {*frame.get("noise", [])}, {*frame.get("norm", [])}
    if any(len(each) != 1 for each in names):
        return gaussian.facts
    (name,), (norm,) = names
    known = FLOAT32.get(name) or NOISES.built_in.get(name)
    if known is None:
        return Noise(str(name), str(norm))
    return replace(known.facts, norm=str(norm))


def _is_log(table: Table) -> bool:
    """Whether radii, or a class beside its votes, are claimed."""
    roles = roles_of(table.names)
    evidence = "radius" in roles or bool(_radii(table.names))
    return "predict" in roles and (evidence or "count" in roles)


def _radii(names: list[str]) -> list[str]:
    return [name for name in names if re.search("radius|radii", name.casefold())]


def _series(names: list[str]) -> list[str]:
    """The columns of a series 0, 1, 2, … of classes, in order; none if there is none.

    Example:
        >>> _series(["idx", "count_1", "count_0", "radius"])
        ['count_0', 'count_1']
    """
    known = {each for found in roles_of(names).values() for each in found}
    alike: dict[str, list[str]] = {}
    for name in names:
        if name not in known and re.search("[0-9]", name):
            alike.setdefault(re.sub("[0-9]+", "#", name), []).append(name)
    for found in sorted(alike.values(), key=len, reverse=True):
        order = numbered(found)
        if len(found) > 1 and order and sorted(order) == list(range(len(order))):
            return [found[place] for place in np.argsort(order)]
    return []


def _of_rows(table: Table, asked: Asked) -> Claims:
    """Rows as they are: whatever they say is examined, and not refused."""
    frame, names = table.frame, _series(table.names)
    sigma, draws, alpha = _conditions(table, asked)
    label = label_column(table, asked.label_column)
    index = roles_of(table.names).get("index", [None])[0]
    return Claims(
        subject=str(table.path),
        kind="counts",
        indices=np.arange(len(frame)) if index is None else _numbered(frame[index]),
        sigma=sigma,
        alpha=alpha,
        draws=draws,
        noise=noise_of(table, asked),
        labels=None if label is None else _classes(frame[label]),
        counts=_matrix(frame, names) if names else None,
        notes=table.notes,
    )


def _of_log_file(table: Table, asked: Asked) -> Claims:
    """Rows that also claim radii, or a class beside its votes."""
    rows, frame = _of_rows(table, asked), table.frame
    roles = roles_of(table.names)
    radii = roles.get("radius", []) or _radii(table.names)
    if len(radii) > 1 and "cohen" not in radii[0].casefold():
        raise InputError(
            f"{table.path} has several columns of radii, {', '.join(radii)}: leave all "
            "but one out with --ignore-column"
        )
    is_cohens = "radius" in roles and gaussian.shares_law(rows.noise)
    radius = numbers(frame[radii[0]]) if radii else None
    columns = {role: frame[found[0]] for role, found in roles.items() if found}
    return replace(
        rows,
        kind="log",
        certificate=asked.certificate or ("cohen" if is_cohens else "other"),
        predicted=_classes(columns["predict"]),
        radius=radius,
        unit=None if radius is None else units_of(frame[radii[0]], radius),
        votes=_classes(columns["count"]) if "count" in columns else None,
        correct=numbers(columns["correct"].replace({"True": 1, "False": 0}))
        if "correct" in columns
        else None,
    )


def _conditions(
    table: Table, asked: Asked
) -> tuple[float | None, Whole | None, float | None]:
    """Sigma, each row's draws and alpha, as given or as the file says them."""
    sigma = stated_number(table, "sigma", asked.sigma)
    alpha = stated_number(table, "alpha", asked.alpha)
    if sigma is not None:
        checked_sigma(sigma)
    if alpha is not None:
        checked_alpha(alpha)
    column = roles_of(table.names).get("draws")
    if asked.draws is None and column:
        return sigma, _classes(table.frame[column[0]]), alpha
    n = stated_number(table, "draws", asked.draws)
    if n is None:
        return sigma, None, alpha
    if not 1 <= n < LARGEST_WHOLE or n != int(n):
        raise InputError(f"draws must be at least 1 and below 2**53, got {n:g}")
    return sigma, np.full(len(table.frame), int(n)), alpha


def _classes(column: pd.Series) -> Whole:
    """Whole numbers; -1 for each way to abstain, -2 for what is no whole number."""
    texts = column.astype(str).str.strip().str.casefold()
    found = numbers(column)
    whole = (found == np.floor(found)) & (found >= -1) & (found < LARGEST_WHOLE)
    named = np.where(whole, found, -2).astype(np.int64)
    return np.where(texts.isin(_ABSTENTIONS).to_numpy(), ABSTAINS, named)


def _numbered(column: pd.Series) -> Whole:
    """Images' numbers; by row, where the column has their names."""
    found = _classes(column)
    return np.arange(len(column)) if (found < 0).all() else found


def _matrix(frame: pd.DataFrame, names: list[str]) -> Int[np.ndarray, "images classes"]:
    if len(names) * len(frame) > MOST_CELLS:
        raise InputError(f"{len(frame):,} rows of {len(names):,} classes are too many")
    return np.stack([_classes(frame[name]) for name in names], axis=1)
