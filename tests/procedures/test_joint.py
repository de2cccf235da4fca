"""The procedure that bounds a radius itself: exact false rates, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import gammaln, ndtri, xlogy

from simplicert.bounds import half_gap_lower
from simplicert.certificates import certify
from simplicert.certificates.certify import radii_of
from simplicert.errors import InputError
from simplicert.interop import write_certificates
from simplicert.mechanisms import cohen, neyman_pearson
from simplicert.noises import uniform
from simplicert.procedures import (
    PROCEDURES,
    Intervals,
    clopper_pearson,
    joint,
    largest_e0_lower,
    laws,
    min_draws,
)
from simplicert.procedures.laws import _divided
from simplicert.procedures.naming import apart_by_votes
from simplicert.procedures.reach import one_hot
from simplicert.votes import Look, Votes


def votes(counts, **facts):
    counts = np.atleast_2d(counts)
    made = {"draws": counts.sum(axis=1), "sigma": 0.5, "source": {}, **facts}
    return Votes(counts=counts, indices=np.arange(len(counts)), **made)


def false_rate(classes, draws, alpha, steps, procedure=joint):
    """The largest probability of a false certificate, over laws with all the ties."""
    counts = _divided(draws, classes)
    found = procedure(one_hot(counts), alpha=alpha)
    named = found.radius > 0
    counts, top, radius = counts[named], found.top[named], found.radius[named]
    ways = gammaln(draws + 1) - gammaln(counts + 1).sum(axis=1)
    laws = _divided(steps, classes) / steps
    worst = 0.0
    for law in laws[np.all(np.diff(laws, axis=1) <= 0, axis=1)]:
        mass = np.exp(ways + xlogy(counts, law).sum(axis=1))
        truth = (ndtri(law[0]) - ndtri(law[1])) / 2 if law[0] > law[1] else 0.0
        false = (law[top] < law[0]) | (radius > truth)
        worst = max(worst, float(mass[false].sum()))
    return worst


@pytest.mark.parametrize("alpha", [0.5, 0.05, 0.001])
@pytest.mark.parametrize(
    ("classes", "draws", "steps"),
    [(2, 12, 200), (2, 40, 200), (3, 12, 60), (3, 20, 60), (4, 10, 20)],
)
def test_certificates_are_false_at_most_alpha_often(classes, draws, steps, alpha):
    assert false_rate(classes, draws, alpha, steps) <= alpha


@pytest.mark.slow
@pytest.mark.parametrize("alpha", [0.4, 0.05, 0.001])
@pytest.mark.parametrize(("classes", "draws", "steps"), [(2, 60, 1000), (3, 60, 60)])
def test_certificates_of_more_draws_are_too(classes, draws, steps, alpha):
    assert false_rate(classes, draws, alpha, steps) <= alpha


@pytest.mark.parametrize(("classes", "draws"), [(2, 40), (3, 20)])
def test_at_twice_alpha_they_would_not_be(classes, draws):
    doubled = replace(
        joint, intervals=lambda given, alpha: joint.intervals(given, 2 * alpha)
    )
    assert false_rate(classes, draws, 0.05, 120, doubled) > 0.05


def test_a_class_that_is_not_the_best_is_named_within_its_own_share():
    """Of two and three that tie, where any name is false, at the bound of the rule."""
    for classes, draws, alpha in [(2, 40, 0.4), (3, 21, 0.4), (3, 30, 0.05)]:
        counts = _divided(draws, classes)
        ranked = np.sort(counts, axis=1)[:, ::-1]
        ways = gammaln(draws + 1) - gammaln(counts + 1).sum(axis=1)
        mass = np.exp(ways - draws * np.log(classes))
        sure = apart_by_votes(ranked[:, 0], ranked[:, 1], alpha=alpha)
        assert 0.0 < mass[sure].sum() <= alpha**2 / 4


def test_votes_too_close_for_the_rule_are_not_named():
    """Where the bound alone would certify: 2 P(Bin(100, 1/2) >= 65) is 0.0035."""
    for top, runner_up in [(65, 35), (71, 29)]:
        bound = half_gap_lower(top, runner_up, trials=100, alpha=0.049)
        found = joint(votes([[top, runner_up, 0]]), alpha=0.05)
        assert bound > 0
        assert found.named == (top == 71)
        assert (found.radius > 0) == found.named == ~found.refused
    nobody = joint(votes([[0, 0, 0]], draws=np.array([10])), alpha=0.05)
    assert nobody.radius == 0
    assert not nobody.refused
    made = certify(votes([[65, 35, 0], [52, 48, 0]]), alpha=0.05, procedure="joint")
    assert made.abstention.tolist() == ["too close", "not separated"]


def test_a_table_has_the_one_column_whose_radius_is_bounded():
    given = votes([[900, 60, 40], [505, 495, 0], [1000, 0, 0]])
    made = certify(given, alpha=0.001, procedure="joint")
    assert list(made.radii) == ["neyman_pearson"] == [made.mechanism]
    assert made.members == ("neyman_pearson",)
    bound = half_gap_lower(900, 60, trials=1000, alpha=0.001 * (1 - 0.001 / 4))
    assert 0 < 0.5 * bound - made.radius[0] < 1e-9
    assert made.radius[1] == 0
    assert made.abstention.tolist() == ["", "not separated", ""]
    assert made.predicted.tolist() == [0, -1, 0]
    assert (made.e0_lower == 0).all()  # nothing is said of either alone
    assert (made.e1_upper == 1).all()
    two = certify(given, alpha=0.001)
    assert np.all(made.radius[[0, 2]] > two.radius[[0, 2]])
    assert made.table()["procedure"].unique().tolist() == ["joint"]


def test_it_asks_of_a_mechanism_no_more_than_one_radius():
    given = votes([[900, 60, 40]])
    asked = certify(given, procedure="joint", mechanism="neyman_pearson")
    assert asked.radius == certify(given, procedure="joint").radius
    for name in ("cohen", "li", "ensemble", "li,cohen"):
        with pytest.raises(InputError, match="needs bounds of E0 and E1, and the proc"):
            certify(given, procedure="joint", mechanism=name)

    def mine(e0_lower, e1_upper, *, sigma):
        return neyman_pearson(e0_lower, e1_upper, sigma=sigma)

    with pytest.raises(InputError, match="mine needs bounds of E0 and E1"):
        certify(given, procedure="joint", mechanism=mine)


def test_nor_does_a_rule_that_asks_by_itself():
    given = votes([[900, 60, 40]])
    found = joint(given, alpha=0.001)
    assert radii_of(given, found, neyman_pearson) > 0
    with pytest.raises(InputError, match="cohen needs bounds of E0 and E1"):
        radii_of(given, found, cohen)


def test_other_noise_and_other_statistics_are_refused():
    given = votes([[900, 60, 40]], noise=uniform)
    with pytest.raises(
        InputError, match="joint bounds the radius of neyman_pearson al"
    ):
        certify(given, procedure="joint")
    with pytest.raises(InputError, match="counts multinomial, not softmax"):
        certify(votes([[90, 10]]), procedure="joint", framework="softmax")


def test_each_look_has_its_share_of_alpha():
    looks = (Look(100, share=0.4), Look(1000, share=0.6), Look(2000, share=0.0))
    given = votes([[98, 1, 1], [900, 60, 40], [2000, 0, 0]], looks=looks)
    made = certify(given, alpha=0.01, procedure="joint")
    for row, (draws, share) in enumerate([(100, 0.4), (1000, 0.6)]):
        alone = certify(votes(given.counts[[row]]), alpha=0.01 * share, procedure=joint)
        assert alone.draws == draws
        assert made.radius[row] == alone.radius
    assert made.radius[2] == 0


def test_sigma_scales_it_and_never_leaves_the_floats():
    unit = certify(votes([[900, 60, 40]], sigma=1.0), procedure="joint").radius
    for sigma in (0.25, 2.0, 1e-308, 1e308):
        radius = certify(votes([[900, 60, 40]], sigma=sigma), procedure="joint").radius
        assert radius <= min(unit * sigma, np.finfo(float).max)
        assert np.isfinite(radius).all()


def test_how_far_it_can_reach():
    # 2**(1 - n) <= alpha**2 / 4 for the rule
    assert min_draws(joint, alpha=0.001) == 23
    assert largest_e0_lower(joint, draws=22, alpha=0.001) == 0
    for n in (30, 1000):
        most = largest_e0_lower(joint, draws=n, alpha=0.001)
        assert 0.001 ** (1 / n) - 1e-3 < most < 0.001 ** (1 / n)
        assert most > largest_e0_lower(clopper_pearson, draws=n, alpha=0.001)
    with pytest.raises(InputError, match="Draw at least 23"):
        certify(votes([[20, 0]]), alpha=0.001, procedure="joint")


@pytest.mark.parametrize("alpha", [1e-12, 0.5])
def test_alpha_may_be_tiny_or_large(alpha):
    given = votes(
        [[1000, 0, 0], [999, 1, 0], [500, 500, 0], [0, 0, 0]], draws=np.full(4, 1000)
    )
    made = certify(given, alpha=alpha, procedure="joint")
    assert (made.radius > 0).tolist() == [True, True, False, False]
    assert made.radius[0] > made.radius[1]


def test_one_draw_certifies_nothing():
    with pytest.raises(InputError, match="1 draws can never certify"):
        certify(votes([[1, 0]]), alpha=0.5, procedure="joint")


# At the door.


def theirs(change=lambda found: found, **facts):
    def intervals(given, alpha):
        return change(joint.intervals(given, alpha))

    return replace(joint, **{"name": "theirs", "intervals": intervals, **facts})


def test_the_laws_at_the_door_are_about_the_radius(monkeypatch):
    monkeypatch.setattr(laws, "TRIED", {2: ((1, 2, 12, 40), 100), 3: ((12,), 12)})
    kept = PROCEDURES.find(theirs())
    given = votes([[900, 60, 40]])
    ours = certify(given, procedure=joint).radius
    assert certify(given, procedure=kept).radius == ours > 0


@pytest.mark.slow
def test_it_keeps_all_the_laws_at_the_door():
    PROCEDURES.find(theirs())


@pytest.mark.parametrize("times", [1.02, 1.5])
def test_a_larger_radius_is_refused_there(times):
    with pytest.raises(InputError, match="certifies falsely with probability"):
        PROCEDURES.find(
            theirs(lambda found: replace(found, radius=found.radius * times))
        )


@pytest.mark.parametrize(
    ("change", "facts", "says"),
    [
        (lambda found: replace(found, radius=None), {}, "must give a radius where"),
        (lambda found: found, {"radius_of": None}, "must give a radius where"),
        (lambda found: replace(found, radius=found.top * 0), {}, "one float64 an|Type"),
        (
            lambda found: replace(found, radius=-found.radius),
            {},
            "finite and not negat",
        ),
        (lambda found: replace(found, radius=found.radius + np.inf), {}, "finite and"),
        (lambda found: replace(found, radius=found.radius * np.nan), {}, "finite and"),
    ],
)
def test_what_is_no_radius_is_refused_there(change, facts, says):
    with pytest.raises(InputError, match=says):
        PROCEDURES.find(theirs(change, **facts))


def test_no_other_mechanism_s_radius_can_be_bounded():
    with pytest.raises(InputError, match="radius_of must be None or 'neyman_pearson'"):
        theirs(radius_of="lee")


def test_intervals_say_where_a_class_is_named():
    found = clopper_pearson(votes([[900, 60, 40], [505, 495, 0]]), alpha=0.001)
    assert isinstance(found, Intervals)
    assert found.named.tolist() == [True, False]
    assert joint(votes([[900, 60, 40], [505, 495, 0]]), alpha=0.001).named.tolist() == [
        True,
        False,
    ]


# On the command line, and audited.


def test_a_run_is_certified_by_it(simplicert, tmp_path):
    run, out = "results/cifar10/resnet20-1.00", tmp_path / "made.parquet"
    asked = ("certify", run, "--procedure", "joint", "--alpha", "1e-9")
    code, said, _ = simplicert(*asked, "-o", out)
    assert code == 0
    assert "neyman_pearson" in said
    assert "cohen" not in said
    code, _, error = simplicert(*asked, "--mechanism", "cohen")
    assert code == 2
    says = "cohen needs bounds of E0 and E1, and the procedure joint bounds the radius"
    assert says in " ".join(error.split())
    code, said, _ = simplicert("audit", out)
    assert code == 0
    assert "none exceeds what joint gives" in " ".join(said.split())


def test_a_radius_at_more_than_its_look_s_share_is_found(simplicert, tmp_path):
    looks = (Look(200, share=0.1), Look(1000, share=0.9))
    given = votes([[190, 6, 4], [900, 60, 40]], looks=looks, labels=np.array([0, 0]))
    made = certify(given, alpha=0.001, procedure="joint")
    out = tmp_path / "made.csv"
    write_certificates(made, out)
    code, said, _ = simplicert("audit", out)
    assert code == 0
    assert "none exceeds what joint gives at alpha 0.001, each" in " ".join(
        said.split()
    )
    whole = certify(votes(given.counts[[0]]), alpha=0.001, procedure="joint").radius
    assert whole > made.radius[0]
    larger = np.array([whole[0], made.radius[1]])
    write_certificates(replace(made, radii={"neyman_pearson": larger}), out)
    code, said, _ = simplicert("audit", out)
    assert code != 0
    assert "is not what joint gives" in " ".join(said.split())


def test_an_edited_radius_is_found(simplicert, tmp_path):
    given = votes(
        [[900, 60, 40], [700, 200, 100], [505, 495, 0]], labels=np.array([0, 0, 0])
    )
    made = certify(given, alpha=0.001, procedure="joint")
    out = tmp_path / "made.csv"
    write_certificates(made, out)
    assert simplicert("audit", out)[0] == 0
    larger = made.radius * np.array([1.0, 1.001, 1.0])
    write_certificates(replace(made, radii={"neyman_pearson": larger}), out)
    code, said, _ = simplicert("audit", out)
    assert code != 0
    assert "is not what joint gives" in " ".join(said.split())
