"""Facts travel with the votes; what no proof is about is refused by name and reason."""

import functools
import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from alone import bounds_alone
from scipy.stats import binom
from synthetic import EVERY_BLOCK, manifest, rows
from voted import random_votes

from simplicert import paper
from simplicert.analysis import table1
from simplicert.certificates import certify
from simplicert.errors import InputError
from simplicert.interop import certify_path, write_certificates
from simplicert.mechanisms import (
    BUILT_IN,
    Proof,
    cohen,
    ensemble,
    lee,
    li,
    neyman_pearson,
    proves,
)
from simplicert.mechanisms.catalogue import best_of
from simplicert.noises import FLOAT32, NOISES, Noise, gaussian, uniform
from simplicert.procedures import PROCEDURES, Procedure, hoeffding
from simplicert.procedures.reach import one_hot
from simplicert.simplex import Comparison
from simplicert.votes import Look, NoiseSource, RunDirectory, Votes

LAPLACE = Noise("laplace", "l1", digest="ab")


def votes(counts, **facts):
    counts = np.atleast_2d(counts)
    scores = counts.astype(float)
    return Votes(
        **{
            "counts": counts,
            "score_sums": scores,
            "score_squares": scores,
            "draws": counts.sum(axis=1),
            "indices": np.arange(len(counts)),
            "sigma": 0.5,
            "source": {},
            **facts,
        }
    )


@proves(noise="laplace", norm="l1")
def of_laplace(e0_lower, e1_upper, *, sigma):
    """Of scale b = sigma / sqrt(2): expectations change by a factor of e^(r/b)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        radius = sigma / 2**1.5 * np.log(e0_lower / e1_upper)
    return np.where(e0_lower > e1_upper, radius, 0.0)


@proves(noise=gaussian, norm="linf")
def of_linf(e0_lower, e1_upper, *, sigma):
    return 0.01 * neyman_pearson(e0_lower, e1_upper, sigma=sigma)


# --- What has no proof is refused, with the reason -------------------------------


@pytest.mark.parametrize("name", sorted(BUILT_IN))
@pytest.mark.parametrize("noise", [gaussian, uniform, LAPLACE], ids=lambda n: n.name)
def test_a_mechanism_applies_to_the_noise_of_its_proof_only(name, noise):
    theirs = votes([900, 100], noise=noise)
    if BUILT_IN[name].proof.noise == noise.name:
        certificates = certify(theirs, mechanism=name)
        assert certificates.radii[name][0] > 0
        assert certificates.norm == noise.norm
    else:
        reason = f"{name} does not apply: its proof is for .* noise, and these votes "
        with pytest.raises(InputError, match=f"{reason}had {noise.name} noise"):
            certify(theirs, mechanism=name)


def test_columns_are_all_that_apply_and_nothing_else():
    assert set(certify(votes([900, 100])).radii) == set(BUILT_IN) - {"lee"}
    assert set(certify(votes([900, 100], noise=uniform)).radii) == {"lee"}
    soft = certify(votes([900, 100]), framework="softmax")
    assert set(soft.radii) == set(BUILT_IN) - {"lee", "li"}


def test_votes_that_nothing_is_proved_for_are_refused_unless_by_one_s_own():
    theirs = votes([900, 100], noise=LAPLACE)
    with pytest.raises(InputError, match="no mechanism has a proof for laplace noise"):
        certify(theirs)
    certificates = certify(theirs, mechanism=of_laplace)
    assert list(certificates.radii) == ["of_laplace"]
    assert certificates.norm == "l1"
    assert certificates.members == ("of_laplace",)


def test_a_norm_that_the_votes_are_not_about_is_refused():
    with pytest.raises(InputError, match="its radii are of linf balls"):
        certify(votes([900, 100]), mechanism=of_linf)


@pytest.mark.parametrize("procedure", ["hoeffding", "empirical_bernstein"])
def test_a_statistic_that_a_proof_is_not_about_is_refused(procedure):
    with pytest.raises(InputError, match="about multinomial expectations"):
        certify(votes([900, 100]), procedure=procedure, mechanism="li")


@pytest.mark.parametrize(
    ("procedure", "column"),
    [
        ("hoeffding", "score_sums"),
        ("empirical_bernstein", "score_squares"),
    ],
)
def test_a_procedure_is_refused_votes_without_what_it_counts(procedure, column):
    message = f"no {column}, which the procedure {procedure} counts"
    with pytest.raises(InputError, match=message):
        certify(votes([900, 100], **{column: None}), procedure=procedure)


def test_separate_draws_are_needed_where_they_are():
    with pytest.raises(InputError, match="needs other draws that choose the class"):
        certify(votes([900, 100]), procedure="two_stage")


def test_a_procedure_and_a_framework_that_contradict_are_refused():
    with pytest.raises(InputError, match="counts multinomial, not softmax"):
        certify(votes([1, 9]), procedure="clopper_pearson", framework="softmax")


def test_the_best_of_several_is_about_what_all_are_about():
    theirs = votes([900, 100], noise=uniform)
    with pytest.raises(InputError, match="their radii cannot be compared"):
        certify(theirs, mechanism="lee,cohen")
    with pytest.raises(InputError, match=r"max\(li, cohen\) does not apply"):
        certify(votes([900, 100]), framework="softmax", mechanism="li,cohen")


def test_a_mechanism_that_says_nothing_is_gaussian_and_one_that_says_nonsense_is_not():
    def silent(e0_lower, e1_upper, *, sigma):
        return cohen(e0_lower, e1_upper, sigma=sigma) / 2

    assert certify(votes([900, 100]), mechanism=silent).radius[0] > 0
    with pytest.raises(InputError, match="its proof is for gaussian noise"):
        certify(votes([900, 100], noise=uniform), mechanism=silent)

    def odd(e0_lower, e1_upper, *, sigma):
        return silent(e0_lower, e1_upper, sigma=sigma)

    odd.proof = "l2"
    with pytest.raises(InputError, match=r"must be a simplicert\.mechanisms\.Proof"):
        certify(votes([900, 100]), mechanism=odd)
    with pytest.raises(InputError, match="unknown norm 'l3'"):
        Proof(norm="l3")
    with pytest.raises(InputError, match="unknown statistic 'votes'"):
        Proof(of=("votes",))


# --- Looks ------------------------------------------------------------------------


def test_unequal_draws_are_refused_unless_their_looks_were_fixed():
    with pytest.raises(InputError, match="nothing says that these numbers were fixed"):
        certify(votes([[90, 10], [900, 100]]))
    looks = (Look(100, 0.4), Look(1000, 0.6))
    found = certify(votes([[90, 10], [900, 100]], looks=looks), alpha=0.01)
    for row, look in enumerate(looks):
        alone = certify(
            votes(np.array([[90, 10], [900, 100]])[row]), alpha=0.01 * look.share
        )
        for field in ("e0_lower", "e1_upper", "top", "runner_up", "e0", "e1"):
            assert getattr(found, field)[row] == getattr(alone, field)[0], field
        assert found.radius[row] == alone.radius[0]
    assert found.looks == looks


@pytest.mark.parametrize(
    ("looks", "message"),
    [
        ((), "at least one"),
        ((Look(1000, 0.7), Look(1000, 0.3)), "looks must rise"),
        ((Look(100, 0.7), Look(1000, 0.7)), "at most 1"),
        ((Look(100, -0.1), Look(1000, 0.7)), "must not be negative"),
        ((Look(1000, float("nan")),), "must not be negative"),
        ((Look(0, 0.1), Look(1000, 0.7)), "at least 1 draw"),
        ((Look(100, 0.5), Look(500, 0.5)), "its draws are at none of the looks"),
    ],
)
def test_looks_that_spoil_certificates_are_refused(looks, message):
    with pytest.raises(InputError, match=message):
        votes([900, 100], looks=looks)


def test_a_look_without_a_share_of_alpha_certifies_nothing():
    looks = (Look(100, 0.0), Look(1000, 1.0))
    found = certify(votes([[100, 0], [900, 100]], looks=looks))
    assert found.radius.tolist() == [0.0, certify(votes([900, 100])).radius[0]]
    # Also where no image went further: another look could have certified it.
    assert certify(votes([[100, 0]], looks=looks)).radius.tolist() == [0.0]
    with pytest.raises(InputError, match="10 draws can never certify"):
        certify(votes([[5, 0]], looks=(Look(5, 0.5), Look(10, 0.5))))


@pytest.mark.parametrize("alpha", [0.05, 0.3])
@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.1, 0.9), (0.9, 0.1)])
def test_a_rule_that_stops_at_the_first_success_is_still_right_often_enough(
    alpha, shares
):
    assert greedy_failure(alpha, shares) <= alpha


def test_the_greedy_rule_would_show_looks_at_the_whole_of_alpha():
    # As votes that say nothing would be certified: alpha at either look.
    assert greedy_failure(2 * 0.05, (0.5, 0.5)) > 0.05


def greedy_failure(alpha, shares):
    """Exact: stop at 40 draws if a class is named then, else go on to 120.

    Two equal classes, so that every named class is a false certificate; and no rule
    for naming, which would hide it.
    """
    first, last = 40, 120
    looks = (Look(first, shares[0]), Look(last, shares[1]))

    def named(draws):
        k = np.arange(draws + 1)
        table = votes(np.stack([k, draws - k], axis=1), looks=looks)
        return certify(table, alpha=alpha, procedure=bounds_alone()).radius > 0

    early, late = named(first), named(last)
    at_first = binom.pmf(np.arange(first + 1), first, 0.5)
    more = binom.pmf(np.arange(last - first + 1), last - first, 0.5)
    at_last = np.convolve(np.where(early, 0.0, at_first), more)
    return at_first[early].sum() + at_last[late].sum()


# --- Facts are seen and stored ----------------------------------------------------


@pytest.mark.parametrize("procedure", PROCEDURES.built_in)
def test_facts_are_in_every_certificate_and_table(procedure):
    counts, others = ([[900, 100], [800, 200]], [[90, 10], [80, 20]])
    theirs, first = (
        replace(one_hot(np.array(each)), sigma=0.5) for each in (counts, others)
    )
    given = theirs.chosen_by(first)
    certificates = certify(given, procedure=procedure, asymptotic=True)
    assert certificates.procedure == procedure
    for table in (certificates.table(), table1(certificates)):
        assert set(table["procedure"]) == {procedure}
        assert set(table["noise"]) == {"gaussian"}
        assert set(table["norm"]) == {"l2"}
        assert set(table["sigma"]) == {0.5}


def test_equal_votes_of_other_facts_have_another_digest():
    plain = votes([900, 100])
    same = votes([900, 100], looks=(Look(1000, 1.0),))
    others = [
        votes([900, 100], noise=uniform),
        votes([900, 100], noise=LAPLACE),
        votes([900, 100], noise=replace(LAPLACE, digest="cd")),
        votes([900, 100], looks=(Look(500, 0.5), Look(1000, 0.5))),
    ]
    assert plain.digest == same.digest
    assert len({plain.digest, *(other.digest for other in others)}) == 5


def test_facts_of_a_run_are_read_with_it(tmp_path):
    source = NoiseSource(name="laplace", norm="l1", digest="ab")
    run = RunDirectory.create(tmp_path / "run", manifest(noise=source))
    run.append(rows(*EVERY_BLOCK))
    read = run.read()
    assert (read.noise, read.looks) == (LAPLACE, (Look(30, 1.0),))
    with pytest.raises(InputError, match="no mechanism has a proof for laplace"):
        certify_path(run.path)


@pytest.mark.parametrize(
    "changes",
    [
        {"noise": NoiseSource(name="uniform", norm="l1")},
        {"looks": [Look(10, 0.5), Look(30, 0.5)]},
    ],
)
def test_parts_of_other_facts_do_not_count(tmp_path, changes):
    run = RunDirectory.create(tmp_path / "run", manifest())
    run.append(rows(*EVERY_BLOCK))
    text = manifest(**changes).model_dump_json()
    (run.path / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=r"was drawn with (noise|looks)"):
        RunDirectory(run.path).read()


FIRST = {"noise": "gaussian", "draws": 30, "scores": True, "schema_number": 1}


def first_schema(tmp_path, **changes):
    """A run as the first schema wrote it."""
    run = RunDirectory.create(tmp_path / "run", manifest())
    run.append(rows(*EVERY_BLOCK))
    stored = json.loads((run.path / "manifest.json").read_text())
    for name in ("looks", "statistics"):
        del stored[name]
    (run.path / "manifest.json").write_text(json.dumps(stored | FIRST | changes))
    [part] = run.parts
    table = pq.read_table(part)
    evidence = json.loads(table.schema.metadata[b"simplicert.evidence"])
    for name in ("looks", "statistics", "draws"):
        del evidence[name]
    evidence |= {key: FIRST[key] for key in ("noise", "scores", "schema_number")}
    metadata = {b"simplicert.evidence": json.dumps(evidence).encode()}
    part.unlink()  # and a name that says nothing of the bytes
    older = part.with_name(f"{part.stem.partition('-')[0]}.parquet")
    pq.write_table(table.replace_schema_metadata(metadata), older)
    return run.path


def test_a_run_of_the_first_schema_is_what_it_was(tmp_path):
    path = first_schema(tmp_path)
    read = RunDirectory(path).read()
    assert (read.noise, read.looks) == (FLOAT32["gaussian-float32"], (Look(30, 1.0),))
    assert read.statistics == tuple(paper.PROCEDURES)
    # It goes on: parts of both schemas are of one run.
    [part] = RunDirectory(path).parts
    part.unlink()
    RunDirectory(path).append(rows(*EVERY_BLOCK))
    assert RunDirectory(path).read().digest == read.digest


def test_a_run_of_the_first_schema_cannot_say_what_it_could_not(tmp_path):
    with pytest.raises(InputError, match="noise: "):
        RunDirectory(first_schema(tmp_path / "a", noise="laplace"))
    with pytest.raises(InputError, match="statistics: "):
        RunDirectory(first_schema(tmp_path / "b", scores=None))


def test_selected_images_keep_their_facts():
    both = random_votes(5, draws=2000).chosen_by(random_votes(5, draws=100, seed=1))
    some = both[[True, False, True, False, False]]
    assert len(some) == len(some.selection) == 2
    assert (some.noise, some.looks) == (both.noise, both.fixed_looks)


# --- What hides a fact ---------------------------------------------------------------


@proves(noise=uniform)
def of_cubes(e0_lower, e1_upper, *, sigma, share=0.5):
    return share * lee(e0_lower, e1_upper, sigma=sigma)


@pytest.mark.parametrize(
    "wrapped",
    [
        functools.partial(li),
        functools.partial(ensemble, members=(cohen, li)),
        functools.partial(functools.partial(li)),
    ],
)
def test_a_proof_is_seen_through_what_wraps_a_mechanism(wrapped):
    with pytest.raises(InputError, match="about multinomial expectations"):
        certify(votes([900, 100]), framework="softmax", mechanism=wrapped)


def test_a_wrapped_mechanism_for_other_noise_does_not_become_a_gaussian_one():
    for wrapped in (functools.partial(of_cubes, share=0.4), np.vectorize(of_cubes)):
        with pytest.raises(InputError, match="its proof is for uniform noise"):
            certify(votes([900, 100]), mechanism=wrapped)


@pytest.mark.parametrize("name", ["gaussian", "uniform"])
def test_another_noise_of_our_noise_s_name_is_not_ours(name):
    other = replace(NOISES.built_in[name].facts, digest="abc")
    with pytest.raises(InputError, match="no mechanism has a proof"):
        certify(votes([900, 100], noise=other))
    mechanism = {"uniform": "lee", "gaussian": "cohen"}[name]
    with pytest.raises(InputError, match="another noise that is called"):
        certify(votes([900, 100], noise=other), mechanism=mechanism)


def test_a_proof_of_somebody_s_noise_is_of_no_other_of_its_name():
    def fill(values, generator):
        values.normal_(generator=generator)

    mine = NOISES.find(Noise("mine", "l2", fill))

    @proves(noise=mine)
    def of_mine(e0_lower, e1_upper, *, sigma):
        return 0.5 * neyman_pearson(e0_lower, e1_upper, sigma=sigma)

    assert certify(votes([900, 100], noise=mine), mechanism=of_mine).radius > 0
    with pytest.raises(InputError, match="another noise that is called mine"):
        certify(votes([900, 100], noise=replace(mine, digest="x")), mechanism=of_mine)


def test_radii_of_two_noises_have_no_maximum_and_no_ratio():
    for call in (
        lambda: ensemble(0.9, 0.1, sigma=1.0, members=(cohen, lee)),
        lambda: best_of([cohen, lee]),
        lambda: Comparison(kind="ratio", first=lee, second=cohen, contenders=()),
    ):
        with pytest.raises(InputError, match="their radii cannot be compared"):
            call()
    with pytest.raises(InputError, match="at least one mechanism"):
        best_of([])


def test_unequal_draws_stay_unequal_when_some_are_taken():
    unequal = votes([[900, 100], [90, 10]])
    with pytest.raises(InputError, match="nothing says that these numbers were fixed"):
        unequal[unequal.draws == 1000]


@pytest.mark.parametrize("name", ["sigma", "noise", "norm", "alpha", "reported", "top"])
def test_a_mechanism_cannot_be_called_like_a_fact(name):
    def mechanism(e0_lower, e1_upper, *, sigma):
        return 0.5 * cohen(e0_lower, e1_upper, sigma=sigma)

    mechanism.__name__ = name
    with pytest.raises(InputError, match=f"cannot be called '{name}'"):
        certify(votes([900, 100]), mechanism=mechanism)


def test_a_layout_without_a_place_for_facts_takes_gaussian_radii_only(tmp_path):
    certificates = certify(votes([900, 100], noise=uniform, labels=np.array([0])))
    with pytest.raises(InputError, match="no place for uniform noise, l1 balls"):
        write_certificates(certificates, tmp_path / "log.tsv")
    write_certificates(certificates, tmp_path / "table.csv")
    assert "uniform" in (tmp_path / "table.csv").read_text()


def test_the_law_of_naming_holds_where_the_bound_is_above_one_half():
    # Bounds at half of alpha separate two classes here; those that name one do not.
    scores = {
        "score_sums": np.array([[530.0, 470.0]]),
        "score_squares": np.array([[281.4, 221.4]]),
    }
    found = certify(votes([530, 470], **scores), procedure="empirical_bernstein")
    assert (found.predicted[0], found.radius[0]) == (-1, 0.0)
    assert found.abstention[0] == "too close"


@pytest.mark.parametrize("squares", [[[0.0, 0.0]], [[0.9, 0.1]], [[900.0, 1.0]]])
def test_squares_that_no_scores_have_are_refused(squares):
    with pytest.raises(InputError, match="score_squares are not the sums of squares"):
        votes([900, 100], score_squares=np.array(squares))


def test_scores_are_float64():
    with pytest.raises(InputError, match="must be float64, got float32"):
        votes([900, 100], score_sums=np.array([[900, 100]], dtype=np.float32))


def test_blocks_of_a_run_with_looks_keep_their_shares(tmp_path):
    looks = [Look(10, 0.5), Look(30, 0.5)]
    run = RunDirectory.create(tmp_path / "run", manifest(looks=looks))
    run.append(rows(*EVERY_BLOCK))
    assert run.read().looks == tuple(looks)
    assert run.read(blocks=slice(0, 1)).looks == tuple(looks)
    for blocks in (slice(0, 2), slice(1, None), slice(1, 2)):
        with pytest.raises(InputError, match="only the draws up to one of these"):
            run.read(blocks=blocks)
    with pytest.raises(InputError, match="only the draws up to one of these"):
        run.read(selection=10)


def test_a_procedure_sees_what_it_says_it_reads_and_nothing_else():
    def intervals(given, alpha):
        return hoeffding.intervals(given, alpha)

    liar = Procedure(
        name="liar", statistic="multinomial", columns=("counts",), intervals=intervals
    )
    with pytest.raises(InputError, match="procedure 'liar' raised KeyError"):
        PROCEDURES.find(liar)
    with pytest.raises(InputError, match="columns must be a tuple of names"):
        replace(liar, columns=())


def test_what_a_procedure_returns_is_checked_on_every_call():
    def intervals(given, alpha):
        found = PROCEDURES.built_in["clopper_pearson"].intervals(given, alpha)
        return replace(found, top=found.top + 7) if given.classes > 3 else found

    late = PROCEDURES.find(
        Procedure(
            name="late",
            statistic="multinomial",
            columns=("counts",),
            intervals=intervals,
        )
    )
    assert certify(votes([900, 60, 40]), procedure=late).radius > 0
    with pytest.raises(InputError, match="top must be one class an image, 0 … 3"):
        certify(votes([900, 60, 30, 10]), procedure=late)


def test_the_share_of_a_single_look_is_part_of_the_digest():
    half = votes([900, 100], looks=(Look(1000, 0.5),))
    assert half.digest != votes([900, 100]).digest
    assert certify(half).radius < certify(votes([900, 100])).radius


def test_empty_votes_of_several_looks_are_an_empty_table():
    none = votes(np.zeros((0, 2), dtype=int), looks=(Look(10, 0.5), Look(20, 0.5)))
    assert len(certify(none).table()) == 0


def test_radii_are_less_by_what_inputs_are_moved(tmp_path):
    # By hand: four values, sigma 1, so a step of 2**-40; in l2 twice that is moved.
    made = manifest()
    source = made.noise.model_copy(update={"step": 2.0**-40})
    data = made.data.model_copy(update={"shape": [1, 2, 2]})
    on_grid = made.model_copy(update={"noise": source, "data": data})
    as_it_was, moved = (
        certify(drawn(tmp_path / str(i), each).read(), alpha=0.1)
        for i, each in enumerate((made, on_grid))
    )
    less = as_it_was.radius - moved.radius
    assert (as_it_was.radius > 0).any()
    np.testing.assert_allclose(less[as_it_was.radius > 0], 2 * 2.0**-40, rtol=2e-3)
    assert (moved.radius[as_it_was.radius == 0] == 0).all()


def drawn(path, made):
    run = RunDirectory.create(path, made)
    run.append(rows(*EVERY_BLOCK))
    return run
