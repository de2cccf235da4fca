"""Abstentions and classes, counted again by pandas."""

from dataclasses import replace

import numpy as np
import pytest
from voted import by_hand, random_votes

from simplicert.analysis import abstentions, per_class
from simplicert.certificates.certify import certify


@pytest.fixture(scope="module")
def certificates():
    return certify(random_votes())


def test_every_image_has_one_reason(certificates):
    table = abstentions(certificates)
    assert (table.groupby("mechanism")["images"].sum() == 400).all()
    assert table["share"].to_numpy() == pytest.approx(table["images"] / 400)
    for mechanism, rows in table.groupby("mechanism"):
        counted = replace(certificates, mechanism=mechanism).table()["abstention"]
        expected = counted.replace("", "certified").value_counts()
        found = rows.set_index("reason")["images"]
        assert found[found > 0].to_dict() == expected.to_dict()


def test_the_reasons_by_hand():
    certificates = by_hand(
        {"cohen": [0.5, 0.0, 0.0, 0.0, 0.0]},
        e0=np.array([0.9, 0.45, 0.4, 0.3, 0.53]),
        e1=np.array([0.1, 0.1, 0.38, 0.3, 0.47]),
        e0_lower=np.array([0.8, 0.4, 0.35, 0.25, 0.5]),
        e1_upper=np.array([0.2, 0.15, 0.42, 0.35, 0.5]),
    )
    close = np.arange(5) == 4
    certificates = replace(certificates, refused=close)
    counted = abstentions(certificates).set_index("reason")["images"]
    assert counted.to_dict() == {
        "certified": 1,
        "mechanism": 1,
        "not separated": 1,
        "too close": 1,
        "tie": 1,
    }


def test_per_class_from_the_table_of_images(certificates):
    images = certificates.table()
    right = images["predicted"] == images["label"]
    table = per_class(certificates, class_names=[f"<{n}>" for n in range(6)])
    assert table["images"].sum() == 400
    for row in table.to_dict("records"):
        here = images["label"] == row["class"]
        assert row["name"] == f"<{row['class']}>"
        assert row["images"] == here.sum()
        assert row["top1"] == pytest.approx(
            (images["top"] == images["label"])[here].mean()
        )
        assert row["certified"] == pytest.approx(right[here].mean())
        assert row["abstained"] == pytest.approx(
            (images["predicted"] == -1)[here].mean()
        )
        counted = images["neyman_pearson"].where(right, 0.0)[here]
        assert row["median_radius"] == counted.median()
        assert row["average_radius"] == pytest.approx(counted.mean())


def test_without_labels_by_top_class():
    certificates = certify(random_votes(labels=False))
    table = per_class(certificates)
    assert "top1" not in table
    tops, counts = np.unique(certificates.top, return_counts=True)
    assert table["class"].tolist() == tops.tolist()
    assert table["images"].tolist() == counts.tolist()
