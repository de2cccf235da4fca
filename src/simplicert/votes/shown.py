"""Votes as a person sees them: a line, and in a notebook a table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from simplicert.notebook import shown_rows, table_html
from simplicert.units import in_unit
from simplicert.votes.chosen import draws_in_words, images_in_words

if TYPE_CHECKING:
    from simplicert.votes.table import Votes

__all__ = ["line_of", "table_of"]


def line_of(votes: "Votes") -> str:
    """How many inputs, draws and classes, under which noise."""
    data = None if votes.manifest is None else votes.manifest.data
    inputs = images_in_words(len(votes), votes.chosen_from, _inputs(votes))
    return (
        f"Votes: {inputs} × {draws_in_words(votes.draws)}, {votes.classes} classes, "
        f"{votes.noise.name} noise of sigma {votes.sigma:g}"
        f"{in_unit(None if data is None else data.measured_in)}"
    )


def table_of(votes: "Votes") -> str:
    """The first rows and the last, as HTML."""
    here = shown_rows(len(votes))
    counts = votes.counts[here]
    second, first = np.argsort(counts, axis=1, kind="stable")[:, -2:].T
    one = _inputs(votes).removesuffix("s")
    columns: dict[str, Sequence[object]] = {one: votes.indices[here].tolist()}
    if votes.labels is not None:
        columns["label"] = votes.labels[here].tolist()
    for name, classes in {"top": first, "runner_up": second}.items():
        columns[name] = classes.tolist()
        found = counts[np.arange(len(here)), classes]
        columns[f"votes of {name}"] = [f"{each:,}" for each in found.tolist()]
    columns["draws"] = [f"{each:,}" for each in votes.draws[here].tolist()]
    return table_html(line_of(votes), columns, count=len(votes))


def _inputs(votes: "Votes") -> str:
    return "images" if votes.manifest is None else votes.manifest.data.inputs
