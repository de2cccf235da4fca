"""Counts of two stages: some draws choose each image's class, others bound it."""

from dataclasses import replace

import numpy as np

from simplicert.errors import InputError
from simplicert.interop.format import Asked, Format, Match
from simplicert.interop.formats.cohen import LOG_OPTIONS, conditions_of
from simplicert.interop.formats.counts import label_column, read_columns, without
from simplicert.interop.reported import ReportedLog
from simplicert.interop.roles import key
from simplicert.interop.table import Table
from simplicert.procedures.protocol import top_two

__all__ = ["two_stage"]

_SELECTION = (
    "sel selection select n0 count0 counts0 stage1 countsselection selectioncounts"
)
_ESTIMATION = (
    "est estimation estimate n count counts stage2 countsestimation estimationcounts"
)


def _stages(table: Table) -> tuple[dict[str, str], dict[str, str]]:
    """The columns of each stage, by what follows the stage in their names."""
    first, second = {}, {}
    for name in table.names if table.named else ():
        for place in (i for i, letter in enumerate(name) if letter in "_. -/"):
            stage, rest = key(name[:place]), name[place + 1 :]
            if stage in _SELECTION.split():
                first[rest] = name
                break
            if stage in _ESTIMATION.split():
                second[rest] = name
                break
    return first, second


def _match(table: Table, asked: Asked) -> Match:  # noqa: ARG001 (a format's)
    first, second = _stages(table)
    if len(first) < 2:
        return Match(0, ("counts of a selection", "counts of an estimation"))
    if set(first) != set(second):
        return Match(5, (f"column for each of {', '.join(first)} in both stages",))
    return Match(7)


def _read(table: Table, asked: Asked) -> ReportedLog:
    """The chosen class's votes, which are all that the procedure of two stages needs.

    Raises:
        InputError: There are no labels; or as for counts, of either stage.
    """
    table.check_whole()
    table = without(table, asked.ignore_column)
    label = label_column(table, asked.label_column)
    if label is None:
        raise InputError(f"{table.path} has no column 'label', which a log needs")
    first, second = _stages(table)
    stages = []
    for own, other in ((first, second), (second, first)):
        frame = table.frame.drop(columns=list(other.values()))
        frame = frame.rename(columns={name: rest for rest, name in own.items()})
        draws = asked.draws if own is second else None
        said = Asked(label_column=label, draws=draws)
        stages.append(read_columns(replace(table, frame=frame, stated={}), label, said))
    selection, estimation = stages
    if (
        not np.array_equal(selection.indices, estimation.indices)
        or selection.class_names != estimation.class_names
        or estimation.labels is None
    ):
        raise InputError(f"{table.path}: the two stages are of other images or classes")
    top, _ = top_two(selection.counts)
    votes = estimation.counts[np.arange(len(top)), top]
    conditions = conditions_of(
        table, replace(asked, draws=estimation.draws), printed=False
    )
    if conditions.certificate != "cohen":
        raise InputError(
            f"{table.path}: of the procedure of two stages only Cohen's certificate is "
            "known here, of gaussian noise and l2 balls"
        )
    notes = [
        *estimation.notes,
        f"{selection.draws:,} draws an image chose the class, and {estimation.draws:,} "
        "others bound it. For other procedures import the latter alone",
    ]
    return ReportedLog.of_votes(
        conditions=conditions.model_copy(update={"notes": notes}),
        indices=estimation.indices,
        labels=estimation.labels,
        predicted=top,
        votes=votes,
    )


two_stage = Format(
    "two_stage", "counts of a selection and an estimation", LOG_OPTIONS, _match, _read
)
