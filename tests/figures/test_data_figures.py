"""Figures of data: what is drawn is what was computed, and every text is legible."""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.text import Text
from voted import by_hand, random_votes

from simplicert import analysis
from simplicert.certificates.certify import certify
from simplicert.errors import InputError
from simplicert.figures import View
from simplicert.figures.accuracy import draw_certified_accuracy
from simplicert.figures.comparison import draw_comparison
from simplicert.figures.density import draw_density_on_simplex
from simplicert.figures.draws import draw_against_draws
from simplicert.figures.images import draw_images_on_simplex
from simplicert.figures.improvement import draw_improvement
from simplicert.figures.runs import draw_accuracy_of_runs, runs
from simplicert.figures.stops import draw_stops
from simplicert.figures.style import MECHANISM_STYLES, new_figure, print_style
from simplicert.figures.times import draw_times
from simplicert.figures.write import write_figures
from simplicert.report.tables import write_tables
from simplicert.units import Unit
from simplicert.votes import DataSource, Look


@pytest.fixture(scope="module")
def certificates():
    return certify(random_votes())


def views(certificates, shorter=None):
    """Views by name; of the first, what fewer draws would give."""
    return [
        View(
            name=name,
            certificates=each,
            shorter=None if shorter is None or i else lambda: shorter,
        )
        for i, (name, each) in enumerate(certificates.items())
    ]


@pytest.fixture
def ax():
    with print_style():
        yield new_figure().subplots()


def lines(ax):
    return {
        line.get_label(): line.get_xydata()
        for line in ax.lines
        if not line.get_label().startswith("_")
    }


def test_curves_are_the_table_in_the_mechanisms_colours(certificates, ax):
    table = analysis.certified_accuracy(certificates, np.linspace(0, 0.5, 20))
    draw_certified_accuracy(table, ax)
    for name, points in lines(ax).items():
        rows = table[table["mechanism"] == name]
        np.testing.assert_array_equal(points, rows[["radius", "share"]])
    assert list(lines(ax)) == list(certificates.radii)
    assert {line.get_label(): line.get_color() for line in ax.lines} == {
        name: MECHANISM_STYLES[name]["color"] for name in certificates.radii
    }
    assert ax.get_ylabel() == "certified accuracy"
    assert len(ax.collections) == len(certificates.radii)  # the bands


def in_volts(certificates, scale):
    unit = Unit(name="volts (peak)", scale=scale)
    return replace(
        certificates, data=DataSource(name="d", digest="", shape=[2], unit=unit)
    )


def test_an_axis_names_a_unit_that_is_not_pixels(certificates, ax):
    said = {"": certificates, " in volts (peak)": in_volts(certificates, 2)}
    for unit, made in said.items():
        draw_certified_accuracy(analysis.certified_accuracy(made, [0.0, 0.1]), ax)
        assert ax.get_xlabel() == f"certified l2 radius{unit}"


def test_runs_in_other_units_are_in_figures_of_their_own(certificates):
    every = {
        "a": certificates,
        "b": in_volts(certificates, 2),
        "c": in_volts(certificates, (2, 3)),
        "d": in_volts(certificates, 2),
    }
    drawn = runs.drawn_from(views(every))
    assert list(drawn) == ["fig4-runs-multinomial-volts-peak"]  # the others are alone
    [(tables, _)] = drawn.values()
    assert list(tables) == ["b", "d"]


def test_one_curve_a_run(certificates, ax):
    table = analysis.certified_accuracy(certificates, np.linspace(0, 0.5, 20))
    draw_accuracy_of_runs({"a": table, "b": table, "c": table}, ax, mechanism="cullen")
    rows = table[table["mechanism"] == "cullen"]
    for points in lines(ax).values():
        np.testing.assert_array_equal(points, rows[["radius", "share"]])
    assert len({line.get_color() for line in ax.lines}) == 3


def test_every_image_is_a_point_under_its_winner(certificates, ax):
    draw_images_on_simplex(
        certificates, ax, boundaries=analysis.region_boundaries(certificates)
    )
    drawn = {c.get_label().split()[0]: c for c in ax.collections}
    largest = analysis.largest_mechanism(certificates)
    assert {"li", "cohen", "cullen", ""} == set(largest)
    for name in set(largest):
        here = largest == name
        offsets = drawn[name or "not"].get_offsets()
        expected = [certificates.e0_lower[here], certificates.e1_upper[here]]
        np.testing.assert_array_equal(np.asarray(offsets).T, expected)
    assert f"cohen {(certificates.largest == 'cohen').mean():.1%}" in {
        c.get_label() for c in ax.collections
    }


def test_of_many_images_a_stride_is_drawn_and_the_figure_says_so(ax):
    many = by_hand({"cohen": np.ones(12_000)})
    draw_images_on_simplex(many, ax)
    points = [c for c in ax.collections if isinstance(c, PathCollection)]
    assert len(points[0].get_offsets()) == 4000
    assert "4,000 of 12,000 images" in {text.get_text() for text in ax.texts}


def test_the_density_is_the_table(certificates, ax):
    table = analysis.simplex_density(certificates, cells=10)
    draw_density_on_simplex(table, ax, regions=analysis.region_shares(certificates))
    shown = ax.collections[0].get_array()
    assert shown.sum() == 400
    for row in table.itertuples():
        assert shown[round(row.e1_from * 10), round(row.e0_from * 10)] == row.images
    assert ax.get_xlabel() == "E0, lower bound"


def test_the_density_s_regions_have_no_colours_and_its_bar_covers_nothing(
    certificates, ax
):
    regions = analysis.region_shares(certificates)
    draw_density_on_simplex(analysis.simplex_density(certificates), ax, regions=regions)
    ax.get_figure().canvas.draw()
    legend = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [
        f"{row.region} {row.share:.1%}" for row in regions.itertuples() if row.share
    ]
    assert {handle.get_window_extent().width for handle in legend.legend_handles} == {0}
    [bar] = ax.child_axes
    corner = ax.transData.inverted().transform(bar.get_tightbbox().min)
    assert corner.sum() > 1  # E0 + E1


def test_a_density_of_estimates_says_so(certificates, ax):
    table = analysis.simplex_density(certificates, cells=10, estimates=True)
    draw_density_on_simplex(table, ax, estimates=True)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("E0, estimate", "E1, estimate")


def test_runs_are_drawn_together_with_those_of_their_framework(
    certificates, tmp_path, monkeypatch
):
    drawn = []
    monkeypatch.setattr(
        sys.modules["simplicert.figures.runs"],
        "draw_accuracy_of_runs",
        lambda tables, ax, *, mechanism: drawn.append([*tables, mechanism]),
    )
    runs = [
        View(name=run, certificates=each)
        for run in "ab"
        for each in (
            certificates,
            replace(certificates, framework="softmax", procedure="hoeffding"),
            replace(certificates, procedure="another"),
        )
    ]
    paths = write_figures(runs, tmp_path, figures=["fig4-runs"])
    assert {path.stem for path in paths} == {
        "fig4-runs-multinomial", "fig4-runs-softmax", "fig4-runs-another",
    }  # fmt: skip
    assert drawn == [["a", "b", "ensemble"]] * 3


def test_what_equals_neyman_pearson_is_drawn_on_it_and_stays_visible(certificates, ax):
    draw_certified_accuracy(analysis.certified_accuracy(certificates, np.ones(1)), ax)
    tight = next(line for line in ax.lines if line.get_label() == "neyman_pearson")
    for line in set(ax.lines) - {tight}:
        assert line.get_zorder() > tight.get_zorder()
        assert line.get_linewidth() < tight.get_linewidth()


def test_improvement_draws_and_times_are_their_tables(certificates, ax):
    percents = np.linspace(0, 50, 11)
    table = analysis.improvement_survival(certificates, percents)
    draw_improvement(table, ax)
    for name, points in lines(ax).items():
        rows = table[table["mechanism"] == name]
        np.testing.assert_array_equal(points, rows[["percent", "share"]])
    few = certify(random_votes(draws=100))
    reached = analysis.against_draws([few, certificates])
    other = new_figure().subplots()
    draw_against_draws(reached, other, quantity="median_radius")
    for name, points in lines(other).items():
        rows = reached[reached["mechanism"] == name]
        np.testing.assert_array_equal(points, rows[["draws", "median_radius"]])
    taken = analysis.times([few, certificates], repeats=1)
    third = new_figure().subplots()
    draw_times(taken, third)
    for name, points in lines(third).items():
        rows = taken[taken["step"] == name]
        np.testing.assert_array_equal(points, rows[["draws", "seconds_per_image"]])
    assert third.get_yscale() == "log"


def test_a_comparison_shows_where_images_moved(certificates, ax):
    other = by_hand(
        {"cohen": np.linspace(0, 1, 400)},
        labels=certificates.labels,
        top=certificates.labels,
        indices=certificates.indices,
        classes=6,
    )
    table = analysis.compare_runs(certificates, other)
    draw_comparison(table, ax)
    segments = [c for c in ax.collections if isinstance(c, LineCollection)]
    outcomes = ["smaller", "larger", "lost", "gained"]
    for outcome, drawn in zip(outcomes, segments, strict=True):
        rows = table[table["outcome"] == outcome]
        expected = rows.filter(regex="_lower|_upper").to_numpy()  # of before, of after
        found = np.reshape(drawn.get_segments(), (-1, 4))
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_the_papers_figures_are_written_and_legible(certificates, tmp_path, form):
    few = certify(random_votes(draws=100))
    paths = write_figures(
        views({"a": certificates, "b": few}, shorter=[few, certificates]),
        tmp_path,
        formats=[form],
    )
    assert {path.name for path in paths} == {
        f"{name}.{form}"
        for name in (
            "fig4-runs-multinomial",
            *(f"fig4-accuracy-{run}-multinomial" for run in "ab"),
            *(f"fig5-images-{run}-multinomial" for run in "ab"),
            *(f"fig5-density-{run}-multinomial" for run in "ab"),
            "fig6a-draws-a-multinomial",
            "fig6b-times-a-multinomial",
            *(f"fig7-improvement-{run}-multinomial" for run in "ab"),
        )
    }
    assert all(path.stat().st_size > 1000 for path in paths)


def test_at_8_cm_no_text_is_smaller_than_6_points(certificates, ax):
    table = analysis.certified_accuracy(certificates, np.linspace(0, 0.5, 20))
    draw_certified_accuracy(table, ax)
    figure = ax.get_figure()
    figure.canvas.draw()
    assert figure.get_figwidth() == pytest.approx(8 / 2.54)
    assert min(text.get_fontsize() for text in figure.findobj(Text)) >= 6
    legend = ax.get_legend().get_window_extent()
    assert legend.x0 >= 0
    assert legend.x1 <= figure.bbox.width + 1
    assert legend.y0 >= ax.get_window_extent().y1  # above the curves, not on them


def test_a_run_with_little_evidence_gives_what_it_can(tmp_path):
    reported = by_hand({"reported": [0.5, 0.0]}, mechanism="reported", labels=[0, 0])
    paths = write_figures(views({"log": reported}), tmp_path)
    assert {path.stem for path in paths} == {
        "fig4-accuracy-log-multinomial",
        "fig5-images-log-multinomial",
        "fig5-density-log-multinomial",
    }
    nothing = by_hand({"cohen": [0.0], "cullen": [0.0]})
    assert len(write_figures(views({"none": nothing}), tmp_path)) == 3


def test_names_with_separators_and_names_of_one_file(tmp_path):
    reported = by_hand({"reported": [0.5, 0.0]}, mechanism="reported", labels=[0, 0])
    runs = views({"../a/b": reported, "/c/d": reported})
    paths = write_figures(runs, tmp_path, formats=["png", "svg"])
    assert len(paths) == 14
    assert {path.parent for path in paths} == {tmp_path}
    for name in (
        "fig5-images-..-a-b-multinomial.png",
        "fig5-images-c-d-multinomial.svg",
    ):
        assert (tmp_path / name).is_file()
    with pytest.raises(InputError, match="two runs or figures have the file 'fig4"):
        write_figures(views({"a/b": reported, "a-b": reported}), tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_all_tables_in_every_form_with_the_runs_names(certificates, tmp_path):
    unlabelled = certify(random_votes(labels=False))
    both = {"a": certificates, "b": unlabelled}
    paths = write_tables(views(both, shorter=[certificates]), tmp_path)
    assert {path.suffix for path in paths} == {
        ".txt",
        ".md",
        ".tex",
        ".csv",
        ".parquet",
    }
    assert {path.stem for path in paths} == {
        "table1",
        "table2",
        "accuracy",
        "abstentions",
        "regions",
        "per-class",
        "guarantee",
        "draws",
        "times",
    }
    stored = pd.read_parquet(tmp_path / "table1.parquet")
    expected = analysis.table1(certificates)
    ours = stored[stored["run"] == "a-multinomial"]
    pd.testing.assert_frame_equal(ours[expected.columns], expected)
    stored = pd.read_parquet(tmp_path / "draws.parquet")
    expected = analysis.against_draws([certificates])
    pd.testing.assert_frame_equal(stored[expected.columns], expected)
    for facts in (stored, pd.read_parquet(tmp_path / "guarantee.parquet")):
        assert set(facts["noise"]) == {"gaussian"}
        assert set(facts["norm"]) == {"l2"}
    guarantee = pd.read_parquet(tmp_path / "guarantee.parquet")
    assert set(guarantee["run"]) == {
        "a-multinomial"
    }  # without labels there is no accuracy


def test_bars_are_the_shares_of_images_and_of_draws(ax):
    table = pd.DataFrame({"draws": [10, 40], "images": [3, 1], "spent": [30, 40]})
    draw_stops(table, ax)
    heights = [bar.get_height() for bar in ax.patches]
    np.testing.assert_allclose(heights, [3 / 4, 1 / 4, 3 / 7, 4 / 7])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["10", "40"]


def test_looks_are_drawn_of_runs_that_stop_images_only(certificates, tmp_path):
    several = (Look(1000, 0.5), Look(2000, 0.5))
    stopped = certify(replace(random_votes(), looks=several))
    both = views({"fixed": certificates, "stopped": stopped})
    [path] = write_figures(both, tmp_path, figures=["looks"])
    assert path.name == "looks-stopped-multinomial.png"
    tables = [path.name for path in write_tables(both, tmp_path)]
    assert "looks.csv" in tables
    written = pd.read_csv(tmp_path / "looks.csv")
    assert written["images"].tolist() == [0, len(stopped)]
