"""``simplicert simplex``: mechanisms over the whole simplex, as figures and data."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from simplicert.analysis import write_table
from simplicert.cli.output import print_json
from simplicert.cli.printing import say
from simplicert.cli.types import Whole
from simplicert.errors import InputError
from simplicert.figures.simplex import simplex_figure
from simplicert.figures.style import FigureFormat, print_style, save_figure
from simplicert.mechanisms.catalogue import find_mechanism
from simplicert.simplex import (
    COMPARISONS,
    Compared,
    Comparison,
    boundary_table,
    compare,
)
from simplicert.simplex.comparison import MARGINS

FigureName = Literal["fig2", "fig3-softmax", "fig3-multinomial", "np-over-ensemble"]


def simplex_command(
    figure: FigureName | None = None,
    /,
    *,
    ratio: tuple[str, str] | None = None,
    difference: tuple[str, str] | None = None,
    regions: str | None = None,
    resolution: Whole = 400,
    margin: tuple[float, ...] = MARGINS,
    out: Annotated[Path, Parameter(alias="-o")] = Path("simplex"),
    format: tuple[FigureFormat, ...] = ("png",),  # noqa: A002 - the option's name
    table: Literal["parquet", "csv"] = "parquet",
    json: bool = False,
) -> None:
    """Compare mechanisms over the whole simplex. Needs no data and no model.

    Without FIGURE, --ratio or --difference: all four figures. Each comparison is drawn
    twice, over (E0, E1) and as a ternary plot, and its grid and the curves between the
    winning regions are written as tables.

        simplicert simplex fig3-multinomial --format pdf -o figures
        simplicert simplex --ratio mine.py:radius neyman_pearson --json

    Args:
        figure: A figure of the paper, or neyman_pearson over the paper's ensemble.
        ratio: Two mechanisms, for FIRST / SECOND. Each is a built-in name,
            FILE.py:FUNCTION, package.module:FUNCTION, or several of these with commas
            between, for the largest of them.
        difference: The same for FIRST - SECOND, in units of sigma.
        regions: Mechanisms, with commas between, whose winning regions are mapped.
            Default: those that are compared.
        resolution: Points along each side of the triangle E0 > E1, 10 to 1000.
        margin: How far to keep from E0 = E1 and E1 = 0 in the search for the largest
            and smallest value. Several may be given.
        out: Folder to write into.
        format: Figure formats. Several may be given.
        table: Format of the grid and of the curves.
        json: Print the largest and smallest values, where they are, and the shares of
            the area as JSON.
    """
    asked = _asked(figure, ratio=ratio, difference=difference, regions=regions)
    found = {
        name: compare(comparison, resolution=resolution, margins=margin)
        for name, comparison in asked.items()
    }
    files = {
        name: _written(compared, out / name, formats=format, table=table)
        for name, compared in found.items()
    }
    if json:
        print_json({n: {**found[n].summary(), "files": files[n]} for n in found})
    else:
        for name, compared in found.items():
            say(f"{name}: {compared.describe()}\nwrote {', '.join(files[name])}\n")


def _asked(
    figure: FigureName | None,
    *,
    ratio: tuple[str, str] | None,
    difference: tuple[str, str] | None,
    regions: str | None,
) -> dict[str, Comparison]:
    """The comparisons by the names under which their files are written."""
    if sum(choice is not None for choice in (figure, ratio, difference)) > 1:
        raise InputError("give only one of FIGURE, --ratio and --difference")
    pair = ratio or difference
    if pair is None:
        if regions is not None:
            raise InputError("--regions goes with --ratio or --difference")
        return {
            name: COMPARISONS[name] for name in ([figure] if figure else COMPARISONS)
        }
    kind: Literal["ratio", "difference"] = "ratio" if ratio else "difference"
    contenders = dict.fromkeys((regions or ",".join(pair)).split(","))
    comparison = Comparison(
        kind=kind,
        first=find_mechanism(pair[0]),
        second=find_mechanism(pair[1]),
        contenders=tuple(find_mechanism(spec.strip()) for spec in contenders),
    )
    name = re.sub(r"\W+", "-", f"{kind}-{comparison.label}").strip("-")
    return {name: comparison}


def _written(
    compared: Compared, stem: Path, *, formats: Sequence[FigureFormat], table: str
) -> list[str]:
    """Write a comparison's figures and tables; their paths."""
    paths = [
        write_table(compared.table(), Path(f"{stem}.{table}")),
        write_table(
            boundary_table(compared.boundaries), Path(f"{stem}-boundaries.{table}")
        ),
    ]
    with print_style():
        for axes in ("plane", "ternary"):
            drawing = simplex_figure(compared, axes=axes)
            for suffix in formats:
                paths.append(save_figure(drawing, Path(f"{stem}-{axes}.{suffix}")))
    return [str(path) for path in paths]
