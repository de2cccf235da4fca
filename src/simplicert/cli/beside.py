"""What a verifier proved, given to a command, and printed beside a run."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from cyclopts import Parameter

from simplicert.analysis import (
    Beside,
    TableFormat,
    beside,
    format_table,
    write_table,
)
from simplicert.certificates.record import Certificates
from simplicert.cli.output import heading, notes, print_json, width
from simplicert.cli.printing import say
from simplicert.errors import InputError
from simplicert.interop import Verified, read_verified

__all__ = [
    "VerifiedFile",
    "VerifiedNetwork",
    "VerifiedNorm",
    "VerifiedUnit",
    "print_beside",
    "verified_given",
]

MOST_IMAGES = 20
"""Printed; all are in JSON and in files."""

MIXED = (
    "f and g are two classifiers: no radius of one is a radius of the other, and the "
    "larger of the two is one of neither"
)

VerifiedFile = Annotated[
    Path | None,
    Parameter(
        help="What a verifier proved of the base classifier, to show beside the run, "
        "image by image: a table with image and radius, or image, epsilon and status; "
        "or what alpha-beta-CROWN printed."
    ),
]
VerifiedNorm = Annotated[
    Literal["l2", "linf", "l1"] | None,
    Parameter(help="The norm of its balls.", show_default="the file's, or l2"),
]
VerifiedUnit = Annotated[
    str | None,
    Parameter(
        help="What its radii are in: pixels, levels, or the run's unit by name.",
        show_default="the file's, or pixels",
    ),
]
VerifiedNetwork = Annotated[
    str | None,
    Parameter(help="Whose radii they are.", show_default="what the file says"),
]


def verified_given(
    path: Path | None, *, norm: str | None, unit: str | None, network: str | None
) -> Verified | None:
    """The file, read as the options say; ``None`` where none was given.

    Raises:
        InputError: As ``read_verified``; there are options and no file.
    """
    if path is None:
        if norm is not None or unit is not None or network is not None:
            raise InputError(
                "--verified-norm, --verified-unit and --verified-network go with "
                "--verified"
            )
        return None
    return read_verified(path, norm=norm, unit=unit, network=network)


def print_beside(
    certificates: Certificates,
    verified: Verified,
    *,
    radii: Sequence[float] | None,
    out: Path | None,
    as_: TableFormat | None,
    json: bool,
) -> None:
    """Print both of each image, and how many each certifies; write all of it."""
    both = beside(certificates, verified)
    images = both.table()
    tables = {"accuracy": both.accuracy(radii), "summary": both.summary()}
    if out is not None:
        write_table(images, out)
    if json:
        facts = [both.certificates.facts]
        print_json(
            {
                "facts": facts,
                "about": both.about,
                "quantity": both.quantity,
                **tables,
                "images": images,
                "notes": [*both.notes, MIXED],
            }
        )
        return
    text = as_ in (None, "text")
    if not text:
        say(format_table(images, as_ or "text", width=width()), end="")
        return
    _say_all(both, tables.values(), images)


def _say_all(
    both: Beside, tables: Iterable[pd.DataFrame], images: pd.DataFrame
) -> None:
    ours = both.certificates
    say(heading(ours))
    for side, said in both.about.items():
        say(f"{side}: {said}")
    say(f"\n{both.quantity} of each, on the same {len(ours):,} {ours.inputs}:")
    for table in tables:
        say(format_table(table, width=width()))
    columns = [name for name in images if name not in _about(both)]
    shown = images[columns][:MOST_IMAGES]
    say(format_table(shown, width=width()), end="")
    if (more := len(images) - MOST_IMAGES) > 0:
        say(f"note: {more:,} more {ours.inputs}: -o FILE and --json have all")
    for remark in dict.fromkeys([*notes(ours), *both.notes, MIXED]):
        say(f"note: {remark}")


def _about(both: Beside) -> set[str]:
    """Columns that say the same in every row."""
    return {*both.certificates.facts, "mechanism", *(f"about_{s}" for s in both.about)}
