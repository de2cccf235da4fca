"""The paper as one command: a row for each of its places, and numbers that hold."""

import doctest
import runpy
import shutil
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import beta, binom

from simplicert import mechanisms, paper
from simplicert.errors import InputError
from simplicert.simplex import compare
from simplicert.votes import RunDirectory

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
SCRIPT = runpy.run_path(str(RESULTS / "paper"))
CLAIMS, COMMITTED, SHARES, STUDIO = (
    sys.modules[name] for name in ("claims", "committed", "shares", "studio")
)
PLACES = {place.key: place for place in SCRIPT["PLACES"]}
DOCS = (ROOT / "docs" / "paper.md").read_text("utf-8")
FOLDERS = ("cifar10", "cifar10-until")
NETWORK = "resnet20-0.50"


@cache
def coarse(comparison):
    return compare(comparison, resolution=20, margins=(0.01, 0.0001))


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """A network's images, with a fixed n and by looks, and a run that is broken."""
    root = tmp_path_factory.mktemp("results")
    for folder in FOLDERS:
        shutil.copytree(RESULTS / folder / NETWORK, root / folder / NETWORK)
    broken = root / "cifar10" / "broken-0.50"
    shutil.copytree(RESULTS / "cifar10" / NETWORK, broken)
    for part in (broken / "parts").iterdir():
        part.unlink()
    return SCRIPT["find"](root)


@pytest.fixture
def studio(found, tmp_path, monkeypatch):
    """Draws nothing but the titles."""
    shown = STUDIO.Picture(title="T", caption="C", src="data:,", file="f")
    monkeypatch.setattr(STUDIO.Studio, "draw", lambda *_: [shown])
    monkeypatch.setattr(STUDIO.Studio, "map", lambda *_: shown)
    monkeypatch.setattr(STUDIO, "compare", lambda asked, **_: coarse(asked))
    return STUDIO.Studio(runs=found[0], folder=tmp_path, resolution=20)


def test_the_page_has_a_row_for_each_figure_and_table_of_the_paper(studio, found):
    numbered = {f"figure-{n}" for n in (1, 2, 3, 4, 5, "6a", "6b", 7, 8, 9, 10)}
    assert numbered | {"table-1", "table-2"} <= set(PLACES)
    assert set(SCRIPT["DERIVE"]) == set(PLACES)
    derived = SCRIPT["derive"](studio)
    page = SCRIPT["render"](derived, *found, command="make it")
    for key, place in PLACES.items():
        assert f'<section class="place" id="{key}"' in page
        assert f'href="#{key}"' in page
        assert f"`{key}`" in DOCS, "docs/paper.md lacks the row"
        assert place.theirs
    assert "cifar10/broken-0.50" in page
    assert "http:" not in page
    assert "<script" not in page
    assert "35.1 % (27.8 to 43.1 %)" in page


def test_a_place_that_there_is_not_is_refused(studio):
    assert len(SCRIPT["derive"](studio, ["table-2"])) == 1
    with pytest.raises(InputError, match="no place 'table-3'"):
        SCRIPT["derive"](studio, ["table-3"])


def test_without_runs_every_row_says_so(tmp_path, studio):
    empty = replace(studio, runs=[])
    derived = SCRIPT["derive"](empty, [key for key in PLACES if "claim-l" not in key])
    verdicts = {place.key: ours.verdict for place, ours in derived.items()}
    assert verdicts["table-2"] == verdicts["figure-8"] == "no votes yet"
    assert "no votes yet" in SCRIPT["render"](derived, [], {}, command="make it")


def test_table_2_by_another_route(found):
    # From the counts with SciPy's quantiles; of what is ours only the radii's formulas.
    votes = RunDirectory(RESULTS / "cifar10" / NETWORK).read()
    second, best = np.sort(votes.counts, axis=1)[:, -2:].T
    e0 = beta.ppf(0.0005, best, votes.draws - best + 1)
    e1 = beta.isf(0.0005, second + 1, votes.draws - second)
    e1 = np.minimum(e1, 1 - e0)
    lead = 2 * binom.sf(best - 1, best + second, 0.5)
    named = (e0 > e1) & (lead <= 0.001**2 / 4)
    cohen, li, cullen = (
        np.where(named, radius(e0, e1, sigma=0.5), 0.0)
        for radius in (mechanisms.cohen, mechanisms.li, mechanisms.cullen)
    )
    larger = np.maximum(li, cullen) > cohen * (1 + 1e-9)
    count, total = int((larger & (cohen > 0)).sum()), int((cohen > 0).sum())
    [fixed] = [run for run in found[0] if not run.stops]
    assert COMMITTED.improved(fixed.hard) == (count, total)
    row = CLAIMS.improvement_table([fixed]).iloc[0]
    assert row["improved %"] == count / total
    low = beta.ppf(0.025, count, total - count + 1)
    assert row["lower %"] == pytest.approx(low, rel=1e-9)
    assert row["paper %"] == paper.IMPROVED[0.5] == 0.474
    shown = " | ".join(SHARES.cells(CLAIMS.improvement_table([fixed]))[0])
    assert f"| {shown} |" in DOCS, "python results/paper --docs"


def test_stopping_leaves_out_images_that_the_ensemble_enlarges(found):
    [row] = CLAIMS.stopping_table(found[0]).to_dict("records")
    fixed, stopped = sorted(found[0], key=lambda run: run.stops)
    only = (fixed.hard.radii["cohen"] > 0) & (stopped.hard.radii["cohen"] == 0)
    assert row["certified with fixed n only"] == only.sum()
    assert row["of those, enlarged %"] > 0.9 > row["fixed n %"]
    shown = SHARES.turned(CLAIMS.stopping_table(found[0]))
    assert list(shown.columns) == ["network", "ResNet-20 at 0.5"]


def test_a_difference_by_hand():
    # Newcombe 1998, Table II, (a), method 10: 56/70 - 48/80.
    more, low, high = SHARES.difference(56, 70, 48, 80)
    np.testing.assert_allclose([more, low, high], [0.2, 0.0524, 0.3339], atol=5e-5)


def test_the_shift_is_judged_by_its_intervals(studio, found):
    [fixed] = [run for run in found[0] if not run.stops]
    far = replace(fixed, manifest=fixed.manifest.model_copy(update={"classes": 1000}))
    assert far.data == "ImageNet"
    moved = SCRIPT["DERIVE"]["claim-shift"](replace(studio, runs=[fixed, far]))
    assert moved.verdict == "not settled"  # they are the same votes
    assert "1,000 classes have more in 0 of 1 among all images" in moved.ours


def test_examples():
    assert doctest.testmod(SHARES).failed == 0


@pytest.mark.slow
def test_the_whole_command_and_what_docs_show_of_it(tmp_path):
    page = SCRIPT["make"](tmp_path, resolution=60)
    html = page.read_text("utf-8")
    assert html.count("<img src=") == len(list((tmp_path / "figures").iterdir()))
    assert html.count("no votes yet") < html.count('class="place"')
    _, rest = DOCS.split(SCRIPT["BEGIN"])
    shown, _ = rest.split(SCRIPT["END"])
    assert shown.strip() == SCRIPT["docs_tables"](SCRIPT["find"](RESULTS)[0]).strip()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_fits_its_window(tmp_path, browser, width):
    page = SCRIPT["make"](tmp_path, only=["table-2", "figure-5"], resolution=60)
    context = browser.new_context(viewport={"width": width, "height": 900})
    try:
        opened, trouble = context.new_page(), []
        opened.on("console", lambda message: trouble.append(message.text))
        opened.on("request", lambda request: trouble.append(request.url))
        opened.goto(page.as_uri())
        wide = opened.evaluate("document.documentElement.scrollWidth")
        broken = "[...document.images].filter(i => !i.naturalWidth).length"
        assert (wide, opened.evaluate(broken)) == (width, 0)
        inside = ("file:///", "data:")
        assert [what for what in trouble if not what.startswith(inside)] == []
    finally:
        context.close()
