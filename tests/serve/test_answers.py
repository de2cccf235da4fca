"""Answers are the library's certificates of the votes in the log, and nothing else."""

import numpy as np
import pytest
from served import (
    Brightness,
    Gate,
    asked,
    from_log,
    grey,
    journal,
    npy,
    png,
    prepared,
    running,
    sent,
)

from simplicert.rounding import round_down
from simplicert.serve.app import full_step

MEANS = (0.0, 0.2, 0.29, 0.31, 0.5, 0.69, 0.72, 1.0)


def check(answers, rows):
    """Answers against certificates of what is in the log."""
    assert len(answers) == len(rows)
    for answer, row in zip(answers, rows, strict=True):
        predicted = int(row.predicted[0])
        assert answer["predicted"] == (None if predicted < 0 else predicted)
        assert (answer["abstention"] or "") == row.abstention[0]
        assert answer["radius"] == round_down(row.radius, 6)[0]
        assert answer["draws"] == row.draws[0]
        assert answer["e0_lower"] <= row.e0_lower[0] < answer["e0_lower"] + 2e-6
        assert answer["e1_upper"] >= row.e1_upper[0] > answer["e1_upper"] - 2e-6


def test_every_answer_is_the_certificate_of_the_votes_in_its_log(service, tmp_path):
    several = [
        asked(grey(*MEANS)),
        *(asked(grey(mean)) for mean in MEANS),
        sent(npy(grey(0.9, 0.1)), "application/x-npy"),
        sent(png(np.full((4, 4), 250, np.uint8)), "image/png"),
    ]
    with running(service, tmp_path / "log", size=12) as there:
        told = [response.json() for response in there.together(*several)]
    by_request = {}
    shifts = sorted((tmp_path / "log").iterdir())
    shifts = [shift for shift in shifts if not shift.name.startswith(".")]
    assert [shift.name for shift in shifts] == ["0001", "0002"]
    for shift in shifts:
        rows = from_log(shift, service)
        requests, ends = journal(shift)
        assert set(ends.values()) == {"answered"}
        for request, numbers in requests.items():
            found = by_request.setdefault(request, [])
            found += [rows[number] for number in numbers]
    for answer in told:
        check(answer["answers"], by_request.pop(answer["request"]))
    assert not by_request
    radii = [answer["radius"] for answer in told[0]["answers"]]
    assert 0.0 in radii
    assert max(radii) > 0.5
    assert told[0]["answers"][0]["name"] == "dark"


def test_triage_puts_each_radius_in_its_band(service, tmp_path):
    assert service.bands == ("abstains", "below 0.1", "0.1 to 0.5", "0.5 and more")
    bands = [service.band(radius) for radius in (0.0, 0.05, 0.1, 0.3, 0.5, 2.0)]
    assert bands == [*service.bands[:3], "0.1 to 0.5", *[service.bands[3]] * 2]
    with running(service) as there:
        answers = there.ask(grey(*MEANS)).json()["answers"]
    for answer in answers:
        assert answer["band"] == service.band(answer["radius"])


def test_no_more_draws_are_made_than_decide_the_band(service):
    with running(service) as there:
        sure, hard = there.ask(grey(0.0, 0.30)).json()["answers"]
    assert sure["draws"] < hard["draws"] <= 1000
    with running(prepared(triage=())) as there:
        [answer] = there.ask(grey(0.0)).json()["answers"]
    assert answer["band"] is None
    assert answer["draws"] < sure["draws"]  # a class is decided sooner than a radius


def test_those_who_wait_share_passes():
    model = Gate()
    service = prepared(model)
    with running(service) as there:
        model.open.clear()
        waiting = there.desk.submit(list(grey(0.0)), "first")
        waiting += there.desk.submit(list(grey(*np.linspace(0, 1, 20))), "others")
        drawn = []
        there.desk._told.drawn = lambda draws, inputs: drawn.append((draws, inputs))
        model.open.set()
        for each in waiting:
            each.answer.result(60)
    assert max(inputs for _, inputs in drawn) >= 20
    assert max(draws for draws, _ in drawn) > 20 * 30


def test_equal_inputs_have_noise_of_their_own(service):
    with running(service) as there:
        first, second = there.ask(grey(0.27, 0.27)).json()["answers"]
        [third] = there.ask(grey(0.27)).json()["answers"]
    shares = {(each["e0"], each["draws"]) for each in (first, second, third)}
    assert len(shares) > 1


def test_draws_that_are_not_finite_are_for_no_class():
    class Sometimes(Brightness):
        def forward(self, x):
            # As a model may: for some noise on some inputs.
            logits = super().forward(x)
            return torch.where(x.amax((1, 2, 3))[:, None] > 2.3, torch.nan, logits)

    import torch

    with running(prepared(Sometimes())) as there:
        many, none = there.ask(grey(1.0, 0.0)).json()["answers"]
    assert many["e0"] < none["e0"]


@pytest.mark.parametrize("step", [0.25, 0.5, 1.0, 8.0])
def test_with_hidden_radii_answers_leave_at_few_times(step):
    assert full_step(step) == step
    assert full_step(step * 0.99) == step
    assert full_step(step * 1.01) == 2 * step
