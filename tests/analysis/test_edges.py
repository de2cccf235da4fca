"""Every table of every odd set of votes: no warning, no crash, sane shares."""

from dataclasses import replace

import numpy as np
import pytest
from voted import random_votes

from simplicert import analysis
from simplicert.certificates.certify import certify

UNDECIDED = replace(random_votes(20), counts=np.full((20, 6), 333))
ODD = {
    "one image": random_votes(1, seed=3),
    "no labels": random_votes(30, labels=False),
    "all abstain": UNDECIDED,
    "two classes": random_votes(30, classes=2),
    "a thousand classes": random_votes(30, classes=1000),
    "all unanimous": replace(
        random_votes(5), counts=np.eye(6, dtype=int)[np.zeros(5, int)] * 2000
    ),
    "draws that voted for no class": replace(random_votes(10), draws=np.full(10, 4000)),
}
TABLES = [
    analysis.table1,
    analysis.table2,
    analysis.average_certified_radius,
    analysis.abstentions,
    analysis.per_class,
    analysis.region_shares,
    analysis.simplex_density,
    lambda c: analysis.times([c], repeats=1),
    lambda c: analysis.against_draws([c]),
    lambda c: analysis.certified_accuracy(c, analysis.curve_radii(c)),
    lambda c: analysis.improvement_survival(c, np.linspace(0, 100, 5)),
    lambda c: analysis.paired_tests(analysis.compare_runs(c, c)),
    lambda c: analysis.comparison_summary(analysis.compare_runs(c, c)),
]


@pytest.mark.parametrize("votes", ODD.values(), ids=ODD)
def test_every_table_of_odd_votes(votes):
    certificates = certify(votes)
    for make in TABLES:
        table = make(certificates)
        assert len(table) > 0
        for name in table:
            if "share" in str(name) and name != "share_of_draws":
                assert table[name].dropna().between(0, 1).all()
        for form in ("text", "markdown", "latex", "csv"):
            assert analysis.format_table(table, form).endswith("\n")


def test_nothing_certified_is_a_share_of_zero_not_an_error():
    certificates = certify(UNDECIDED)
    table = analysis.table1(certificates)
    assert (table["median_radius"] == 0).all()
    assert (table["largest"].dropna() == 0).all()
    assert analysis.table2(certificates)["p_value"].isna().all()
    assert set(analysis.abstentions(certificates).query("images > 0")["reason"]) == {
        "tie"
    }
