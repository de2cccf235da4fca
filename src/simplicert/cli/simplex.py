"""``simplicert simplex``: mechanisms over the whole simplex, as figures and data."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter
from matplotlib.figure import Figure

from simplicert.analysis import write_table
from simplicert.cli.output import print_json
from simplicert.cli.printing import say
from simplicert.cli.types import Whole
from simplicert.errors import InputError
from simplicert.figures.simplex import SimplexAxes, simplex_figure
from simplicert.figures.spread import spread_figure
from simplicert.figures.style import FigureFormat, print_style, save_figure
from simplicert.mechanisms.catalogue import find_mechanism
from simplicert.simplex import (
    COMPARISONS,
    Compared,
    Comparison,
    Spread,
    against_spread,
    boundary_table,
    compare,
)
from simplicert.simplex.comparison import MARGINS
from simplicert.simplex.spread import MEANS

SPREAD = "spread"
"""The figure that compares ways to certify at one point, not mechanisms at all."""

FigureName = Literal[
    "fig2", "fig3-softmax", "fig3-multinomial", "np-over-ensemble", "spread"
]


def simplex_command(
    figure: FigureName | None = None,
    /,
    *,
    ratio: tuple[str, str] | None = None,
    difference: tuple[str, str] | None = None,
    regions: str | None = None,
    resolution: Whole = 400,
    margin: tuple[float, ...] = MARGINS,
    means: tuple[float, float] | None = None,
    out: Annotated[Path, Parameter(alias="-o")] = Path("simplex"),
    format: tuple[FigureFormat, ...] = ("png",),  # noqa: A002 - the option's name
    table: Literal["parquet", "csv"] = "parquet",
    json: bool = False,
) -> None:
    """Compare mechanisms over the whole simplex. Needs no data and no model.

    Without FIGURE, --ratio or --difference: all five figures. Each comparison is drawn
    twice, over (E0, E1) and as a ternary plot, and its grid and the curves between the
    winning regions are written as tables.

    The figure spread is of one point of the simplex: what means certify there, and what
    the distribution of the margin does, from hard votes to scores that never vary.

        simplicert simplex fig3-multinomial --format pdf -o figures
        simplicert simplex --ratio mine.py:radius neyman_pearson --json
        simplicert simplex spread --means 0.5 0.4

    Args:
        figure: A figure of the paper, or neyman_pearson over the paper's ensemble, or
            spread.
        ratio: Two mechanisms, for FIRST / SECOND. Each is a built-in name,
            FILE.py:FUNCTION, package.module:FUNCTION, or several of these with commas
            between, for the largest of them.
        difference: The same for FIRST - SECOND, in units of sigma.
        regions: Mechanisms, with commas between, whose winning regions are mapped.
            Default: those that are compared.
        resolution: Points along each side of the triangle E0 > E1, 10 to 1000.
        margin: How far to keep from E0 = E1 and E1 = 0 in the search for the largest
            and smallest value. Several may be given.
        means: E0 and E1 of the figure spread. Default: 0.7 and 0.2.
        out: Folder to write into.
        format: Figure formats. Several may be given.
        table: Format of the grid and of the curves.
        json: Print the largest and smallest values, where they are, and the shares of
            the area as JSON.
    """
    if means is not None and figure != SPREAD:
        raise InputError("--means goes with the figure spread")
    asked = _asked(figure, ratio=ratio, difference=difference, regions=regions)
    found: dict[str, Compared | Spread] = {
        name: compare(comparison, resolution=resolution, margins=margin)
        for name, comparison in asked.items()
    }
    if figure == SPREAD or set(asked) == set(COMPARISONS):
        found[SPREAD] = against_spread(means or MEANS)
    files = {
        name: _written(each, out / name, formats=format, table=table)
        for name, each in found.items()
    }
    if json:
        print_json({n: {**found[n].summary(), "files": files[n]} for n in found})
    else:
        for name, each in found.items():
            say(f"{name}: {each.describe()}\nwrote {', '.join(files[name])}\n")


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
            name: comparison
            for name, comparison in COMPARISONS.items()
            if figure in (None, name)
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
    found: Compared | Spread,
    stem: Path,
    *,
    formats: Sequence[FigureFormat],
    table: str,
) -> list[str]:
    """Write the tables and the figures of what was found; their paths."""
    if isinstance(found, Spread):
        tables = {"": found.table, "-margins": found.margins}
    else:
        tables = {"": found.table(), "-boundaries": boundary_table(found.boundaries)}
    paths = [
        write_table(each, Path(f"{stem}{end}.{table}")) for end, each in tables.items()
    ]
    with print_style():
        for end, drawing in _drawn(found).items():
            for suffix in formats:
                paths.append(save_figure(drawing, Path(f"{stem}{end}.{suffix}")))
    return [str(path) for path in paths]


def _drawn(found: Compared | Spread) -> dict[str, Figure]:
    """The figures by the ends of their files' names."""
    if isinstance(found, Spread):
        return {"": spread_figure(found)}
    both: tuple[SimplexAxes, ...] = ("plane", "ternary")
    return {f"-{axes}": simplex_figure(found, axes=axes) for axes in both}
