"""The page in a real browser: what somebody sees who tries an input."""

import json
from dataclasses import replace

import numpy as np
import pytest
from served import grey, png, prepared, running
from torch import nn

from simplicert.units import Unit

PATIENCE = 600_000
URL = "http://service/"


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


@pytest.mark.slow
def test_named_features_are_fields_and_no_digit_of_an_example_is_lost(browser):
    unit = Unit(name="standard deviations", scale=(0.001, 3.0, 250.0))
    service = prepared(nn.Flatten(), shape=(3,), unit=unit, triage=())
    bodies = service.bodies
    like = replace(bodies.like, features=("dose", "age", "<b>"))
    with running(replace(service, bodies=replace(bodies, like=like))) as there:
        page = opened(browser, there)
        fields = page.locator("#features input")
        shown = [fields.nth(k).input_value() for k in range(3)]
        assert [float(text) for text in shown] == like.read(np.arange(1))[0].tolist()
        assert page.text_content("#features label:last-of-type span") == "<b>"
        fields.nth(2).fill("9e3")
        assert page.input_value("#numbers").endswith(", 9e3")
        page.click("#send")
        page.wait_for_selector("#result:not([hidden])")
        assert page.text_content("#class") == "class 2"
        assert not page.is_visible("#picture")
        fields.nth(1).fill("old")
        page.click("#send")
        assert page.text_content("#error") == "old is no number (age)"
        assert "0.001 (dose), 3 (age), 250 (<b>)" in page.text_content("main")
        assert page.trouble == []


def test_nothing_of_a_model_s_name_becomes_part_of_the_page(service):
    from simplicert.serve.page import render_page

    name = "<script>alert(1)</script>"
    model = service.plan.model.model_copy(update={"name": name})
    plan = service.plan.model_copy(update={"model": model})
    html, policy = render_page(replace(service, plan=plan, hide=True, triage=()))
    assert name not in html
    assert "default-src 'none'" in policy
