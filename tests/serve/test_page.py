"""The page in a real browser: what somebody sees who tries an input."""

import json
import os
import shutil

import pytest
from served import grey, png, prepared, running

CHROMIUM = shutil.which("chromium")
PATIENCE = 600_000
URL = "http://service/"


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        missing = "no chromium here: apt-get install chromium"
        pytest.fail(missing) if os.environ.get("CI") else pytest.skip(missing)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--no-first-run"],
            timeout=PATIENCE,
        )
        yield chromium
        chromium.close()


def opened(browser, there):
    """A page whose requests the service in this process answers."""
    page = browser.new_context().new_page()
    page.set_default_timeout(PATIENCE)
    page.trouble = []
    page.on("console", lambda message: page.trouble.append(message.text))
    page.on("pageerror", lambda error: page.trouble.append(str(error)))

    def answer(route):
        request = route.request
        if not request.url.startswith(URL):
            page.trouble.append(request.url)
        response = responses[request.url, request.post_data_buffer]
        route.fulfill(
            status=response.status_code,
            headers=dict(response.headers),
            body=response.content,
        )

    responses = Responses(there)
    page.route("**/*", answer)
    page.goto(URL)
    return page


class Responses:
    """What the service answers: asked in a thread, as Playwright has a loop here."""

    def __init__(self, there):
        self.there = there

    def __getitem__(self, key):
        from concurrent.futures import ThreadPoolExecutor

        url, content = key
        path = url.removeprefix(URL.rstrip("/"))
        request = {"method": "POST" if content else "GET", "url": path}
        if content:
            kind = "application/json" if content[:1] == b"{" else "image/png"
            request |= {"content": content, "headers": {"Content-Type": kind}}
        with ThreadPoolExecutor(1) as thread:
            [response] = thread.submit(self.there.together, request).result()
        response.headers.pop("content-length", None)
        return response


@pytest.mark.slow
def test_an_input_is_tried_and_what_is_shown_is_the_answer(browser, service, tmp_path):
    picture = tmp_path / "bright.png"
    picture.write_bytes(png((255 * grey(1.0)[0, 0]).astype("uint8")))
    with running(service) as there:
        page = opened(browser, there)
        page.wait_for_selector("#simplex .heatmaplayer")
        page.set_input_files("#file", picture)
        page.wait_for_selector("#result:not([hidden])")
        assert page.text_content("#class") == "bright"
        assert page.text_content("#radius").startswith("radius 0.5")
        assert page.text_content("#band") == "0.5 and more"
        assert "every input less than 0.5" in page.text_content("#means")
        page.click("summary")
        page.fill("#numbers", json.dumps(grey(0.3)[0].tolist()))
        page.click("#send")
        page.wait_for_selector("#class.abstains")
        assert "nothing is promised" in page.text_content("#means")
        assert page.text_content("#radius") == ""
        page.fill("#numbers", "1, 2")
        page.click("#send")
        assert "16 numbers" in page.text_content("#error")
        assert not page.is_visible("#result")
        text = page.text_content("main")
        assert "It is no detector of attacks." in text
        assert "about the smoothed classifier" in text
        assert page.trouble == []


@pytest.mark.slow
def test_with_hidden_radii_the_page_shows_a_decision(browser, monkeypatch):
    monkeypatch.setattr("simplicert.serve.app._STEP", 1e-9)
    with running(prepared(triage=(), hide=True)) as there:
        page = opened(browser, there)
        page.click("summary")
        page.fill("#numbers", json.dumps(grey(0.0)[0].tolist()))
        page.click("#send")
        page.wait_for_selector("#result:not([hidden])")
        assert page.text_content("#class") == "class 0"
        assert page.text_content("#radius") == ""
        assert page.text_content("#band") == ""
        assert page.trouble == []


def test_nothing_of_a_model_s_name_becomes_part_of_the_page(service):
    from dataclasses import replace

    from simplicert.serve.page import render_page

    name = "<script>alert(1)</script>"
    model = service.plan.model.model_copy(update={"name": name})
    plan = service.plan.model_copy(update={"model": model})
    html, policy = render_page(replace(service, plan=plan, hide=True, triage=()))
    assert name not in html
    assert "default-src 'none'" in policy
