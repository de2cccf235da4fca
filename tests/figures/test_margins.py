"""What margins say beyond means, and what every procedure does, of one run."""

from dataclasses import replace

import numpy as np
import pytest
from margined import BLOCK, margined_run
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PathCollection
from matplotlib.text import Text
from synthetic import EVERY_BLOCK, manifest, rows

from simplicert import analysis
from simplicert.analysis.margins import ALL_OTHERS
from simplicert.certificates import certify
from simplicert.errors import InputError
from simplicert.figures import View
from simplicert.figures.margins import draw_margins_on_simplex
from simplicert.figures.procedures import PROCEDURE_STYLES, draw_procedures
from simplicert.figures.style import new_figure, print_style
from simplicert.figures.write import write_figures
from simplicert.interop import RunEvidence, certify_path
from simplicert.procedures.margins import largest_radius
from simplicert.report import write
from simplicert.votes import RunDirectory

ALPHA = 0.01
HARD = ["clopper_pearson", "two_stage", "joint"]
SOFT = ["hoeffding", "empirical_bernstein", "margins"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return RunEvidence(margined_run(tmp_path_factory.mktemp("runs") / "run").path)


@pytest.fixture(scope="module")
def found(run):
    return analysis.margins_on_simplex(run.apart, alpha=ALPHA)


@pytest.fixture(scope="module")
def made(run):
    return analysis.certified_by_procedures(run, alpha=ALPHA)


@pytest.fixture
def ax():
    with print_style():
        yield new_figure().subplots()


def assert_legible(figure):
    """No text but numbers at ticks, which matplotlib places, is cut off or covered."""
    FigureCanvasAgg(figure).draw()
    ticks = {
        label
        for each in figure.axes
        for label in (*each.get_xticklabels(), *each.get_yticklabels())
    }
    shown = [
        (text.get_text(), Text.get_window_extent(text), text.get_fontsize())
        for text in figure.findobj(Text)
        if text not in ticks and text.get_visible() and text.get_text().strip()
    ]
    for i, (name, box, size) in enumerate(shown):
        assert size >= 6, name
        assert box.x0 >= -1, name
        assert box.x1 <= figure.bbox.x1 + 1, name
        assert box.y0 >= -1, name
        assert box.y1 <= figure.bbox.y1 + 1, name
        for other, second, _ in shown[i + 1 :]:
            assert not box.overlaps(second), (name, other)


def test_each_procedure_certifies_with_all_the_draws_that_it_can_use(run, made):
    assert [each.procedure for each in made] == HARD + SOFT
    for each in made:
        again = certify_path(run.path, procedure=each.procedure, alpha=ALPHA)
        np.testing.assert_array_equal(
            each.radii["neyman_pearson"], again.radii["neyman_pearson"]
        )
        separate = each.procedure in ("two_stage", "margins")
        assert set(each.draws) == {6 * BLOCK - BLOCK * separate}


def test_curves_are_those_of_the_tight_mechanism_at_common_radii(made):
    table = analysis.accuracy_of_procedures(made)
    radii = table.groupby("procedure")["radius"].apply(tuple)
    assert len(set(radii)) == 1
    assert max(radii.iloc[0]) > max(each.radius.max() for each in made)
    for each in made:
        curve = table[table["procedure"] == each.procedure]
        right = each.radius * (each.top == 0)
        share = [((right >= r) & (right > 0)).mean() for r in curve["radius"]]
        np.testing.assert_allclose(curve["share"], share)
        assert set(curve["average"]) == {right.mean()}
        assert set(curve["framework"]) == {each.framework}


def test_what_was_not_recorded_or_cannot_certify_has_no_curve(tmp_path):
    plain = RunDirectory.create(tmp_path / "plain", manifest(scores=False))
    for key in EVERY_BLOCK:
        made = rows(key)
        plain.append(replace(made, columns={"counts": made.columns["counts"]}))
    evidence = RunEvidence(plain.path)
    found = analysis.certified_by_procedures(evidence, alpha=0.1)
    assert [each.procedure for each in found] == HARD
    assert analysis.certified_by_procedures(evidence, alpha=1e-12) == []
    scored = RunDirectory.create(tmp_path / "scored", manifest())
    for key in EVERY_BLOCK:
        scored.append(rows(key))
    found = analysis.certified_by_procedures(RunEvidence(scored.path), alpha=0.1)
    assert [each.procedure for each in found] == [*HARD, "hoeffding"]


def test_a_pilot_of_several_blocks_is_set_apart_whole(tmp_path):
    run = RunEvidence(margined_run(tmp_path / "run", pilot=2 * BLOCK).path)
    assert run.pilot == 2 * BLOCK
    [draws] = set(run.certify(procedure="margins", alpha=ALPHA).draws)
    assert draws == 4 * BLOCK
    assert set(run.apart.selection.draws) == {2 * BLOCK}
    with pytest.raises(InputError, match="the first 400 draws of this run chose"):
        run.certify(procedure="margins", alpha=ALPHA, selection=BLOCK)


def test_points_are_means_and_radii_those_of_the_procedures(run, found):
    votes, table = run.apart, found.table
    ours = certify(votes, procedure="margins", alpha=ALPHA)
    theirs = certify(votes, procedure="hoeffding", alpha=ALPHA)
    np.testing.assert_allclose(table["margins"], ours.radius / votes.sigma)
    np.testing.assert_allclose(
        table["means"], theirs.radii["neyman_pearson"] / votes.sigma
    )
    means = votes.score_sums / votes.draws[:, None]
    each = np.arange(len(votes))
    np.testing.assert_array_equal(table["e0"], means[each, votes.rivals[:, 0]])
    np.testing.assert_array_equal(table["e1"], means[each, votes.rivals[:, 1]])
    np.testing.assert_array_equal(table["image"], votes.indices)


def test_pairs_of_one_place_are_shown_that_differ_in_what_margins_gain(found):
    table = found.table
    shown = table[table["shown"] > 0].sort_values("shown")
    assert shown["shown"].tolist() == [1, 2, 3, 4]
    assert (shown["margins"] > 0).all()
    gain = (shown["margins"] - shown["means"]).to_numpy()
    places = shown[["e0", "e1"]].to_numpy()
    for first, second in ((0, 1), (2, 3)):
        assert gain[second] > gain[first] + 0.2
        assert np.abs(places[first] - places[second]).max() < 0.06
    lead = (shown["e0"] - shown["e1"]).to_numpy()
    assert lead[2:].min() > lead[:2].max()


def test_the_distribution_shown_is_of_the_margin_that_decides(run, found):
    votes = run.apart
    for number, shape in found.shapes.groupby("shown"):
        row = int(np.flatnonzero(found.table["shown"] == number)[0])
        radii = [
            largest_radius(
                votes.margins_over(place)[row],
                pilot=votes.selection.margins_over(place)[row],
                alpha=ALPHA,
            )
            for place in (1, 2)
        ]
        place = 1 + int(np.argmin(radii))
        assert min(radii) == pytest.approx(found.table["margins"][row], rel=1e-9)
        histogram = votes.margins_over(place)[row]
        wanted = histogram.reshape(32, 16).sum(axis=1) / votes.draws[row]
        np.testing.assert_allclose(shape["share"], wanted, rtol=1e-12)
        [rival] = set(shape["rival"])
        assert rival == (votes.rivals[row, 1] if place == 1 else ALL_OTHERS)
        ends = shape[["margin_from", "margin_to"]].to_numpy()
        assert ends[0, 0] == -1.0
        assert ends[-1, 1] == 1.0
        low, high = (float(shape["share"] @ ends[:, side]) for side in (0, 1))
        assert low <= shape["mean"].iloc[0] <= high


def test_of_few_certain_images_as_many_are_shown_as_there_are(run):
    votes = run.apart
    lead = analysis.margins_on_simplex(votes, alpha=ALPHA).table
    certain = lead.index[lead["margins"] > 0].tolist()
    torn = lead.index[lead["margins"] == 0].tolist()
    for rows_ in (certain[:1], certain[:2], certain[:3], torn[:1]):
        few = analysis.margins_on_simplex(votes[rows_], alpha=ALPHA)
        wanted = sum(row in certain for row in rows_)
        assert 0 <= few.table["shown"].max() <= wanted
        assert bool(wanted) == bool(len(few.shapes))
        with print_style():
            figure = new_figure()
            draw_margins_on_simplex(few, figure.subplots())
            FigureCanvasAgg(figure).draw()
    with pytest.raises(InputError, match="no images"):
        analysis.margins_on_simplex(votes[[]], alpha=ALPHA)


def test_of_two_classes_the_other_is_the_rival(tmp_path):
    run = RunEvidence(margined_run(tmp_path / "two", rivals=0, classes=2).path)
    found = analysis.margins_on_simplex(run.apart, alpha=ALPHA)
    np.testing.assert_allclose(found.table["e0"] + found.table["e1"], 1.0, atol=1e-6)
    assert set(found.shapes["rival"]) == {ALL_OTHERS}


def test_the_simplex_is_drawn_as_it_was_found(found, ax):
    draw_margins_on_simplex(found, ax)
    figure = ax.get_figure()
    points = {
        c.get_label().rpartition(" ")[0]: np.asarray(c.get_offsets())
        for c in ax.collections
        if isinstance(c, PathCollection) and not c.get_label().startswith("_")
    }
    ours, theirs = found.table["margins"] > 0, found.table["means"] > 0
    for name, here in {
        "neither certifies": ~ours & ~theirs,
        "both certify": ours & theirs,
        "margins alone": ours & ~theirs,
        "means alone": ~ours & theirs,
    }.items():
        wanted = found.table.loc[here, ["e0", "e1"]].to_numpy()
        np.testing.assert_array_equal(points.get(name, np.empty((0, 2))), wanted)
    panels = [other for other in figure.axes if other.get_xlabel().startswith("over")]
    assert len(panels) == 4
    for panel, (_, shape) in zip(panels, found.shapes.groupby("shown"), strict=True):
        heights = [bar.get_height() for bar in panel.patches]
        np.testing.assert_array_equal(heights, shape["share"])
    assert_legible_but_numbers(figure)


def assert_legible_but_numbers(figure):
    """Numbers of neighbours on the simplex may touch each other."""
    for text in figure.findobj(Text):
        if text.get_text() in {"1", "2", "3", "4"} or "σ" in text.get_text()[-1:]:
            text.set_visible(text.axes is None or "margins" in text.get_text())
    assert_legible(figure)


def test_every_procedure_has_its_curve_and_its_average(made, ax):
    table = analysis.accuracy_of_procedures(made)
    draw_procedures(table, ax)
    curves = {line.get_label().split()[0]: line for line in ax.lines}
    assert list(curves) == HARD + SOFT
    for name, line in curves.items():
        rows_ = table[table["procedure"] == name]
        np.testing.assert_array_equal(line.get_xydata(), rows_[["radius", "share"]])
        assert line.get_color() == PROCEDURE_STYLES[name]["color"]
        average = float(line.get_label().split()[1])
        assert rows_["average"].iloc[0] - 1e-3 < average <= rows_["average"].iloc[0]
    assert ax.get_ylabel() == "certified accuracy"
    assert_legible(ax.get_figure())


@pytest.mark.slow
def test_a_run_has_one_figure_of_each_whatever_its_views(run, tmp_path):
    made = [run.certify(framework=each) for each in ("multinomial", "softmax")]
    views = [View(name="a", certificates=each, evidence=run) for each in made]
    none = [View(name="b", certificates=each) for each in made]
    paths = write_figures(
        [*views, *none], tmp_path, figures=["procedures", "fig5-margins"]
    )
    assert [path.name for path in paths] == ["procedures-a.png", "fig5-margins-a.png"]


def test_a_report_draws_them_of_runs_with_margins_only(run, tmp_path):
    plain = RunDirectory.create(tmp_path / "plain", manifest())
    for key in EVERY_BLOCK:
        plain.append(rows(key))
    written = write(
        [run.path, plain.path],
        figures=tmp_path / "figures",
        only=["procedures", "fig5-margins"],
        alpha=0.1,
    )
    assert [path.name for path in written.figures] == [
        "procedures-run.png",
        "fig5-margins-run.png",
    ]
