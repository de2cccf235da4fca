"""Where the draws went: every image and every draw once."""

import numpy as np
import pytest
from looked import stopped_run
from voted import by_hand, random_votes

from simplicert.analysis import spending, stops
from simplicert.certificates import certify
from simplicert.interop import certify_path
from simplicert.votes import Look


def test_by_hand():
    made = by_hand(
        {"cohen": [0.5, 0.5, 0.0]},
        draws=np.array([10, 10, 40]),
        looks=(Look(10, 0.25), Look(20, 0.25), Look(40, 0.5)),
        decided=np.array([True, False, True]),
    )
    assert stops(made).to_dict("list") == {
        "look": [1, 2, 3],
        "draws": [10, 20, 40],
        "share_of_alpha": [0.25, 0.25, 0.5],
        "images": [2, 0, 1],
        "spent": [20, 0, 40],
    }
    assert spending(made).to_dict("records") == [
        {
            "images": 3,
            "decided": 2,
            "spent": 60,
            "draws": 20.0,
            "fixed": 120,
            "fewer_by": 2.0,
        }
    ]


def test_every_image_and_every_draw_is_counted_once(tmp_path):
    made = certify_path(stopped_run(tmp_path / "run").path)
    table, [cost] = stops(made), spending(made).to_dict("records")
    assert table["images"].sum() == cost["images"] == len(made)
    assert table["spent"].sum() == cost["spent"] == made.draws.sum()
    assert cost["fixed"] == 1000 * len(made)


def test_of_a_fixed_number_of_draws_nothing_is_saved():
    [cost] = spending(certify(random_votes(7))).to_dict("records")
    assert cost["fewer_by"] == 1.0
    assert np.isnan(cost["decided"])


def test_of_no_images_there_is_nothing_to_say():
    [cost] = spending(by_hand({"cohen": []})).to_dict("records")
    assert cost["spent"] == cost["fixed"] == 0
    assert cost["fewer_by"] == pytest.approx(np.nan, nan_ok=True)
