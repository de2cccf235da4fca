"""The page in a real browser, from disk. What a reader sees and does."""

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from leads import led_run
from looked import stopped_run
from pages import XSS, grey_pictures, report_run, run_of, with_scores
from voted import by_hand, random_votes

from simplicert.certificates import certify
from simplicert.data.given import as_dataset
from simplicert.interop import Verified
from simplicert.report import ReportRun, load_runs, render_report, write_report
from simplicert.report.portraits import Pictures
from simplicert.units import Unit

PATIENCE = 600_000  # ms; Playwright's own limits are too short for a busy machine
NAMES = ["zero", XSS, "two", "three", "four", "five"]


@pytest.fixture(scope="session")
def runs():
    """Three sigmas of the same 120 images."""
    return [
        report_run(
            with_scores(random_votes(120, sigma=sigma, seed=2)),
            name=f"sigma {sigma}",
            class_names=NAMES,
            portraits=[Pictures(grey_pictures)],
        )
        for sigma in (0.25, 0.5, 1.0)
    ]


@pytest.fixture(scope="session")
def file(runs, tmp_path_factory):
    return write_report(render_report(runs), tmp_path_factory.mktemp("page") / "r.html")


class Watched:
    """Opens pages, and notes whatever they ask for or complain about."""

    def __init__(self, browser):
        self.browser, self.trouble, self.contexts = browser, [], []

    def __call__(self, file, **options):
        self.contexts.append(self.browser.new_context(**options))
        self.contexts[-1].set_default_timeout(PATIENCE)
        page = self.contexts[-1].new_page()
        page.on("console", lambda message: self.trouble.append(message.text))
        page.on("pageerror", lambda error: self.trouble.append(str(error)))
        page.on("dialog", lambda dialog: self.trouble.append(dialog.message))
        page.on("request", lambda request: self.trouble.append(request.url))
        page.goto(file.as_uri())
        page.wait_for_selector("#simplex .scatterlayer")
        return page

    def check(self):
        """Nothing but the files themselves was asked for; nothing went wrong."""
        inside = ("file:///", "data:", "blob:")
        assert [what for what in self.trouble if not what.startswith(inside)] == []
        files = [what for what in self.trouble if what.startswith("file:///")]
        assert len(files) == len(self.contexts)


@pytest.fixture
def look(browser):
    watched = Watched(browser)
    yield watched
    watched.check()
    for context in watched.contexts:
        context.close()


@pytest.fixture(scope="session")
def opened(browser, file):
    """One page for most tests: Plotly alone takes a second to start."""
    watched = Watched(browser)
    yield watched, watched(file)
    watched.contexts[0].close()


@pytest.fixture
def page(opened):
    watched, page = opened
    page.evaluate(
        """() => {
          for (const box of document.querySelectorAll("select")) box.selectedIndex = 0;
          for (const box of document.querySelectorAll("input")) box.value = "";
          Object.assign(state, { mechanism: "", pinned: null, hovered: null });
          Object.assign(sorting, { column: "image", descending: false });
          shownPage = 0;
          show(0, 0);
        }"""
    )
    page.mouse.move(2, 2)
    yield page
    watched.check()


@pytest.fixture
def certificates(runs):
    return runs[0].certificates[0]


def points(page):
    """Rows of all points that are drawn, without the ring of the pinned one."""
    return page.evaluate(
        "byId('simplex').data"
        ".filter(t => t.mode === 'markers' && t.showlegend !== false)"
        ".flatMap(t => t.customdata)"
    )


def column(page, name):
    """All cells of a column of the table's page."""
    titles = page.locator("#images thead th").all_inner_texts()
    at = [title.rstrip(" ▲▼") for title in titles].index(name)
    return page.locator(f"#images tbody td:nth-child({at + 1})").all_inner_texts()


def summary(page):
    return page.inner_text("#summary")


def test_every_image_is_a_point_and_a_row(page, certificates):
    assert sorted(points(page)) == list(range(120))
    correct = int(certificates.correct.sum())
    assert summary(page).startswith(f"120 of 120 images: correct {correct}, ")
    assert page.inner_text("#page") == "page 1 of 6"
    assert page.locator("#simplex .scatterlayer .point").count() >= 120


def test_the_least_robust_correct_image_and_its_picture_meet_the_eye(
    page, certificates
):
    radius = np.where(certificates.correct, certificates.radius, np.inf)
    index = certificates.indices[radius.argmin()]
    card = page.locator("#highlights button").first
    assert "Least robust correct image" in card.inner_text()
    assert f"image {index}," in card.inner_text()
    assert page.inner_text("#detail h3") == f"Image {index} (pinned)"
    picture = page.locator("#detail .thumbnail")
    assert picture.get_attribute("aria-label") == f"picture of image {index}"
    sheet = picture.evaluate("e => getComputedStyle(e).backgroundImage")
    assert sheet.startswith('url("data:image/webp')


def test_thumbnails_show_their_own_image(page, certificates):
    """A picture's pixels, read back from the screen, are the grey of its index."""
    page.locator("#images tbody tr").nth(13).scroll_into_view_if_needed()
    shot = page.locator("#images tbody .thumbnail").nth(13).screenshot()
    middle = pd.Series(np.asarray(open_image(shot))[8:-8, 8:-8, 0].ravel()).mode()[0]
    expected = round(255 * (certificates.indices[13] % 251) / 250)
    assert abs(int(middle) - expected) <= 1


def open_image(content):
    from PIL import Image

    return Image.open(io.BytesIO(content)).convert("RGB")


def test_filters_change_points_summary_table_and_curve(page, certificates):
    page.select_option("#filter-outcome", "correct")
    page.select_option("#filter-class", "2")
    wanted = np.flatnonzero(certificates.correct & (certificates.labels == 2))
    assert sorted(points(page)) == wanted.tolist()
    assert summary(page).startswith(f"{len(wanted)} of 120 images")
    assert set(column(page, "label")) == {"two"}
    # All that is left is correct by this mechanism, so that its curve starts at 1.
    start = page.evaluate(
        "byId('curve').data.find(t => t.name === 'neyman_pearson').y[0]"
    )
    assert start == 1

    page.click("#reset")
    assert len(points(page)) == 120
    page.fill("#filter-low", "0.2")
    page.fill("#filter-high", "0.4")
    radius = certificates.radius
    expected = np.flatnonzero((radius >= 0.2) & (radius <= 0.4))
    assert sorted(points(page)) == expected.tolist()

    page.click("#reset")
    page.select_option("#filter-largest", "li")
    expected = np.flatnonzero(certificates.largest == "li")
    assert sorted(points(page)) == expected.tolist()


def test_resetting_the_filter_keeps_what_is_looked_at(page):
    page.select_option("#run", label="sigma 0.5")
    page.select_option("#filter-outcome", "wrong")
    page.click("#reset")
    assert page.input_value("#run") == "1"
    assert summary(page).startswith("120 of 120")


def test_a_filtered_curve_is_the_step_function_of_its_images(page, certificates):
    page.select_option("#filter-class", "1")
    x, y = page.evaluate(
        "(t => [t.x, t.y])(byId('curve').data.find(t => t.name === 'cullen'))"
    )
    members = certificates.labels == 1
    right = certificates.top == certificates.labels
    radius = certificates.radii["cullen"]
    for r, share in zip(x[1:-1], y[1:-1], strict=True):
        expected = (right & (radius >= r) & (radius > 0))[members].mean()
        assert share == pytest.approx(expected)
    assert (x[-1], y[-1]) == (x[-2], 0)


def test_a_filter_that_leaves_nothing_is_no_error(page):
    page.fill("#filter-low", "99")
    assert summary(page) == "0 of 120 images: correct 0, wrong 0, abstains 0"
    assert points(page) == []
    page.click("#next")


def test_hovering_shows_and_clicking_pins(page, certificates):
    page.keyboard.press("Escape")
    assert "Point at an image" in page.inner_text("#detail-body")
    row = int(certificates.e1_upper.argmax())  # alone, far from the corner
    place = page.evaluate(
        """row => {
          const trace = byId("simplex").calcdata.find(t =>
            t[0].trace.customdata?.includes(row) && t[0].trace.showlegend !== false);
          const at = trace[0].trace.customdata.indexOf(row);
          const marks = [...document.querySelectorAll("#simplex .scatterlayer .point")];
          const mark = marks.find(m => m.__data__ === trace[at]);
          mark.scrollIntoView({ block: "center" });
          const box = mark.getBoundingClientRect();
          return [box.x + box.width / 2, box.y + box.height / 2];
        }""",
        row,
    )
    page.mouse.move(place[0] - 40, place[1] - 90)
    page.mouse.move(*place, steps=4)
    title = f"Image {certificates.indices[row]}"
    page.wait_for_function(
        "t => document.querySelector('#detail h3')?.textContent === t", arg=title
    )
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function(
        "t => document.querySelector('#detail h3')?.textContent === t",
        arg=f"{title} (pinned)",
    )
    page.mouse.move(2, 2)
    detail = page.inner_text("#detail-body")
    assert f"{title} (pinned)" in detail
    assert "at least" in detail
    assert "at most" in detail
    for name in certificates.radii:
        assert name in detail
    assert page.locator("#images tr.pinned").count() == 1


def test_printed_radii_are_never_above_the_certified_ones(page, certificates):
    for name, radius in certificates.radii.items():
        shown = np.array(column(page, name), dtype=float)
        exact = radius[: len(shown)]
        assert (shown <= exact).all()
        assert (exact - shown < 1e-4).all()
    lower = np.array(column(page, "E0 ≥"), dtype=float)
    upper = np.array(column(page, "E1 ≤"), dtype=float)
    assert (lower <= certificates.e0_lower[: len(lower)]).all()
    assert (upper >= certificates.e1_upper[: len(upper)]).all()


@pytest.mark.parametrize(
    ("value", "down", "up"),
    [
        (0.29, "0.2900", "0.2900"),
        (0.28999, "0.2899", "0.2900"),
        (0, "0.0000", "0.0000"),
        (1e-9, "0.0000", "0.0001"),
        (3, "3.0000", "3.0000"),
        (12.34567, "12.3456", "12.3457"),
    ],
)
def test_numbers_are_rounded_to_the_safe_side(page, value, down, up):
    assert page.evaluate(f"[roundDown({value}), roundUp({value})]") == [down, up]


def test_columns_sort_both_ways_by_keyboard(page):
    button = page.locator("#images thead button", has_text="neyman_pearson")
    button.focus()
    page.keyboard.press("Enter")
    rising = [float(cell) for cell in column(page, "neyman_pearson")]
    assert rising == sorted(rising)
    page.keyboard.press("Enter")
    falling = [float(cell) for cell in column(page, "neyman_pearson")]
    assert falling == sorted(falling, reverse=True)
    assert falling[0] > rising[-1]
    sort = page.locator("#images th[aria-sort]")
    assert sort.get_attribute("aria-sort") == "descending"


def test_pages_of_the_table_turn(page):
    first = column(page, "image")
    page.click("#next-page")
    assert page.inner_text("#page") == "page 2 of 6"
    assert not set(first) & set(column(page, "image"))
    page.click("#previous-page")
    assert column(page, "image") == first


def test_next_and_previous_walk_in_the_order_of_the_table(page):
    page.locator("#images thead button", has_text="cullen").click()
    images = column(page, "image")
    page.click(f"#images button.link:text-is('{images[0]}')")
    page.click("#next")
    assert f"Image {images[1]} (pinned)" in page.inner_text("#detail")
    page.click("#previous")
    assert f"Image {images[0]} (pinned)" in page.inner_text("#detail")


def test_the_csv_is_the_table_of_the_certificates(page, certificates):
    page.select_option("#filter-outcome", "correct")
    with page.expect_download() as download:
        page.click("#download")
    assert download.value.suggested_filename == "sigma_0.25-multinomial.csv"
    read = pd.read_csv(download.value.path(), keep_default_na=False)
    table = certificates.table()
    expected = table[certificates.correct].reset_index(drop=True)
    pd.testing.assert_frame_equal(read, expected, check_exact=True, check_dtype=False)


def test_another_run_framework_and_mechanism_are_looked_at(page, runs):
    pinned = page.inner_text("#detail h3")
    page.select_option("#run", label="sigma 1.0")
    page.select_option("#framework", label="softmax")
    page.select_option("#mechanism", "cullen")
    certificates = replace(runs[2].certificates[1], mechanism="cullen")
    correct, abstains = certificates.correct.sum(), (certificates.radius == 0).sum()
    assert f"correct {correct}, " in summary(page)
    assert f"abstains {abstains}" in summary(page)
    assert page.inner_text("#detail h3") == pinned  # the same image there
    group = page.inner_text("tbody.current")
    assert group.startswith("sigma 1.0: softmax")


def test_one_mechanism_is_compared_across_runs(page, runs):
    page.select_option("#curves", "runs")
    names = page.evaluate(
        "byId('curve').data.filter(t => t.customdata).map(t => t.name)"
    )
    assert names == [run.name for run in runs]
    assert "The same image in the other runs" in page.inner_text("#detail")
    page.select_option("#filter-class", "3")
    starts = page.evaluate(
        "byId('curve').data.filter(t => t.customdata).map(t => t.y[0])"
    )
    for start, run in zip(starts, runs, strict=True):
        certificates = run.certificates[0]
        of_class = certificates.correct[runs[0].certificates[0].labels == 3]
        assert start == pytest.approx(of_class.mean())


@pytest.mark.parametrize("colour", ["largest", "radius"])
def test_points_are_coloured_otherwise(page, certificates, colour):
    page.select_option("#colour", colour)
    page.select_option("#position", "estimates")
    page.select_option("#zoom", "0.5")
    assert sorted(points(page)) == list(range(120))
    names = page.evaluate("byId('simplex').data.filter(t => t.name).map(t => t.name)")
    if colour == "largest":
        number = int((certificates.largest == "cohen").sum())
        assert f"cohen ({number})" in names


def test_plotly_offers_a_picture_and_no_upload(page):
    buttons = page.locator("#simplex .modebar-btn, #curve .modebar-btn")
    titles = {button.get_attribute("data-title") for button in buttons.all()}
    assert titles == {"Download plot as a PNG"}


def test_hostile_names_are_text(page):
    page.select_option("#filter-class", label=XSS)
    assert set(column(page, "label")) == {XSS}
    assert page.locator("img").count() == 0


@pytest.mark.slow
def test_the_theme_follows_the_system_and_the_button(look, file):
    def background(page):
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, dark = (look(file, color_scheme=scheme) for scheme in ("light", "dark"))
    bright, night = background(light), background(dark)
    assert bright != night
    text = "byId('simplex').layout.font.color"
    assert light.evaluate(text) != dark.evaluate(text)
    light.click("#theme")
    assert background(light) == night
    light.click("#theme")
    assert background(light) == bright


@pytest.mark.slow
def test_a_phone_shows_all_without_scrolling_sideways(look, file):
    page = look(file, viewport={"width": 390, "height": 844}, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("#highlights button").first.tap()
    assert page.locator("#detail .thumbnail").is_visible()
    # A finger on the picture scrolls the page; it does not zoom the triangle.
    assert page.evaluate("byId('simplex').layout.dragmode") is False


@pytest.mark.slow
def test_of_a_thousand_images_the_table_draws_one_page(look, tmp_path):
    run = report_run(
        with_scores(random_votes(1000)), portraits=[Pictures(grey_pictures)]
    )
    page = look(write_report(render_report([run]), tmp_path / "r.html"))
    assert len(points(page)) == 1000
    assert len(column(page, "image")) == 20  # or it would open slowly
    assert page.inner_text("#page") == "page 1 of 50"


@pytest.mark.slow
@pytest.mark.parametrize(
    "votes",
    [
        pytest.param(lambda: random_votes(30, labels=False), id="no labels"),
        pytest.param(lambda: random_votes(1), id="one image"),
        pytest.param(lambda: random_votes(20, classes=2), id="two classes"),
        pytest.param(lambda: random_votes(50, classes=1000), id="many classes"),
        pytest.param(lambda: undecided(8), id="all abstain"),
    ],
)
def test_odd_runs_open_too(look, tmp_path, votes):
    run = report_run(votes())
    page = look(write_report(render_report([run]), tmp_path / "r.html"))
    assert len(points(page)) == len(run.certificates[0])
    assert page.locator(".thumbnail").count() == 0
    page.click("#next")
    assert "(pinned)" in page.inner_text("#detail h3")
    if run.certificates[0].labels is None:
        assert "correct" not in summary(page)
        assert "Share certified" in page.inner_text("#curve-title")


def undecided(images):
    votes = random_votes(images, classes=4)
    return replace(votes, counts=np.full((images, 4), 500))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["reported", "cohen"])
def test_what_a_log_reports_is_not_said_in_our_own_name(look, tmp_path, name):
    log = by_hand({name: [0.5]}, labels=[0], mechanism=name)
    run = ReportRun(name="log", certificates=[log], digest="")
    page = look(write_report(render_report([run]), tmp_path / "r.html"))
    text = page.inner_text("#detail-body")
    hearsay = "According to a log, whose votes are not known, the smoothed classifier"
    assert (hearsay in text) == (name == "reported")
    assert "he smoothed classifier answers “0” for every input closer than 0.5" in text


@pytest.mark.slow
def test_what_is_asymptotic_is_not_said_to_be_certain(look, tmp_path):
    votes = random_votes(1, seed=1)
    run = ReportRun(
        name="run",
        certificates=[certify(votes, procedure="goodman", asymptotic=True)],
        digest=votes.digest,
    )
    page = look(write_report(render_report([run]), tmp_path / "page.html"))
    said = "No certificate. Asymptotically, without a guarantee: the smoothed"
    assert said in page.inner_text("#detail-body")


@pytest.mark.slow
def test_a_large_run_says_that_it_is_sampled(look, tmp_path):
    run = report_run(random_votes(3000))
    file = write_report(render_report([run], most_images=100), tmp_path / "r.html")
    page = look(file)
    listed = len(points(page))
    assert f"This page lists {listed} of the run's 3,000 images" in page.inner_text(
        "#listed"
    )


def test_data_are_json_that_a_browser_takes(page, runs):
    assert page.evaluate("page.runs.length") == len(runs)
    assert json.loads(page.inner_text("#data"))


@pytest.mark.slow
def test_of_a_run_that_stops_images_csv_and_table_have_its_columns(look, tmp_path):
    [run] = load_runs([stopped_run(tmp_path / "mine").path])
    page = look(write_report(render_report([run]), tmp_path / "page.html"))
    with page.expect_download() as download:
        page.click("#download")
    read = pd.read_csv(download.value.path(), keep_default_na=False)
    table = run.certificates[0].table()
    pd.testing.assert_frame_equal(read, table, check_exact=True, check_dtype=False)
    shown = table.iloc[: len(column(page, "draws"))]
    assert column(page, "draws") == [f"{draws:,}" for draws in shown["draws"]]
    assert column(page, "until 0.25") == shown["until 0.25"].tolist()


@pytest.mark.slow
def test_of_a_pinned_image_the_certified_confidence_is_shown(look, tmp_path):
    [run] = load_runs([led_run(tmp_path / "led").path], procedure="margins")
    made, radii = run.certificates[0], [0.0, 0.125, 0.25, 3.0]
    file = write_report(render_report([run], radii=radii), tmp_path / "page.html")
    page = look(file)
    page.click("#images button.link:text-is('9')")
    shown = page.locator(".confidence tbody tr, .confidence > tr")
    cells = [row.locator("th, td").all_inner_texts()[:2] for row in shown.all()]
    assert [float(radius) for radius, _ in cells] == radii[:3]  # 3 is not certified
    for radius, least in cells:
        exact = made.confidence(float(radius))[1]
        assert 0 <= exact - float(least) < 1e-4
    said = page.inner_text(".confidence .note")
    assert "by itself is false with probability at most 0.001" in said


def test_without_margins_there_is_no_confidence(page):
    assert page.locator("#detail h3").count() == 1
    assert page.locator(".confidence").count() == 0


@pytest.fixture
def kinds(look, tmp_path):
    """A page of a table, signals, texts and blocks of numbers; and the table's run."""
    unit = Unit(name="deviations", scale=(3.0, 0.02), offset=(10.0, 0.5))
    rows = replace(
        as_dataset(np.array([[16.0, 0.5], [10.0, 0.58]]), None),
        features=("height", XSS),
    )
    sounds = as_dataset(np.sin(np.arange(1200.0)).reshape(2, 2, 300), None)
    texts = [XSS, "a second text"]
    sentences = replace(as_dataset(np.eye(2), None), texts=texts.__getitem__)
    blocks = as_dataset(np.arange(240.0).reshape(2, 2, 3, 4, 5), None)
    runs = []
    for name, dataset in {"t": rows, "s": sounds, "w": sentences, "b": blocks}.items():
        path, _ = run_of(
            tmp_path, dataset, unit=unit if name == "t" else None, name=name
        )
        runs += load_runs([path], alpha=0.1, dataset=dataset)
    return look(write_report(render_report(runs), tmp_path / "page.html")), runs[0]


def test_inputs_without_pictures_show_what_they_have(kinds):
    page, run = kinds
    assert summary(page).startswith("2 of 2 inputs: certified 2")
    page.click("#images button.link:text-is('1')")
    rows = page.locator(".features tbody tr").all()
    cells = [row.locator("th, td").all_inner_texts() for row in rows]
    assert [row[0] for row in cells] == [XSS, "height"]
    assert [row[1] for row in cells] == ["+4", "+0"]
    radius = run.certificates[0].radius[1]
    for (_, _, text), value, scale in zip(
        cells, ("0.58", "10"), (0.02, 3), strict=True
    ):
        said, alone = text.split(" ± ")
        assert said == value
        assert 0.999 * radius * scale < float(alone) <= radius * scale
    assert "(l2 distance in deviations)" in page.inner_text("#detail-body")
    assert page.evaluate("byId('curve').layout.xaxis.title.text").endswith("deviations")

    page.select_option("#run", label="s")
    assert page.locator("#detail svg.waveform polyline").count() == 2
    assert page.locator("#images svg.waveform").count() == 2
    page.select_option("#run", label="w")
    assert page.inner_text("#detail blockquote") == XSS
    assert column(page, "text") == [XSS, "a second text"]
    page.select_option("#run", label="b")
    assert "2 × 3 × 4 × 5 numbers from 0 to 119" in page.inner_text("#detail-body")
    assert page.locator("img").count() == 0


@pytest.mark.slow
def test_runs_in_other_units_are_not_on_one_axis(look, tmp_path):
    rows = as_dataset(np.eye(2), None)
    runs = []
    for name, scale in {"one": 1.0, "two": 2.0, "same": 1.0}.items():
        unit = Unit(name="volts", scale=(scale, 1.0))
        path, _ = run_of(tmp_path, rows, unit=unit, name=name)
        runs += load_runs([path], alpha=0.1)
    page = look(write_report(render_report(runs), tmp_path / "page.html"))
    page.select_option("#curves", "runs")
    names = page.evaluate(
        "byId('curve').data.filter(t => t.customdata).map(t => t.name)"
    )
    assert names == ["one", "same"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0012349, "0.001234"),
        (1234.9, "1234"),
        (0.3, "0.2999"),  # a product that is 0.3 may have been rounded up
        (7e-12, "0.000000000006999"),
        (0, "0"),
    ],
)
def test_few_digits_are_never_more(page, value, said):
    assert page.evaluate(f"significantDown({value})") == said


def test_what_a_verifier_proved_is_beside_each_image(look, runs, tmp_path):
    certificates = runs[0].certificates[0]
    verified = Verified(
        path=tmp_path / f"{XSS}.csv".replace("/", "_"),
        network=XSS,
        norm="l2",
        unit="",
        indices=certificates.indices,
        radius=np.linspace(0, 1, len(certificates)),
        falsified=np.full(len(certificates), np.nan),
        predicted=certificates.labels,
    )
    run = replace(runs[0], verified=verified)
    file = write_report(render_report([run, runs[1]]), tmp_path / "r.html")
    page = look(file)
    page.wait_for_selector("#beside-0 .scatterlayer")
    drawn = page.evaluate("byId('beside-0').data.slice(1)")
    assert sum(len(trace["x"]) for trace in drawn) == len(certificates)
    for trace in drawn:
        rows = trace["customdata"]
        np.testing.assert_array_equal(trace["x"], verified.radius[rows])
        np.testing.assert_array_equal(trace["y"], certificates.radius[rows])
    titles = page.evaluate(
        "['xaxis', 'yaxis'].map((axis) => byId('beside-0').layout[axis].title.text)"
    )
    assert titles == [
        "f, base: l2 radius (proved)",
        "g, smoothed: l2 radius (alpha 0.001)",
    ]
    page.evaluate("show(1, 0)")
    page.evaluate("byId('beside-0').emit('plotly_click', {points: [{customdata: 5}]})")
    assert page.evaluate("[state.run, view().image[state.pinned]]") == [
        0,
        int(certificates.indices[5]),
    ]
