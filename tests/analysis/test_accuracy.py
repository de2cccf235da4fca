"""Certified accuracy against Eq. 10 as a loop, and its promises by enumeration."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import binom, binomtest
from voted import by_hand, random_votes

from simplicert.analysis import (
    average_certified_radius,
    certified_accuracy,
    curve_radii,
    dataset_guarantee,
    false_certificates,
)
from simplicert.analysis.accuracy import guaranteed_accuracy
from simplicert.certificates.certify import certify
from simplicert.errors import InputError

RADII = np.array([0.0, 0.05, 0.1, 0.2, 0.4, 5.0])


@pytest.fixture(scope="module")
def certificates():
    return certify(random_votes())


def test_equation_10_as_a_loop_over_images(certificates):
    table = certified_accuracy(certificates, RADII)
    assert len(table) == len(certificates.radii) * len(RADII)
    for row in table.itertuples():
        radius = certificates.radii[row.mechanism]
        count = sum(
            r > 0 and r >= row.radius and top == label
            for r, top, label in zip(
                radius, certificates.top, certificates.labels, strict=True
            )
        )
        interval = binomtest(count, len(certificates)).proportion_ci(0.95, "exact")
        assert row.share == count / len(certificates)
        assert row.share_lower == pytest.approx(interval.low, abs=1e-10)
        assert row.share_upper == pytest.approx(interval.high, abs=1e-10)
        assert row.quantity == "certified accuracy"


def test_a_radius_counts_at_itself_and_an_abstention_never():
    table = certified_accuracy(
        by_hand({"cohen": [0.5, 0.0]}, labels=[0, 0]), np.array([0.0, 0.5, 0.51])
    )
    assert table["share"].tolist() == [0.5, 0.5, 0.0]


def test_without_labels_the_share_certified():
    certificates = certify(random_votes(labels=False))
    table = certified_accuracy(certificates, np.array([0.0]))
    shares = {name: (r > 0).mean() for name, r in certificates.radii.items()}
    assert dict(zip(table["mechanism"], table["share"], strict=True)) == shares
    assert set(table["quantity"]) == {"share certified"}
    assert "average_radius" in average_certified_radius(certificates)


def test_the_curve_ends_where_nothing_is_certified_any_more(certificates):
    radii = curve_radii(certificates)
    largest = max(radius.max() for radius in certificates.radii.values())
    assert radii[0] == 0
    assert largest < radii[-1] < 1.1 * largest
    ends = certified_accuracy(certificates, radii[-1:])
    assert (ends["share"] == 0).all()
    assert curve_radii(by_hand({"cohen": [0.0]}))[-1] > 0


def test_average_certified_radius_by_hand():
    certificates = by_hand(
        {"cohen": [0.5, 1.0, 0.0, 0.2], "li": [0.1, 0.1, 0.1, 0.1]},
        labels=[0, 1, 0, 0],
        top=[0, 0, 0, 0],
    )
    table = average_certified_radius(certificates).set_index("mechanism")
    assert table["average_certified_radius"].to_dict() == pytest.approx(
        {"cohen": 0.175, "li": 0.075}
    )


@pytest.mark.parametrize("images", [1, 2, 5, 7])
@pytest.mark.parametrize("failure", [0.001, 0.05, 0.3])
def test_more_false_certificates_are_as_rare_as_promised(images, failure):
    # Every certificate false with its own probability, at most alpha: enumerated.
    alpha = 0.1
    allowed = false_certificates(images, alpha=alpha, failure=failure)
    random = np.random.default_rng(images)
    worst = np.full(images, alpha)
    for chances in [worst, *random.uniform(0, alpha, size=(5, images))]:
        more = sum(
            np.prod(np.where(false, chances, 1 - chances))
            for false in product([0, 1], repeat=images)
            if sum(false) > allowed
        )
        assert more <= failure + 1e-12
    if allowed:  # and no fewer would do
        assert binom.sf(allowed - 1, images, alpha) > failure


@pytest.mark.parametrize("images", [1, 10, 1000, 100_000])
@pytest.mark.parametrize("alpha", [1e-6, 0.001, 0.3])
def test_allowed_false_certificates_are_the_binomial_quantile(images, alpha):
    for failure in (1e-6, 0.001, 0.05):
        found = false_certificates(images, alpha=alpha, failure=failure)
        assert found == max(binom.isf(failure, images, alpha), 0)


@pytest.mark.parametrize("images", [10, 200])
@pytest.mark.parametrize("failure", [0.01, 0.1])
def test_the_population_bound_covers_every_true_accuracy(images, failure):
    # Worst case: every image that is not truly robust is certified with chance alpha.
    alpha, count = 0.02, np.arange(images + 1)
    bound = guaranteed_accuracy(count, images=images, alpha=alpha, failure=failure)[
        "population_lower"
    ]
    for true in np.linspace(0, 1, 101):
        certified = true + (1 - true) * alpha
        covered = binom.pmf(count, images, certified)[bound <= true].sum()
        assert covered >= 1 - failure - 1e-12


def test_the_dataset_bound_is_the_share_less_the_allowed(certificates):
    table = dataset_guarantee(certificates, RADII, failure=0.01)
    allowed = false_certificates(400, alpha=0.001, failure=0.01)
    assert allowed > 0
    np.testing.assert_allclose(
        table["dataset_lower"], np.maximum(table["share"] - allowed / 400, 0)
    )
    shares = certified_accuracy(certificates, RADII)["share"]
    np.testing.assert_array_equal(table["share"], shares)
    assert (table["population_lower"] < table["share"] + 1e-15).all()


def test_what_has_no_answer_is_refused(certificates):
    with pytest.raises(InputError, match="no labels"):
        dataset_guarantee(certify(random_votes(labels=False)), RADII)
    with pytest.raises(InputError, match="no images"):
        certified_accuracy(by_hand({"cohen": []}), RADII)
    with pytest.raises(InputError, match="must not be negative, NaN or infinite"):
        certified_accuracy(certificates, np.array([np.nan]))
    with pytest.raises(InputError, match="confidence must be in"):
        certified_accuracy(certificates, RADII, confidence=1.0)
    with pytest.raises(InputError, match="failure must be in"):
        false_certificates(10, alpha=0.1, failure=0.0)
