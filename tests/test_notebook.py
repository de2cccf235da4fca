"""What a notebook and a REPL show of votes and certificates."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from synthetic import manifest
from voted import by_hand, random_votes

from simplicert.certificates.certify import certify
from simplicert.noises import Noise
from simplicert.notebook import table_html
from simplicert.units import Unit
from simplicert.votes import DataSource


def cells(shown):
    return [
        [unescape(cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in re.findall(r"<tr>(.*?)</tr>", shown)
    ]


def test_a_line_says_what_they_are():
    votes = random_votes()
    assert repr(votes) == (
        "Votes: 400 images × 2,000 draws, 6 classes, gaussian noise of sigma 0.25"
    )
    made = by_hand({"cohen": [0.1234567, 0.9, 0.0]})
    assert repr(made) == (
        "Certificates: 3 images × 1,000 draws, gaussian noise of sigma 0.5, "
        "clopper_pearson at alpha 0.001; cohen certifies 66.6%, median l2 radius 0.123"
    )
    unit = Unit(name="volts", scale=(2.0, 3.0))
    other = replace(made, data=DataSource(name="d", digest="", shape=[2], unit=unit))
    assert "3 inputs × 1,000 draws" in repr(other)
    assert repr(other).endswith("median l2 radius in volts 0.123")
    assert cells(other._repr_html_())[0][0] == "input"
    assert "l2 radius in volts" in cells(other._repr_html_())[0]
    source = other.data
    votes = replace(votes, manifest=manifest(data=source, sigma=0.25))
    assert repr(votes).startswith("Votes: 400 inputs ×")
    assert repr(votes).endswith("of sigma 0.25 in volts")
    assert repr(made[[]]).endswith("at alpha 0.001")
    assert repr(made[0]).startswith("Certificates: 1 of 3 images")
    assert repr(random_votes(1)).startswith("Votes: 1 image ×")


@pytest.mark.parametrize("images", [0, 1, 9, 10, 11, 400])
@pytest.mark.parametrize("labels", [True, False])
def test_ten_rows_at_most_the_first_and_the_last(images, labels):
    votes = random_votes(400, labels=labels)[:images]
    for table in (votes, certify(votes)):
        head, *body = cells(table._repr_html_())
        assert head[0] == "image"
        assert ("label" in head) == labels
        shown = [row[0] for row in body]
        expected = [str(index) for index in votes.indices]
        if images > 10:
            expected = [*expected[:5], "⋮", *expected[-5:]]
        assert shown == expected
        assert all(len(row) == len(head) for row in body)


def test_radii_are_rounded_down_and_upper_bounds_up():
    made = by_hand(
        {"cohen": [0.99999, 0.0]},
        e0_lower=np.array([0.45999, 0.2]),
        e1_upper=np.array([0.10001, np.nan]),
    )
    _, first, second = cells(made._repr_html_())
    assert first[1:] == ["0", "0.9999", "0.4599", "0.1001"]
    assert second[1:] == ["not separated", "0.0000", "0.2000", "–"]


def test_the_two_classes_with_most_votes():
    votes = replace(random_votes(3, classes=3), counts=np.array([[5, 90, 8]] * 3))
    head, first, *_ = cells(votes._repr_html_())
    row = dict(zip(head, first, strict=True))
    assert (row["top"], row["votes of top"]) == ("1", "90")
    assert (row["runner_up"], row["votes of runner_up"]) == ("2", "8")


def test_text_is_only_text():
    shown = table_html("<b>", {"<i>": ["<script>"]}, count=1)
    assert not re.search("<(b|i|script)>", shown)
    assert cells(shown) == [["<i>"], ["<script>"]]
    odd = replace(random_votes(3), noise=Noise("ünïcode", "l2"))
    assert "ünïcode" in odd._repr_html_()
