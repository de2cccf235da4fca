"""Votes in memory → a run directory: one block of all draws an image."""

import datetime
import importlib.metadata
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from simplicert.errors import InputError
from simplicert.votes.columns import COLUMNS, columns_of
from simplicert.votes.manifest import Manifest
from simplicert.votes.rows import VoteRows
from simplicert.votes.run import RunDirectory
from simplicert.votes.sources import DataSource, ModelSource, NoiseSource
from simplicert.votes.table import Votes

DEVICE = "saved"
"""In place of the kind of device, which has noise of its own: with a block of all draws
the run's seed gives other noise, so none may be drawn into it."""


def save(votes: Votes, path: Path | str) -> Path:
    """Write votes as a run directory; see ``Votes.save``."""
    _check_whole(votes)
    manifest = _manifest(votes)
    run = RunDirectory.open_or_create(path, manifest)
    run.set_damaged_aside()
    if not run.done().all():
        images = len(votes)
        unknown = np.full(images, np.nan)
        seconds = votes.draw_seconds
        run.append(
            VoteRows(
                images=votes.indices,
                blocks=np.zeros(images, dtype=np.int64),
                columns={
                    column.name: votes.columns[column.name].astype(column.dtype)
                    for column in columns_of(manifest.statistics)
                },
                draw_seconds=unknown if seconds is None else seconds,
            )
        )
    there = run.read()
    same = [np.array_equal(there.columns[n], v) for n, v in votes.columns.items()]
    if not all(same):
        raise InputError(f"{path} holds other votes: choose another directory")
    return Path(path)


def _check_whole(votes: Votes) -> None:
    """Refuse what a run directory could not give back."""
    if not len(votes):
        raise InputError("there are no votes to save")
    if votes.chosen_from is not None:
        raise InputError(
            f"these {len(votes)} images were chosen from {votes.chosen_from}, which a "
            "run directory does not say: save all of them, and choose from what "
            "read_run gives"
        )
    if votes.selection is not None:
        raise InputError(
            "these votes have others that choose their class, and a run directory has "
            "one kind: save votes.selection apart, and join them by chosen_by"
        )
    if len(votes.fixed_looks) > 1:
        raise InputError(
            "votes of several looks cannot be saved: a run directory needs the votes "
            "of each block. Sample with out=… to have them"
        )
    if votes.margins is not None:
        raise InputError(
            "margins cannot be saved: a saved run has one block, and other draws than "
            "it chose their classes. Sample with out=… to have them, or save the votes "
            "without: dataclasses.replace(votes, margins=None, rivals=None)"
        )
    for name, values in votes.columns.items():
        if COLUMNS[name].illegal(values, votes.draws).any():
            raise InputError(
                f"some {name} sum to a little more than the draws, as of rounding: "
                "votes that are stored must be exact"
            )
    stored = {column.name for column in columns_of(votes.statistics)}
    if missing := stored - set(votes.columns):
        raise InputError(f"votes with scores also need {missing.pop()} to be saved")


def _manifest(votes: Votes) -> Manifest:
    """Their conditions, with what is known of the run that drew them."""
    known = votes.manifest or _unknown(votes)
    step = votes.manifest.noise.step if votes.manifest is not None else None
    kept = known.model_dump()
    kept |= {
        "data": known.data,
        "margins": None,
        "sigma": float(votes.sigma),
        "noise": NoiseSource.of(votes.noise, step=step),
        "looks": [*votes.fixed_looks],
        "block": int(votes.draws[0]),
        "classes": votes.classes,
        "statistics": [*votes.statistics],
        "images": votes.indices.tolist(),
        "labels": None if votes.labels is None else votes.labels.tolist(),
        "device": DEVICE,
        "threads": 0,
    }
    try:
        return Manifest.model_validate(kept)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        rule = first["msg"].removeprefix("Value error, ")
        raise InputError(
            f"these votes cannot be saved: {where and f'{where}: '}{rule}"
        ) from error


def _unknown(votes: Votes) -> Manifest:
    """Of votes that no run drew: they are all that is known."""
    name = f"votes {votes.digest[:12]}"
    return Manifest.model_construct(
        model=ModelSource(name=name, digest=votes.digest),
        data=DataSource(name=name, digest=votes.digest, shape=[]),
        seed=0,
        precision="unknown",
        batch=1,
        versions={"simplicert": importlib.metadata.version("simplicert")},
        git_commit=None,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    )
