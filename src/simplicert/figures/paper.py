"""The paper's figures and tables about data, for one or more sets of certificates."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from simplicert import analysis
from simplicert.analysis.formats import TABLE_SUFFIXES
from simplicert.certificates.record import Certificates
from simplicert.errors import InputError
from simplicert.figures.certified_accuracy import (
    draw_accuracy_of_runs,
    draw_certified_accuracy,
)
from simplicert.figures.draws import draw_against_draws, draw_times
from simplicert.figures.images import draw_density_on_simplex, draw_images_on_simplex
from simplicert.figures.improvement import draw_improvement
from simplicert.figures.style import FigureFormat, new_figure, print_style, save_figure

__all__ = ["write_figures", "write_tables"]

PERCENTS = np.linspace(0.0, 100.0, 201)

Drawing = Callable[[Axes], None]


def write_figures(
    runs: Mapping[str, Certificates],
    directory: Path | str,
    *,
    against_draws: Mapping[str, pd.DataFrame] | None = None,
    times: Mapping[str, pd.DataFrame] | None = None,
    formats: Sequence[FigureFormat] = ("png",),
) -> list[Path]:
    """Write Figures 4 to 10 as far as there is evidence for them; return the paths.

    For each run ``fig4-accuracy-RUN`` (Figures 4 and 8), ``fig5-images-RUN`` and
    ``fig5-density-RUN`` (5, 9 and 10), ``fig7-improvement-RUN`` where cohen certifies
    an image and another mechanism is there to compare; ``fig6a-draws-RUN`` and
    ``fig6b-times-RUN`` where their tables are given; and for several runs of a
    framework ``fig4-runs-FRAMEWORK``, the ensemble of each.

    Args:
        runs: Certificates by name. A name becomes part of file names, with ``-`` for
            ``/``.
        directory: Where to write.
        against_draws: What ``analysis.against_draws`` gave for each run.
        times: What ``analysis.times`` gave for each run.
        formats: Of the files; each figure is written in each.

    Raises:
        InputError: Two names that would be one file's.
    """
    directory = Path(directory)
    drawings: dict[str, Drawing] = {}
    for name, drawing in _drawings(runs, against_draws or {}, times or {}).items():
        stem = re.sub(r"-?[/\\]+", "-", name)
        if stem in drawings:
            raise InputError(f"two runs have the file {stem!r}: name them otherwise")
        drawings[stem] = drawing
    written = []
    for stem, drawing in drawings.items():
        with print_style():
            figure = new_figure()
            drawing(figure.subplots())
            written += [save_figure(figure, directory / f"{stem}.{f}") for f in formats]
    return written


def write_tables(
    runs: Mapping[str, Certificates],
    directory: Path | str,
    *,
    against_draws: Mapping[str, pd.DataFrame] | None = None,
    times: Mapping[str, pd.DataFrame] | None = None,
) -> list[Path]:
    """Write Tables 1 and 2 and what goes with them, of all runs; return the paths.

    ``table1``, ``table2`` (of runs with a cohen column), ``abstentions``, ``regions``,
    ``per-class`` and, with labels, ``guarantee`` (the dataset-level bounds at multiples
    of sigma / 4); ``draws`` and ``times``, behind Figure 6, where they are given. Each
    has a column ``run``, and is written in every format of ``analysis.write_table``.

    Args:
        runs: Certificates by name.
        directory: Where to write.
        against_draws: What ``analysis.against_draws`` gave for each run.
        times: What ``analysis.times`` gave for each run.
    """
    directory = Path(directory)
    makers: dict[str, Callable[[Certificates], pd.DataFrame | None]] = {
        "table1": analysis.table1,
        "table2": lambda c: analysis.table2(c) if _comparable(c) else None,
        "abstentions": analysis.abstentions,
        "regions": analysis.region_shares,
        "per-class": analysis.per_class,
        "guarantee": lambda c: (
            None
            if c.labels is None
            else analysis.dataset_guarantee(c, c.sigma * np.arange(0.0, 4.25, 0.25))
        ),
    }
    tables = {
        title: {name: maker(certificates) for name, certificates in runs.items()}
        for title, maker in makers.items()
    } | {"draws": {**(against_draws or {})}, "times": {**(times or {})}}
    written = []
    for title, made in tables.items():
        found = [
            table.assign(run=name)[["run", *table.columns]]
            for name, table in made.items()
            if table is not None and len(table)
        ]
        if found:
            whole = pd.concat(found, ignore_index=True)
            written += [
                analysis.write_table(whole, directory / f"{title}{suffix}")
                for suffix in TABLE_SUFFIXES
            ]
    return written


def _drawings(
    runs: Mapping[str, Certificates],
    against_draws: Mapping[str, pd.DataFrame],
    times: Mapping[str, pd.DataFrame],
) -> dict[str, Drawing]:
    """File name without suffix → what to draw on empty axes."""
    drawings: dict[str, Drawing] = {}
    curves = {}
    for name, certificates in runs.items():
        radii = analysis.curve_radii(certificates)
        curves[name] = analysis.certified_accuracy(certificates, radii)
        drawings[f"fig4-accuracy-{name}"] = _later(
            draw_certified_accuracy, curves[name]
        )
        borders = analysis.region_boundaries(certificates.framework)
        drawings[f"fig5-images-{name}"] = _later(
            draw_images_on_simplex, certificates, boundaries=borders
        )
        drawings[f"fig5-density-{name}"] = _later(
            draw_density_on_simplex,
            analysis.simplex_density(certificates),
            boundaries=borders,
            regions=analysis.region_shares(certificates),
        )
        if name in against_draws:
            drawings[f"fig6a-draws-{name}"] = _later(
                draw_against_draws, against_draws[name]
            )
        if name in times:
            drawings[f"fig6b-times-{name}"] = _later(draw_times, times[name])
        if _comparable(certificates) and (certificates.radii["cohen"] > 0).any():
            drawings[f"fig7-improvement-{name}"] = _later(
                draw_improvement, analysis.improvement_survival(certificates, PERCENTS)
            )
    for framework in sorted({c.framework for c in runs.values()}):
        alike = {
            name.removesuffix(f"-{framework}"): curves[name]
            for name, certificates in runs.items()
            if certificates.framework == framework and "ensemble" in certificates.radii
        }
        if len(alike) > 1:
            drawings[f"fig4-runs-{framework}"] = _later(
                draw_accuracy_of_runs, alike, mechanism="ensemble"
            )
    return drawings


def _later(draw: Callable[..., None], data: object, **options: object) -> Drawing:
    return lambda ax: draw(data, ax, **options)


def _comparable(certificates: Certificates) -> bool:
    return "cohen" in certificates.radii and len(certificates.radii) > 1
