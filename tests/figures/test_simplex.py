"""Figures of the simplex: they draw the data given, and every text is legible."""

import matplotlib
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Annotation, Text

from simplicert.errors import InputError
from simplicert.figures.simplex import draw_boundaries, draw_simplex, simplex_figure
from simplicert.figures.spread import CURVES, spread_figure
from simplicert.figures.style import (
    COLUMN_CM,
    MECHANISM_STYLES,
    mechanism_styles,
    new_figure,
    print_style,
    save_figure,
)
from simplicert.simplex import COMPARISONS, against_spread, compare

BOTH = ["plane", "ternary"]


@pytest.fixture(scope="module", params=COMPARISONS)
def compared(request):
    return compare(COMPARISONS[request.param], resolution=60, margins=[])


@pytest.fixture(scope="module")
def multinomial():
    return compare(COMPARISONS["fig3-multinomial"], resolution=60, margins=[])


def drawn(compared, axes):
    with print_style():
        figure = simplex_figure(compared, axes=axes)
        FigureCanvasAgg(figure).draw()
    return figure


def texts(figure):
    """Every text that is drawn, with its own box in pixels (without any line to it)."""
    shown = [
        text
        for text in figure.findobj(Text)
        if text.get_visible() and text.get_text().strip()
    ]
    boxes = [Text.get_window_extent(text) for text in shown]
    return [(t.get_text(), t, b) for t, b in zip(shown, boxes, strict=True)]


@pytest.fixture(scope="module", params=[(0.7, 0.2), (0.97, 0.01), (0.5, 0.45)])
def spread(request):
    return against_spread(request.param, spreads=[1.0, 0.7, 0.4, 0.1, 0.02])


def spread_drawn(spread):
    with print_style():
        figure = spread_figure(spread)
        FigureCanvasAgg(figure).draw()
    return figure


@pytest.mark.parametrize("axes", BOTH)
def test_no_text_is_cut_off_or_covers_another(compared, axes):
    assert_legible(drawn(compared, axes))


def test_no_text_about_the_spread_is_cut_off_or_covers_another(spread):
    figure = spread_drawn(spread)
    assert_legible(figure)
    assert figure.get_size_inches()[0] * 2.54 == pytest.approx(COLUMN_CM)
    assert all(text.get_fontsize() >= 6 for _, text, _ in texts(figure))


def test_the_spread_is_drawn_as_it_was_found(spread):
    *shapes, radii = spread_drawn(spread).axes
    for (_, shape), ax in zip(
        spread.margins.groupby("spread", sort=False), shapes, strict=True
    ):
        heights = [bar.get_height() for bar in ax.patches]
        np.testing.assert_array_equal(heights, shape["share"])
    curves = {line.get_label(): line.get_xydata() for line in radii.lines}
    for column, (label, *_) in CURVES.items():
        limit = column.endswith("limit")
        found = curves[label if limit else f"{label}, 10,000 draws"]
        np.testing.assert_array_equal(found, spread.table[["spread", column]])
    assert radii.get_xlim() == (1.0, 0.0)


def assert_legible(figure):
    for name, _, box in texts(figure):
        assert box.x0 >= 0, name
        assert box.x1 <= figure.bbox.x1, name
        assert box.y0 >= 0, name
        assert box.y1 <= figure.bbox.y1, name
    # A slanted text's box is mostly empty: those are looked at, not tested.
    upright = [(n, b) for n, t, b in texts(figure) if t.get_rotation() % 90 == 0]
    for i, (first, box) in enumerate(upright):
        for second, other in upright[i + 1 :]:
            assert not box.overlaps(other), (first, second)


def test_it_is_one_column_wide_and_no_text_is_smaller_than_six_points(compared):
    figure = drawn(compared, "plane")
    assert figure.get_size_inches()[0] * 2.54 == pytest.approx(COLUMN_CM)
    assert all(text.get_fontsize() >= 6 for _, text, _ in texts(figure))


@pytest.mark.parametrize("axes", BOTH)
def test_the_colour_bar_names_the_quantity_and_its_unit(axes):
    for name, label in {
        "fig2": "cohen − li  [radius / σ]",
        "fig3-multinomial": "cullen / max(lecuyer, li, cohen)  [ratio of radii]",
    }.items():
        figure = drawn(compare(COMPARISONS[name], resolution=20, margins=[]), axes)
        assert figure.axes[1].get_xlabel() == label


def test_the_bands_are_the_data(multinomial):
    with print_style():
        ax = new_figure().add_subplot()
        bands = draw_simplex(multinomial, ax)
    np.testing.assert_array_equal(bands.levels, multinomial.bands.levels)
    assert bands.extend == multinomial.bands.extend
    # Orange where the first mechanism is larger, purple where the second is.
    red, _, blue, _ = bands.get_facecolor().T
    np.testing.assert_array_equal(red > blue, multinomial.bands.shades > 0)


@pytest.mark.parametrize("axes", BOTH)
def test_each_winner_is_named_once_in_its_own_colour(compared, axes):
    ax = drawn(compared, axes).axes[0]
    names = {
        text.get_text(): to_hex(text.get_color())
        for text in ax.texts
        if isinstance(text, Annotation)
    }
    winners = {name for name, share in compared.shares.items() if share > 0}
    assert set(names) == winners
    for name, colour in names.items():
        assert colour == to_hex(MECHANISM_STYLES[name]["color"])


def test_boundaries_are_drawn_where_they_were_found(multinomial):
    figure = new_figure()
    plane, ternary = (
        figure.add_subplot(121),
        figure.add_subplot(122, projection="ternary"),
    )
    draw_boundaries(multinomial.boundaries, plane)
    draw_boundaries(multinomial.boundaries, ternary)
    for curve, line, other in zip(
        multinomial.boundaries, plane.lines, ternary.lines, strict=True
    ):
        np.testing.assert_array_equal(line.get_xydata(), np.c_[curve.e0, curve.e1])
        # mpltern's own corners: E1 at the top, the rest on the left, E0 on the right.
        corners = np.array([[0, 1], [-(3**-0.5), 0], [3**-0.5, 0]])
        wanted = np.c_[curve.e1, curve.e2, curve.e0] @ corners
        np.testing.assert_allclose(other.get_xydata(), wanted, atol=1e-12)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_figure_gives_the_same_bytes(multinomial, tmp_path, suffix):
    once, again = (
        save_figure(drawn(multinomial, "plane"), tmp_path / f"{i}.{suffix}")
        for i in range(2)
    )
    assert once.read_bytes() == again.read_bytes()
    assert once.stat().st_size < 600_000


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"must end in one of \.pdf, \.png, \.svg"):
        save_figure(new_figure(), tmp_path / "figure.gif")


def test_the_style_does_not_leak_into_the_callers_settings():
    before = dict(matplotlib.rcParams)
    with print_style():
        assert matplotlib.rcParams["font.size"] == 7
    assert dict(matplotlib.rcParams) == before


def test_mechanism_colours_are_fixed_and_distinct():
    alone = mechanism_styles(["cullen"])["cullen"]
    assert alone == mechanism_styles(["mine", "li", "cullen"])["cullen"]
    names = [*MECHANISM_STYLES, "mine.one", "mine.two", "mine.three"]
    colours = [style["color"] for style in mechanism_styles(names).values()]
    assert len(set(colours)) == len(names)


# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
PROTANOPIA = [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
DEUTERANOPIA = [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]


@pytest.mark.parametrize("blindness", [PROTANOPIA, DEUTERANOPIA])
def test_mechanism_colours_stay_apart_for_the_colour_blind(blindness):
    seen = [
        np.array(blindness) @ np.power(to_rgb(style["color"]), 2.2)
        for style in MECHANISM_STYLES.values()
    ]
    seen = [np.clip(colour, 0, 1) ** (1 / 2.2) for colour in seen]
    for i, first in enumerate(seen):
        for second in seen[i + 1 :]:
            assert np.linalg.norm(first - second) > 0.15
