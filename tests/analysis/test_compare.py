"""Two runs on the same images: by hand, and by pandas on random ones."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, wilcoxon
from voted import by_hand, random_votes

from simplicert.analysis import (
    compare_runs,
    comparison_summary,
    format_table,
    paired_tests,
)
from simplicert.certificates.certify import certify
from simplicert.errors import InputError
from simplicert.units import Unit
from simplicert.votes import DataSource


def test_every_outcome_by_hand():
    before = by_hand(
        {"cohen": [0.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.4]}, labels=[0, 0, 0, 0, 0, 1, 0]
    )
    after = by_hand(
        {"cohen": [0.3, 0.0, 0.7, 0.2, 0.5 + 1e-12, 0.9, 0.4]},
        labels=[0, 0, 0, 0, 0, 1, 0],
        top=[0, 0, 0, 0, 0, 0, 2],  # the last image is now called class 2: wrong
    )
    table = compare_runs(before, after)
    assert table["outcome"].tolist() == [
        "gained",
        "lost",
        "larger",
        "smaller",
        "equal",
        "neither",  # wrong in both, whatever its radius
        "lost",
    ]
    assert table["change"].tolist() == pytest.approx([0.3, -0.5, 0.2, -0.3, 0, 0, -0.4])
    assert table["predicted_after"].tolist() == [0, -1, 0, 0, 0, 0, 2]
    summary = comparison_summary(table).set_index("outcome")
    assert summary["images"].to_dict() == {
        "gained": 1,
        "larger": 1,
        "equal": 1,
        "smaller": 1,
        "lost": 2,
        "neither": 1,
    }
    assert summary.loc["lost", "mean_change"] == pytest.approx(-0.45)


def test_order_does_not_matter_and_moves_are_of_the_same_image():
    before = certify(random_votes(seed=1))
    shuffled = np.random.default_rng(0).permutation(len(before))
    other = random_votes(seed=2)
    after = replace(certify(other), labels=before.labels)
    turned = replace(
        certify(
            replace(
                other,
                counts=other.counts[shuffled],
                indices=other.indices[shuffled],
                draws=other.draws[shuffled],
                labels=None,
            )
        ),
        labels=before.labels[shuffled],
    )
    plain = compare_runs(before, after)
    assert plain.equals(compare_runs(before, turned))
    joined = before.table().merge(after.table(), on="image", suffixes=("_a", "_b"))
    value = [
        joined[f"neyman_pearson_{run}"].where(
            joined[f"predicted_{run}"] == joined[f"label_{run}"], 0.0
        )
        for run in "ab"
    ]
    np.testing.assert_allclose(plain["change"], value[1] - value[0])
    for bound in ("e0_{}lower{}", "e1_{}upper{}"):
        for when, run in (("before_", "_a"), ("after_", "_b")):
            np.testing.assert_array_equal(
                plain[bound.format(when, "")], joined[bound.format("", run)]
            )
    tests = paired_tests(plain).iloc[0]
    gained = int(((value[0] == 0) & (value[1] > 0)).sum())
    lost = int(((value[0] > 0) & (value[1] == 0)).sum())
    assert (tests["gained"], tests["lost"]) == (gained, lost)
    mcnemar = min(2 * binom.cdf(min(gained, lost), gained + lost, 0.5), 1.0)
    assert tests["mcnemar_p"] == pytest.approx(mcnemar)
    change = value[1] - value[0]
    signed = wilcoxon(value[1], value[0], zero_method="pratt").pvalue
    assert tests["wilcoxon_p"] == pytest.approx(signed, rel=0.02)  # SciPy's is normal
    assert tests["mean_change"] == pytest.approx(change.mean())


@pytest.mark.parametrize(
    ("larger", "images", "p_value"),
    [(1, 100, 1.0), (3, 100, 0.25), (5, 100, 0.0625), (6, 1000, 0.03125)],
)
def test_few_images_that_differ_are_little_evidence(larger, images, p_value):
    before = np.linspace(0.5, 1.0, images)
    after = before + 0.1 * (np.arange(images) < larger)
    for pair in ((before, after), (after, before)):
        one, other = (by_hand({"cohen": radius}) for radius in pair)
        tests = paired_tests(compare_runs(one, other)).iloc[0]
        assert tests["wilcoxon_p"] == pytest.approx(p_value, rel=1e-12)


def test_printed_bounds_are_rounded_outward():
    one = by_hand(
        {"cohen": [0.5]}, e0_lower=np.array([0.9999]), e1_upper=np.array([1e-4])
    )
    shown = format_table(compare_runs(one, one).filter(regex="^e[01]_"))
    assert shown.splitlines()[-1].split() == ["0.999", "0.001", "0.999", "0.001"]


def test_a_run_against_itself_differs_in_nothing():
    certificates = certify(random_votes(labels=False))
    table = compare_runs(certificates, certificates)
    assert set(table["outcome"]) == {"equal", "neither"}
    assert "label" not in table
    tests = paired_tests(table).iloc[0]
    assert (tests["mcnemar_p"], tests["wilcoxon_p"]) == (1.0, 1.0)


def test_runs_that_cannot_be_compared_are_refused():
    one = by_hand({"cohen": [0.1, 0.2]}, labels=[0, 1])
    with pytest.raises(
        InputError, match="1 only in the first and 1 only in the second"
    ):
        compare_runs(one, replace(one, indices=np.array([0, 5])))
    with pytest.raises(InputError, match="3 and 4 classes"):
        compare_runs(one, replace(one, classes=4))
    with pytest.raises(InputError, match="1 images have another label"):
        compare_runs(one, replace(one, labels=np.array([0, 2])))
    with pytest.raises(InputError, match="one run has labels"):
        compare_runs(one, replace(one, labels=None))


def test_another_data_set_is_refused_where_both_are_known():
    one, other = (
        by_hand({"cohen": [0.1]}, source={"data": name, "data digest": digest})
        for name, digest in (("digits", "a" * 64), ("letters", "b" * 64))
    )
    with pytest.raises(InputError, match=r"digits \(digest a+\) and letters"):
        compare_runs(one, other)
    assert len(compare_runs(one, replace(other, source={}))) == 1
    assert len(compare_runs(one, one)) == 1


def test_radii_in_a_unit_are_not_compared_with_those_of_which_nobody_knows():
    known = certify(random_votes())
    data = DataSource(
        name="d", digest="0", shape=[3], unit=Unit(name="volts", scale=2.0)
    )
    volts = replace(known, data=data)
    for pair in ((known, volts), (volts, known)):
        with pytest.raises(InputError, match="are in volts, and nobody knows"):
            compare_runs(*pair)
    compare_runs(volts, volts)
