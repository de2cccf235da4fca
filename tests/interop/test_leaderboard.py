"""The record for the public board: its fields, and what it rests on in the comment."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import simplicert as sc
from simplicert.errors import InputError
from simplicert.interop import certify_path, leaderboard_record
from simplicert.noises import Noise
from simplicert.units import Unit

RUN = Path(__file__).parents[2] / "results" / "cifar10" / "resnet110-0.50"


@pytest.fixture(scope="module")
def certificates():
    return certify_path(RUN)


def test_a_record_has_the_board_s_fields_and_all_that_it_rests_on(certificates):
    found = leaderboard_record(
        certificates, radius=0.25, also=[0.5, 1], title="A paper", link="https://x.test"
    )
    assert found["setting"] == r"CIFAR-10,&nbsp; \(\ell_2\),&nbsp; \(\epsilon=0.25\)"
    [record] = found["records"]
    assert list(record) == ["score", "title", "link", "venue", "prob", "comment"]
    correct = certificates.correct
    shares = [
        100 * np.mean(correct & (certificates.radius >= r)) for r in (0.25, 0.5, 1)
    ]
    score = float(record["score"].removesuffix("%"))
    assert shares[0] - 0.01 < score <= shares[0]
    assert record["prob"] is True
    assert record["venue"] is None
    assert record["comment"] == (
        "500 images of cifar10/test; n = 10,000 draws an image; alpha = 0.001 an "
        "image; gaussian-float32 noise of sigma 0.5; multinomial expectations bounded "
        "by clopper_pearson; mechanism neyman_pearson; "
        "model resnet110-0.50.safetensors; "
        f"certified accuracy {shares[1]:.2f}% at 0.5, {shares[2]:.2f}% at 1"
    )


def test_it_is_written_as_the_board_s_file_has_it(simplicert, tmp_path):
    out = tmp_path / "record.json"
    command = ("export", "leaderboard", RUN, "--radius", 0.25, "-o", out)
    code, said, err = simplicert(*command)
    assert code == 0
    assert said.startswith(f"{out}: ")
    assert "the board wants title and link: --title --link" in err
    text = out.read_text("utf-8")
    # The board's own file has this, in YAML, of which JSON is a part.
    assert r'"CIFAR-10,&nbsp; \\(\\ell_2\\),&nbsp; \\(\\epsilon=0.25\\)"' in text
    [group] = json.loads(text)
    assert "% at 0.5, " in group["records"][0]["comment"]
    code, _, err = simplicert(*command, "--title", "x", "--link", "y", "--radii", 1)
    assert (code, err) == (0, "")
    assert "certified accuracy" in out.read_text("utf-8")


def test_the_page_shows_what_the_command_writes(certificates):
    page = (RUN.parents[2] / "docs" / "exchange.md").read_text("utf-8")
    [shown] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert json.loads(shown) == [
        leaderboard_record(certificates, radius=0.25, also=[0.5, 1])
    ]


def test_what_the_board_does_not_take_is_refused(certificates, simplicert, tmp_path):
    other = Noise("mine", "none", fill=lambda values, generator: None)
    for wrong, words in (
        (replace(certificates, labels=None), "have no labels"),
        (replace(certificates, alpha=0.01), "at alpha 0.01: certify the same votes at"),
        (replace(certificates, asymptotic=True), "is asymptotic"),
        (replace(certificates, noise=other), "none of none balls"),
        (certificates[:0], "have no labels"),
    ):
        with pytest.raises(sc.InputError, match=words):
            leaderboard_record(wrong, radius=0.25)
    for radius in (0, -1, np.nan):
        with pytest.raises(sc.InputError):
            leaderboard_record(certificates, radius=radius)
    command = ("export", "leaderboard", RUN, "--radius", 0.25, "-o", tmp_path / "x.txt")
    assert simplicert(*command)[0] == 2


def test_images_that_were_chosen_are_said_to_be(certificates):
    found = leaderboard_record(certificates[:10], radius=0.25)
    comment = found["records"][0]["comment"]
    assert comment.startswith("10 of 500 images of cifar10/test; ")


def test_radii_in_another_unit_are_refused(certificates):
    data = certificates.data.model_copy(update={"unit": Unit(name="levels", high=255)})
    with pytest.raises(InputError, match="these are in levels"):
        leaderboard_record(replace(certificates, data=data), radius=0.25)
