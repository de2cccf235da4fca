"""What is honest is not called false; what was spoilt is found, each way by name."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from audited import (
    BLOCK,
    BLOCKS,
    edit_manifest,
    honest_log,
    honest_rows,
    write_run,
)
from scipy.special import ndtri
from scipy.stats import beta

from simplicert.audit import audit_claims
from simplicert.audit.claims.recount import largest_sound
from simplicert.audit.claims.subject import Claims
from simplicert.bounds import clopper_pearson_lower
from simplicert.certificates import certify
from simplicert.errors import InputError
from simplicert.interop import certify_path, import_file, write_certificates
from simplicert.mechanisms import neyman_pearson
from simplicert.mechanisms.catalogue import MECHANISMS
from simplicert.procedures import clopper_pearson
from simplicert.procedures.reach import one_hot
from simplicert.votes import RunDirectory

RESULTS = Path(__file__).parents[2] / "results" / "cifar10"
CEILING, NO_DISTANCE = "radii against the ceiling", "radii that are no distance"
LOG = {"sigma": 0.5, "draws": 1000, "alpha": 0.001}


def found(audit, outcome):
    return {each.check for each in audit.findings if each.outcome == outcome}


def clean(audit):
    return not found(audit, "falsified") and not found(audit, "doubtful")


# Runs


@pytest.mark.parametrize("run", sorted(p.name for p in RESULTS.iterdir() if p.is_dir()))
def test_every_committed_run_is_clean(run):
    audit = audit_claims(RESULTS / run)
    assert clean(audit)
    assert found(audit, "not checked") == {"digests", "noise"}  # of an older version
    digest = RunDirectory(RESULTS / run).read().digest
    assert audit.facts["votes"] == digest


@pytest.mark.parametrize("seed", range(8))
def test_honest_draws_are_of_one_law(tmp_path, seed):
    write_run(tmp_path / "run", honest_rows(seed))
    audit = audit_claims(tmp_path / "run")
    assert clean(audit)
    assert {"digests", "one law in all blocks", "noise used once"} <= found(
        audit, "held"
    )


def changed(rows, row, column, values):
    columns = {name: each.copy() for name, each in rows.columns.items()}
    columns[column][row] = values
    return type(rows)(
        images=rows.images,
        blocks=rows.blocks,
        columns=columns,
        draw_seconds=rows.draw_seconds,
    )


def counts_up(path):
    rows = honest_rows()
    more = rows.counts[5] + np.array([9, 0, 0, 0])
    write_run(path, changed(rows, 5, "counts", more))


def votes_moved(path):
    rows = honest_rows()
    top = int(rows.counts[30].argmax())
    moved = rows.counts[30].copy()
    moved[(top + 1) % 4] += moved[top]
    moved[top] = 0
    write_run(path, changed(rows, 30, "counts", moved))


def scores_of_others(path):
    rows = honest_rows()
    shifted = np.roll(rows.counts, 1, axis=1)
    write_run(path, changed(rows, slice(None), "counts", shifted))


def block_copied_to_another(path):
    rows = honest_rows()
    row = int(np.argmax((rows.counts > 5).sum(axis=1)))
    other = row + 1 if rows.images[row + 1] == rows.images[row] else row - 1
    for name, values in rows.columns.items():
        rows = changed(rows, other, name, values[row])
    write_run(path, rows)


def part_flipped(path):
    run = write_run(path, honest_rows())
    content = bytearray(run.parts[0].read_bytes())
    content[len(content) // 2] ^= 1
    run.parts[0].write_bytes(content)


def part_twice(path):
    (part,) = write_run(path, honest_rows()).parts
    shutil.copy(part, part.with_name("0" * 32 + part.name[32:]))


def part_of_another_run(path):
    other = write_run(path.with_name("other"), honest_rows(1), seed=8)
    run = write_run(path, honest_rows())
    shutil.copy(other.parts[0], run.path / "parts")


def block_with_other_votes(path):
    run = write_run(path, honest_rows())
    again = honest_rows(1)
    run._parts.write([again.take(np.arange(len(again.images)) < 3)])


def label_of_no_class(path):
    write_run(path, honest_rows())
    edit_manifest(path, labels=[4] + [0] * 11)


def label_of_another_class(path):
    write_run(path, honest_rows())
    edit_manifest(path, labels=[3] + [0] * 11)


def sigma_larger(path):
    write_run(path, honest_rows())
    edit_manifest(path, sigma=1.0)


def share_added(path):
    write_run(path, honest_rows())
    looks = [{"draws": 500, "share": 0.5}, {"draws": 1000, "share": 1.0}]
    edit_manifest(path, looks=looks)


def look_added(path):
    write_run(path, honest_rows())
    looks = [{"draws": 500, "share": 0.5}, {"draws": 1000, "share": 0.5}]
    edit_manifest(path, looks=looks)


def draws_fewer(path):
    write_run(path, honest_rows())
    edit_manifest(path, looks=[{"draws": 900, "share": 1.0}])


def blocks_lost(path):
    rows = honest_rows()
    write_run(path, rows.take(rows.blocks != 3 * (rows.images == 2)))


@pytest.mark.parametrize(
    ("edit", "outcome", "check"),
    [
        (counts_up, "falsified", "stored parts"),
        (votes_moved, "falsified", "one law in all blocks"),
        (scores_of_others, "falsified", "scores beside votes"),
        (block_copied_to_another, "doubtful", "noise used once"),
        (part_flipped, "falsified", "stored parts"),
        (part_twice, "doubtful", "parts twice"),
        (part_of_another_run, "falsified", "stored parts"),
        (block_with_other_votes, "falsified", "stored parts"),
        (label_of_no_class, "falsified", "manifest"),
        (label_of_another_class, "falsified", "stored parts"),
        (sigma_larger, "falsified", "stored parts"),
        (share_added, "falsified", "manifest"),
        (look_added, "falsified", "stored parts"),
        (draws_fewer, "falsified", "stored parts"),
        (blocks_lost, "doubtful", "whole"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_an_edited_run_is_found_and_said_to_be(tmp_path, edit, outcome, check):
    edit(tmp_path / "run")
    audit = audit_claims(tmp_path / "run")
    assert check in found(audit, outcome), [f.says for f in audit.findings]
    assert audit.falsified == (outcome == "falsified")
    assert audit.verdict.startswith("FALSIFIED" if audit.falsified else "NOT FALS")


@pytest.mark.parametrize(
    ("counts", "sums", "outcome"),
    [
        ([100, 0, 0, 0], [97, 1, 1, 1], "held"),
        ([100, 0, 0, 0], [26, 25, 25, 24], "held"),  # always just the largest
        ([40, 20, 20, 20], [68, 11, 11, 10], "held"),  # 1, or 1/2 minus a little
        ([25, 25, 25, 25], [90, 4, 3, 3], "falsified"),  # too much for 25 votes
        ([100, 0, 0, 0], [20, 30, 25, 25], "falsified"),  # too little for 100
    ],
)
def test_scores_are_bounded_by_votes_on_both_sides(tmp_path, counts, sums, outcome):
    rows = changed(honest_rows(), slice(None), "counts", counts)
    rows = changed(rows, slice(None), "score_sums", np.array(sums, dtype=float))
    squares = np.array(sums) ** 2 / 100
    rows = changed(rows, slice(None), "score_squares", squares)
    write_run(tmp_path / "run", rows)
    assert "scores beside votes" in found(audit_claims(tmp_path / "run"), outcome)


def test_a_forgery_that_agrees_with_itself_is_not_found_and_the_verdict_says_so(
    tmp_path,
):
    # All draws of another image in place of this one's: only their seeds could tell.
    write_run(tmp_path / "run", honest_rows(seed=99))
    audit = audit_claims(tmp_path / "run")
    assert clean(audit)
    assert "--replay" in audit.verdict


# Logs


@pytest.mark.parametrize("whole", ["votes", "scores"])
def test_noise_is_not_said_to_differ_where_nothing_tells(tmp_path, whole):
    rows = honest_rows()
    if whole == "votes":
        rows.counts[:] = [[BLOCK, 0, 0, 0]]
    rows.columns["score_sums"][:] = rows.counts
    rows.columns["score_squares"][:] = rows.counts
    write_run(tmp_path / "run", rows)
    audit = audit_claims(tmp_path / "run")
    assert clean(audit)
    assert "noise used once" in found(audit, "not checked")


def log_at(path, frame):
    frame.to_csv(path, sep="\t", index=False)
    return path


@pytest.mark.parametrize("digits", [2, 3, 4, 6, 12])
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("up", [True, False])
def test_an_honest_log_is_clean_however_it_is_printed(
    tmp_path, digits, classes, counts, up
):
    frame = honest_log(classes=classes, digits=digits, seed=digits)
    if up:  # rounded up in print, all of it
        exact = honest_log(classes=classes, digits=15, seed=digits)["radius"]
        ceiled = np.ceil(exact.astype(float) * 10**digits) / 10**digits
        frame["radius"] = [f"{each:.{digits}f}" for each in ceiled]
    if not counts:
        frame = frame[["idx", "label", "predict", "radius", "correct"]]
    audit = audit_claims(log_at(tmp_path / "log.tsv", frame), **LOG)
    assert clean(audit), [f.says for f in audit.findings]
    checked = "radii from the votes" if counts else "radii that votes can give"
    if digits > 4:
        assert checked in found(audit, "held")


def estimates(k, *, trials, alpha):
    return np.minimum(k / trials, 1 - 1e-9)


def wald(k, *, trials, alpha):
    p = k / trials
    return np.minimum(p + ndtri(alpha) * np.sqrt(p * (1 - p) / trials), 1 - 1e-9)


def wilson(k, *, trials, alpha):
    # Derived apart: the root below k / n of (p - q)^2 = z^2 q (1 - q) / n.
    z2 = ndtri(alpha) ** 2 / trials
    p = k / trials
    return np.array(
        [np.roots([1 + z2, -(2 * each + z2), each**2]).min().real for each in p]
    )


def at(other):
    return lambda k, *, trials, alpha: clopper_pearson_lower(
        k, trials=trials, alpha=other
    )


@pytest.mark.parametrize(
    ("lower", "said"),
    [
        (estimates, "estimates themselves"),
        (wald, "Wald"),
        (wilson, "Wilson"),
        (at(0.05), "exact bounds at alpha 0.05, 50 times"),
        (at(0.999), "the confidence was taken for alpha"),
        (at(0.01), "exact bounds at alpha 0.01"),
    ],
    ids=["estimates", "wald", "wilson", "0.05", "0.999", "0.01"],
)
@pytest.mark.parametrize("classes", [2, 4])
def test_bounds_that_are_none_are_found_and_recognised(tmp_path, lower, said, classes):
    frame = honest_log(classes=classes, lower=lower, digits=12)
    audit = audit_claims(log_at(tmp_path / "log.tsv", frame), **LOG)
    if (lower, classes) == (wilson, 4):  # they claim less than both bounds together do
        assert clean(audit)
        return
    (finding,) = [f for f in audit.findings if f.check == "radii from the votes"]
    assert finding.outcome == "falsified"
    assert said in finding.says, finding.says


@pytest.mark.parametrize("other", [0.0005, 0.0001])
def test_a_smaller_alpha_than_is_stated_claims_less_and_is_clean(tmp_path, other):
    frame = honest_log(lower=at(other), digits=12)
    assert clean(audit_claims(log_at(tmp_path / "log.tsv", frame), **LOG))


def survivors(frame):
    """Votes divided by the draws that survived a filter."""
    names = [f"count_{c}" for c in range(4)]
    random = np.random.default_rng(5)
    counts = frame[names].to_numpy()
    named = counts.argmax(axis=1)
    lost = random.binomial(counts, 0.1)
    lost[np.arange(len(named)), named] = 0
    frame[names] = counts - lost
    k, n = frame[names].max(axis=1), frame[names].sum(axis=1)
    bound = clopper_pearson_lower(k, trials=n, alpha=0.001)
    with np.errstate(invalid="ignore"):
        radius = np.where(bound > 0.5, 0.5 * ndtri(bound), 0)
    frame["radius"] = [f"{each:.9f}" for each in radius]
    frame["predict"] = np.where(radius > 0, named, -1)
    return frame.assign(correct=(frame["predict"] == frame["label"]).astype(int))


def another_class_named(frame):
    row = int(np.argmax(frame["radius"].astype(float).between(0.1, 0.5)))
    frame.loc[row, "predict"] = (frame.loc[row, "predict"] + 1) % 4
    frame.loc[row, "correct"] = int(
        frame.loc[row, "predict"] == frame.loc[row, "label"]
    )
    return frame


def with_cell(column, value, row=0):
    def edit(frame):
        frame[column] = frame[column].astype(object)
        frame.loc[row, column] = value
        return frame

    return edit


@pytest.mark.parametrize(
    ("edit", "outcome", "check", "said"),
    [
        (survivors, "falsified", "radii from the votes", "divided by the draws that"),
        (another_class_named, "falsified", "radii from the votes", "are larger than"),
        (with_cell("radius", "1.3"), "falsified", CEILING, "draws, or"),
        (with_cell("radius", "inf"), "falsified", "infinite radii", "never changes"),
        (with_cell("radius", "nan"), "doubtful", NO_DISTANCE, "missing"),
        (with_cell("radius", "-0.5"), "doubtful", NO_DISTANCE, "missing"),
        (with_cell("predict", -1), "doubtful", "balls of no class", "abstains"),
        (with_cell("predict", 2.5), "falsified", "classes named", "no class"),
        (with_cell("predict", 7), "falsified", "classes named", "no such class"),
        (with_cell("label", 4), "falsified", "labels", "no class"),
        (with_cell("label", -3), "falsified", "labels", "no class"),
        (with_cell("correct", 5), "falsified", "column correct", "not whether"),
        (with_cell("idx", 1), "doubtful", "images twice", "the best of them"),
        (with_cell("count_1", 3000), "falsified", "counts against draws", "more votes"),
        (with_cell("count_1", 2.5), "falsified", "counts against draws", "whole"),
    ],
)  # fmt: skip
def test_a_spoilt_log_is_found_and_said_to_be(tmp_path, edit, outcome, check, said):
    frame = edit(honest_log())
    audit = audit_claims(log_at(tmp_path / "log.tsv", frame), **LOG)
    says = {f.check: f.says for f in audit.findings if f.outcome == outcome}
    assert check in says, [f.says for f in audit.findings]
    assert said in says[check]


def test_one_radius_that_is_too_large_is_not_explained_by_the_others(tmp_path):
    frame = honest_log(images=300, classes=2, digits=12)
    row = int(np.argmax(frame["radius"].astype(float).between(0.1, 0.5)))
    frame.loc[row, "radius"] = f"{1.1 * float(frame.loc[row, 'radius']):.12f}"
    audit = audit_claims(log_at(tmp_path / "log.tsv", frame), **LOG)
    (finding,) = [f for f in audit.findings if f.outcome == "falsified"]
    assert finding.images == (row,)
    assert "survived" not in finding.says
    assert "divided" not in finding.says
    assert "those of exact bounds at alpha 0." in finding.says


def test_radii_alone_tell_another_alpha_where_their_digits_do(tmp_path):
    frame = honest_log(lower=at(0.05), digits=9)
    frame = frame[["idx", "label", "predict", "radius", "correct"]][3:]  # no ceiling
    audit = audit_claims(log_at(tmp_path / "log.tsv", frame), **LOG)
    (says,) = [f.says for f in audit.findings if f.outcome == "doubtful"]
    assert "All are at alpha 0.05" in says
    dense = honest_log(lower=at(0.05), digits=2)[
        ["idx", "label", "predict", "radius", "correct"]
    ][3:]
    audit = audit_claims(log_at(tmp_path / "dense.tsv", dense), **LOG)
    assert "radii that votes can give" in found(audit, "not checked")


def test_what_was_not_said_is_asked_for_and_not_supposed(tmp_path):
    path = log_at(tmp_path / "log.tsv", honest_log())
    audit = audit_claims(path, sigma=0.5)
    says = {f.check: f.says for f in audit.findings if f.outcome == "not checked"}
    assert "floating point" in says.pop("noise")
    assert len(says) == 3
    assert all("--draws" in each for each in says.values())
    assert not any("held" in f.outcome and "radii" in f.check for f in audit.findings)


def test_radii_of_another_certificate_are_not_held_against_cohens(tmp_path):
    frame = honest_log()
    frame["radius"] = [f"{2 * float(each):.6f}" for each in frame["radius"]]
    frame = frame[["idx", "label", "predict", "radius", "correct"]]
    path = log_at(tmp_path / "log.tsv", frame)
    assert audit_claims(path, **LOG).falsified
    audit = audit_claims(path, certificate="other", **LOG)
    assert not audit.falsified
    assert "radii against the ceiling" in found(audit, "not checked")


def test_no_sound_rule_exceeds_what_is_called_the_largest_of_any():
    # By its own argument: where E0 and E1 are as said, votes as good or better have
    # probability above alpha. Exact, by summing the multinomial of three classes.
    n, alpha = 40, 0.05
    k0, k1 = 24, 6
    claims = Claims(
        subject="",
        kind="log",
        indices=np.array([0]),
        sigma=1.0,
        alpha=alpha,
        draws=np.array([n]),
        predicted=np.array([0]),
        counts=np.array([[k0, k1, n - k0 - k1]]),
    )
    claims.counts[0, 2] = k1  # the other ten voted for no class
    ours, most = largest_sound(claims, np.array([k0]), np.array([True]))
    assert ours < most
    e0 = beta.ppf(2 * alpha, k0, n - k0 + 1)
    e1 = beta.ppf(alpha, k1 + 1, n - k1)
    assert most == pytest.approx((ndtri(e0) - ndtri(e1)) / 2, rel=1e-6)
    from scipy.stats import binom

    mass = sum(
        binom.pmf(a, n, e0) * binom.cdf(k1, n - a, e1 / (1 - e0))
        for a in range(k0, n + 1)
    )
    assert mass > alpha


# Tables of certificates, counts and imported logs


@pytest.fixture(scope="module")
def votes(tmp_path_factory):
    path = tmp_path_factory.mktemp("runs") / "run"
    return write_run(path, honest_rows()).read()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize(
    "procedure", ["clopper_pearson", "hoeffding", "empirical_bernstein", "two_stage"]
)
def test_our_own_certificates_are_clean(tmp_path, votes, procedure, suffix):
    given = votes
    if procedure == "two_stage":
        others = write_run(tmp_path / "others", honest_rows(0), seed=8).read()
        given = votes.chosen_by(others)
    certificates = certify(given, procedure=procedure, alpha=0.01)
    path = write_certificates(certificates, tmp_path / f"table{suffix}")
    audit = audit_claims(path)
    assert clean(audit), [f.says for f in audit.findings]
    assert {"radii of certificates", "classes of certificates"} <= found(audit, "held")


def test_nothing_is_false_of_a_procedure_that_nobody_knows(tmp_path, votes):
    own = replace(clopper_pearson, name="own")  # of hard votes, whose ensemble is more
    path = write_certificates(certify(votes, procedure=own), tmp_path / "table.csv")
    audit = audit_claims(path)
    assert clean(audit), [f.says for f in audit.findings]
    assert "radii of certificates" in found(audit, "held")
    frame = pd.read_csv(path)
    frame.loc[0, "ensemble"] = 1.01 * frame.loc[0, "neyman_pearson"]
    frame.to_csv(path, index=False)
    assert "radii of certificates" in found(audit_claims(path), "falsified")


def scaled(column, factor):
    return lambda table: table.assign(**{column: table[column] * factor})


def closer_where_there_is_room(table):
    room = table["e0_lower"] + table["e1_upper"] < 0.99
    assert room.any()
    return table.assign(e0_lower=table["e0_lower"] + 1e-4 * room)


def an_abstention_named(table):
    table.loc[0, ["e0_lower", "e1_upper"]] = 0.2, 0.7  # farther than they need be
    for name in MECHANISMS.built_in.keys() & {*table.columns}:
        table.loc[0, name] = 0.0
    return table


def of_float32_and_larger(table):
    return scaled("lecuyer", 1.01)(table.assign(noise="gaussian-float32"))


def swapped(table):
    named = table["predicted"] >= 0
    other = np.where(named, table["runner_up"], -1)
    return table.assign(
        predicted=np.where(table.index == named.idxmax(), other, table["predicted"])
    )


@pytest.mark.parametrize(
    ("edit", "check"),
    [
        (scaled("neyman_pearson", 1.01), "radii of certificates"),
        (scaled("ensemble", 1.01), "radii of certificates"),
        (scaled("sigma", 0.5), "radii of certificates"),
        (scaled("alpha", 0.1), "bounds of certificates"),
        (scaled("e0_lower", 1.01), "bounds of certificates"),
        (closer_where_there_is_room, "bounds of certificates"),
        (scaled("e1_upper", 0.5), "bounds of certificates"),
        (scaled("e0", 0.5), "bounds of certificates"),
        (scaled("draws", 0.5), "bounds of certificates"),
        (lambda table: table.assign(alpha=1.5), "bounds of certificates"),
        (swapped, "classes of certificates"),
        (an_abstention_named, "classes of certificates"),
        (of_float32_and_larger, "radii of certificates"),
    ],
)  # fmt: skip
def test_a_spoilt_table_of_certificates_is_found(tmp_path, votes, edit, check):
    table = edit(certify(votes, alpha=0.01).table())
    table.to_csv(tmp_path / "table.csv", index=False)
    audit = audit_claims(tmp_path / "table.csv")
    assert check in found(audit, "falsified"), [f.says for f in audit.findings]


@pytest.mark.parametrize(
    ("e0", "lower", "outcome"),
    [(0.56, 0.5077, "doubtful"), (0.60, 0.5077, "held"), (0.60, 0.5577, "falsified")],
)
def test_a_class_named_where_two_are_too_close_is_doubtful(
    tmp_path, e0, lower, outcome
):
    # The bounds are the procedure's, or none is closer; but it does not name one.
    counts = np.array([[round(1000 * e0), 1000 - round(1000 * e0)], [900, 100]])
    both = certify(replace(one_hot(counts), sigma=0.5), alpha=0.001).table()
    radius = neyman_pearson(lower, 1 - lower, sigma=0.5)
    named = both.loc[0, "e0_lower"] > 0.5
    assert named == (e0 > 0.56)
    for column in MECHANISMS.built_in.keys() & {*both.columns}:
        both.loc[0, column] = 0.0
    both.loc[0, ["e0_lower", "e1_upper", "predicted", "neyman_pearson"]] = (
        *(lower, 1 - lower),
        *(0, radius),
    )
    path = tmp_path / "table.csv"
    both.to_csv(path, index=False)
    assert "bounds of certificates" in found(audit_claims(path), outcome)


def test_counts_of_several_sums_are_doubtful_until_their_draws_are_said(tmp_path):
    frame = honest_log()[[f"count_{c}" for c in range(4)]]
    path = tmp_path / "counts.csv"
    frame.to_csv(path, index=False)
    assert "counts against draws" in found(audit_claims(path), "not checked")
    assert clean(audit_claims(path, draws=1000))
    frame.loc[2, "count_0"] -= min(5, frame.loc[2, "count_0"])
    frame.loc[3, "count_1"] += 7
    frame.to_csv(path, index=False)
    assert "counts against draws" in found(audit_claims(path), "doubtful")
    assert "counts against draws" in found(audit_claims(path, draws=1000), "falsified")


@pytest.mark.parametrize("digits", [1, 9])
def test_an_imported_log_is_audited_as_the_log_was(tmp_path, digits):
    frame = honest_log(digits=digits)
    frame = frame[["idx", "label", "predict", "radius", "correct"]]
    path = log_at(tmp_path / "log.tsv", frame)
    import_file(path, tmp_path / "log", **LOG)
    audit = audit_claims(tmp_path / "log")
    assert clean(audit)
    checked = "held" if digits == 9 else "not checked"
    assert "radii that votes can give" in found(audit, checked)
    # And the certificates that follow from it, with what a log does not say.
    table = tmp_path / "table.csv"
    write_certificates(certify_path(tmp_path / "log"), table)
    audit = audit_claims(table)
    assert clean(audit), [f.says for f in audit.findings]
    assert "bounds of certificates" in found(audit, checked)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"certificate": "best"}, "certificate must be"),
        ({"sigma": -1.0}, "sigma"),
        ({"alpha": 1.0}, "alpha"),
        ({"draws": 0}, "draws must be"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path, given, message):
    path = log_at(tmp_path / "log.tsv", honest_log())
    with pytest.raises(InputError, match=message):
        audit_claims(path, **(LOG | given))


def test_a_run_says_its_own_conditions(tmp_path):
    write_run(tmp_path / "run", honest_rows())
    with pytest.raises(InputError, match="leave --sigma out"):
        audit_claims(tmp_path / "run", sigma=0.5)
    with pytest.raises(InputError, match="does not exist"):
        audit_claims(tmp_path / "none")


def test_claims_need_no_torch(tmp_path):
    write_run(tmp_path / "run", honest_rows())
    code = (
        "import sys\n"
        "from simplicert.audit import audit_claims\n"
        f"assert not audit_claims({str(tmp_path / 'run')!r}).falsified\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_ten_blocks_of_a_hundred_draws():
    assert (BLOCKS, BLOCK) == (10, 100)  # what the edits above count on
    assert pd.Series(honest_rows().images).nunique() == 12
