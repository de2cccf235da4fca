"""Tables 1 and 2 by another route: loops, ranks by hand, pandas."""

import numpy as np
import pandas as pd
import pytest
from voted import by_hand, random_votes

from simplicert.analysis import (
    improvement_survival,
    largest_shares,
    table1,
    table2,
)
from simplicert.analysis.signed_rank import signed_rank
from simplicert.certificates.certify import certify
from simplicert.errors import InputError

PAPER = ["lecuyer", "li", "cohen", "cullen"]


@pytest.fixture(scope="module")
def certificates():
    return certify(random_votes())


def test_table1_from_the_table_of_images(certificates):
    images = certificates.table()
    best = images[PAPER].max(axis=1)
    table = table1(certificates).set_index("mechanism")
    assert list(table.index) == [*PAPER, "ensemble", "neyman_pearson"]
    for name, row in table.iterrows():
        assert row["top1"] == (images["top"] == images["label"]).mean()
        assert row["median_radius"] == images[name].median()
        assert row["above_0.05"] == (images[name] > 0.05).sum() / len(images)
        if name in PAPER:  # no ties among random images
            wins = (images[name] == best) & (best > 0)
            assert row["largest"] == pytest.approx(wins.mean())
        else:
            assert np.isnan(row["largest"])
    assert table["images"].eq(400).all()
    assert table["draws"].eq(2000).all()
    assert table["sigma"].eq(0.25).all()
    assert table["alpha"].eq(0.001).all()


def test_a_tie_is_split_and_an_image_without_a_certificate_is_nobodys():
    certificates = by_hand(
        {
            "li": [1.0, 0.5, 0.0, 0.3],
            "cohen": [1.0 + 1e-12, 0.5, 0.0, 0.2],
            "cullen": [0.9, 0.5, 0.0, 0.1],
            "ensemble": [9.0, 9.0, 9.0, 9.0],
        }
    )
    shares = largest_shares(certificates)
    assert shares == pytest.approx(
        {"li": (1 / 2 + 1 / 3 + 1) / 4, "cohen": (1 / 2 + 1 / 3) / 4, "cullen": 1 / 12}
    )
    assert sum(shares.values()) == pytest.approx(3 / 4)


def test_table1_without_labels_and_without_images():
    assert table1(certify(random_votes(labels=False)))["top1"].isna().all()
    # A log that does not say what the top class of its abstention is.
    log = by_hand(
        {"reported": [0.5, 0.0]}, labels=[0, 1], top=[0, -1], mechanism="reported"
    )
    assert table1(log)["top1"].isna().all()
    with pytest.raises(InputError, match="no images"):
        table1(by_hand({"cohen": []}))


def test_table2_by_ranks_and_pandas(certificates):
    images = certificates.table()
    images = images[images["cohen"] > 0]
    table = table2(certificates).set_index("mechanism")
    assert list(table.index) == [
        "lecuyer",
        "li",
        "cullen",
        "ensemble",
        "neyman_pearson",
    ]
    for name, row in table.iterrows():
        gain = images[name] - images["cohen"]
        gain = gain.where(gain.abs() > 1e-9 * images["cohen"], 0.0)
        percent = 100 * gain / images["cohen"]
        statistic = gain.abs().rank()[gain > 0].sum()
        assert (row["statistic"], row["p_value"]) == signed_rank(gain.to_numpy())
        assert row["statistic"] == statistic
        assert row["images"] == len(images)
        assert row["improved"] == gain.gt(0).mean()
        assert row["median_gain"] == pytest.approx(gain.median())
        assert row["mean_gain"] == pytest.approx(gain.mean())
        assert row["median_gain_percent"] == pytest.approx(percent.median())
        assert row["mean_gain_percent"] == pytest.approx(percent.mean())


def test_one_image_that_gains_among_a_hundred_is_a_toss_of_a_coin():
    radius = np.linspace(0.1, 1, 100)
    table = table2(by_hand({"cohen": radius, "cullen": radius + (radius == 1)}))
    assert table["p_value"].tolist() == [0.5]


@pytest.mark.parametrize("images", [1, 2, 12, 60])
def test_no_difference_at_all_has_p_value_one(images):
    radius = np.linspace(0.1, 1, images)
    table = table2(by_hand({"cohen": radius, "ensemble": radius * (1 + 1e-13)}))
    assert table[["p_value", "statistic", "improved", "mean_gain"]].iloc[
        0
    ].tolist() == [
        1.0,
        0.0,
        0.0,
        0.0,
    ]


def test_table2_where_the_baseline_certifies_nothing():
    table = table2(by_hand({"cohen": [0.0, 0.0], "cullen": [0.5, 0.1]}))
    assert table["images"].tolist() == [0]
    assert table[["p_value", "improved", "median_gain_percent"]].isna().all(axis=None)


def test_a_small_table2_by_hand():
    table = table2(by_hand({"cohen": [1.0, 2.0, 0.0], "cullen": [1.5, 2.0, 3.0]}))
    row = table.iloc[0]
    assert (row["images"], row["improved"]) == (2, 0.5)
    assert (row["median_gain"], row["mean_gain"]) == (0.25, 0.25)
    assert (row["median_gain_percent"], row["mean_gain_percent"]) == (25.0, 25.0)


def test_survival_is_one_minus_the_empirical_distribution(certificates):
    percents = np.array([-50.0, 0.0, 10.0, 100.0])
    table = improvement_survival(certificates, percents)
    images = certificates.table()
    images = images[images["cohen"] > 0]
    for row in table.itertuples():
        ratio = images[row.mechanism] / images["cohen"] - 1
        assert row.share == pytest.approx((ratio > row.percent / 100 + 1e-9).mean())
    assert isinstance(table, pd.DataFrame)


def test_an_unknown_baseline_is_named(certificates):
    with pytest.raises(InputError, match="did you mean 'cohen'"):
        table2(certificates, baseline="cohn")


def test_a_baseline_of_the_other_framework_is_known():
    few = by_hand({"cohen": [0.5], "cullen": [0.4]}, framework="softmax")
    message = "li does not apply to softmax .* gaussian noise.* They have: cohen, cul"
    with pytest.raises(InputError, match=message):
        table2(few, baseline="li")


def test_draws_are_whole_where_all_images_have_as_many():
    assert table1(by_hand({"cohen": [0.5, 0.4]}))["draws"].dtype == int
    other = by_hand({"cohen": [0.5, 0.4]}, draws=np.array([10, 25]))
    assert table1(other)["draws"].tolist() == [17.5]
