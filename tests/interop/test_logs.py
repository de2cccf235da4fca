"""Published logs: what they hold is recovered, what they do not hold is said."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import ndtri
from scipy.stats import beta
from voted import random_votes

from simplicert.analysis import dataset_guarantee, per_class, table1
from simplicert.certificates import certify
from simplicert.errors import InputError
from simplicert.interop import (
    LogEvidence,
    ReportedLog,
    certify_path,
    import_file,
    write_certificates,
)
from simplicert.interop.recover import (
    counts_from_radii,
    largest_radius,
    printed_units,
)
from simplicert.interop.reported import _DIGEST, _KEY, FILE, _digest
from simplicert.votes import read_run

PUBLISHED = Path(__file__).parent / "published"
COHEN, DSRS = PUBLISHED / "cohen-slice.tsv", PUBLISHED / "dsrs-slice.txt"
CONDITIONS = {"sigma": 0.5, "draws": 100_000, "alpha": 0.001}


def cohen_radius(count, *, sigma, draws, alpha):
    """The procedure again, from SciPy's distribution."""
    return sigma * ndtri(beta.ppf(alpha, count, draws - count + 1))


@pytest.mark.parametrize("text", ["{:.3}", "{:.3f}", "{}"])
@pytest.mark.parametrize("draws", [100, 5000])
def test_the_true_count_is_always_among_those_that_fit(text, draws):
    count = np.arange(int(0.7 * draws), draws + 1)
    exact = cohen_radius(count, sigma=0.5, draws=draws, alpha=0.001)
    printed = [text.format(radius) for radius in exact]
    unit = {"{:.3}": 10.0 ** (np.floor(np.log10(exact)) - 2), "{:.3f}": 1e-3, "{}": 0.0}
    fewest, most = counts_from_radii(
        np.array(printed, dtype=float),
        np.broadcast_to(unit[text], exact.shape).astype(float),
        sigma=0.5,
        draws=draws,
        alpha=0.001,
    )
    assert ((fewest <= count) & (count <= most)).all()
    if text == "{}":
        np.testing.assert_array_equal(fewest, most)


@pytest.mark.parametrize(
    ("printed", "unit"),
    [
        (["0.48", "1.02", "0.0426"], [1e-3, 1e-2, 1e-4]),  # significant digits
        (["1.239", "0.32", "0.267"], [1e-3, 1e-3, 1e-3]),  # decimals, zeros dropped
        (["1.2", "0.3"], [1e-1, 1e-1]),
        (["0.480", "12.020"], [1e-3, 1e-3]),
        (["4.26e-05", "0.001"], [1e-7, 1e-5]),
    ],
)
def test_a_unit_is_the_coarser_of_what_two_ways_of_printing_mean(printed, unit):
    np.testing.assert_allclose(printed_units(printed), unit, rtol=1e-12)


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize(
    "text",
    [
        lambda radius: str(round(radius, 3)),  # as pandas' .round(3).to_csv prints
        lambda radius: str(round(radius, 4)),
        lambda radius: f"{radius:.3}",
        lambda radius: f"{radius:.4f}",
        lambda radius: f"{radius:.5}",
    ],
)
def test_no_way_of_printing_recovers_a_wrong_count(text, seed):
    random = np.random.default_rng(seed)
    count = random.integers(6500, 9990, size=4)
    exact = cohen_radius(count, sigma=0.5, draws=10_000, alpha=0.001)
    printed = [text(float(radius)) for radius in exact]
    fewest, most = counts_from_radii(
        np.array(printed, dtype=float),
        printed_units(printed),
        sigma=0.5,
        draws=10_000,
        alpha=0.001,
    )
    assert ((fewest <= count) & (count <= most)).all()


def test_no_radius_is_larger_than_that_of_unanimous_votes():
    for draws in (10, 1000, 100_000):
        limit = largest_radius(sigma=0.5, draws=draws, alpha=0.001)
        exact = cohen_radius(draws, sigma=0.5, draws=draws, alpha=0.001)
        assert limit == pytest.approx(exact, rel=1e-10)


def test_a_published_log_is_reported_and_not_rederivable(tmp_path):
    found = import_file(COHEN, tmp_path / "log", **CONDITIONS)
    assert (found.kind, found.evidence, found.images) == ("cohen", "reported radii", 45)
    limit, kept = found.notes
    assert limit.startswith("5 radii exceed 1.905728, all that 100,000 draws allow")
    assert limit.endswith("they were rounded up in print")
    assert "reported, not re-derivable" in kept
    log = pd.read_csv(COHEN, sep="\t")
    certificates = certify_path(tmp_path / "log")
    # Each less a unit of its last digit of three.
    printed = log["radius"][log["radius"] > 0]
    unit = 10.0 ** (np.floor(np.log10(printed)) - 2)
    reported = certificates.radii["reported"]
    np.testing.assert_allclose(reported[printed.index], printed - unit, rtol=1e-12)
    assert reported.max() < 1.905728 < log["radius"].max()
    assert certificates.e0_lower.max() < 0.001 ** (1 / 100_000)
    np.testing.assert_array_equal(certificates.predicted, log["predict"])
    np.testing.assert_array_equal(certificates.correct, log["correct"] == 1)
    assert certificates.source["notes"].startswith("5 radii exceed")
    assert certificates.source["evidence"] == "reported radii"
    # The log does not say what the top class of its abstentions is.
    assert np.isnan(table1(certificates)["top1"][0])
    assert per_class(certificates)["top1"].isna().all()
    sure = dataset_guarantee(certificates, np.array([0.5]))
    assert sure["share"][0] > 0
    assert sure[["dataset_lower", "population_lower"]].isna().all(axis=None)
    with pytest.raises(InputError, match=r"use --alpha 0\.001"):
        certify_path(tmp_path / "log", alpha=0.01)
    with pytest.raises(InputError, match="no soft scores"):
        certify_path(tmp_path / "log", framework="softmax")


def test_a_log_that_n_cannot_have_given_is_refused_or_of_another_certificate(tmp_path):
    conditions = CONDITIONS | {"draws": 1000}
    with pytest.raises(InputError, match=r"up to 1\.91, exceed 1\.231631.*other"):
        import_file(COHEN, tmp_path / "log", **conditions)
    found = import_file(COHEN, tmp_path / "log", certificate="other", **conditions)
    assert found.evidence == "reported radii"
    certificates = certify_path(tmp_path / "log")
    assert certificates.radius.max() == pytest.approx(1.91 - 0.01)
    assert np.isnan(certificates.e0_lower).all()
    with pytest.raises(InputError, match="cohen cannot be had of it"):
        certify_path(tmp_path / "log", mechanism="cohen")
    with pytest.raises(InputError, match="use --alpha"):
        certify_path(tmp_path / "log", alpha=0.01)


def test_our_own_export_comes_back_with_every_count(tmp_path):
    selection, estimation = (
        random_votes(200, draws=draws, sigma=0.5) for draws in (100, 10_000)
    )
    exported = certify(
        estimation.chosen_by(selection), procedure="two_stage", alpha=0.001
    )
    write_certificates(exported, tmp_path / "log.tsv")
    found = import_file(
        tmp_path / "log.tsv", tmp_path / "log", sigma=0.5, draws=10_000, alpha=0.001
    )
    assert (found.evidence, found.notes) == ("recovered counts", ())
    log = ReportedLog.read(tmp_path / "log")
    named = exported.radius > 0
    true = estimation.counts[np.arange(200), exported.top]
    assert 20 < named.sum() < 200
    np.testing.assert_array_equal(log.most[named], true[named])
    again = certify_path(tmp_path / "log")
    assert again.source["evidence"] == "recovered counts"
    sure = dataset_guarantee(again, np.array([0.1])).set_index("mechanism")
    assert np.isnan(sure.loc["reported", "dataset_lower"])
    assert sure.loc["cohen", "dataset_lower"] > 0
    np.testing.assert_allclose(again.radii["cohen"], exported.radius, rtol=1e-12)
    assert (again.radii["reported"] <= exported.radius).all()
    # Another alpha from the same counts; what the log left out stays an abstention.
    other = certify_path(tmp_path / "log", alpha=0.05)
    expected = certify(
        estimation.chosen_by(selection), procedure="two_stage", alpha=0.05
    ).radius
    np.testing.assert_allclose(other.radius, np.where(named, expected, 0), rtol=1e-12)
    assert list(other.radii) == ["cohen"]


def lines(*changed, header="idx\tlabel\tpredict\tradius\tcorrect\ttime"):
    rows = ["0\t3\t3\t0.48\t1\t0", "1\t8\t8\t1.02\t1\t0", "2\t8\t-1\t0.0\t0\t0"]
    for number, row in changed:
        rows[number] = row
    return "\n".join([header, *rows]) + "\n"


def test_a_running_total_in_correct_is_detected_and_named(tmp_path):
    text = lines((1, "1\t8\t8\t1.02\t2\t0"), (2, "2\t8\t-1\t0.0\t2\t0"))
    (tmp_path / "log.tsv").write_text(text)
    found = import_file(tmp_path / "log.tsv", tmp_path / "log", **CONDITIONS)
    assert "column correct is a running total, a known bug" in found.notes[0]
    assert certify_path(tmp_path / "log").correct.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lines((1, "1\t8\t8\t1.02\t0\t0")), "row 1: correct is '0' but predict is the"),
        (lines((1, "0\t8\t8\t1.02\t1\t0")), "row 1 .*idx was there before"),
        (lines((0, "0\t3\t3\t1_0.4\t1\t0")), "row 0: radius '1_0.4' is not a dist"),
        (lines((0, "0\t3\t3\t0,4\t1\t0")), "'0,4' is not a .*decimal comma"),
        (lines((0, "0\t3\t3\t０.4\t1\t0")), "'０.4' is not a distance"),
        (lines((1, "x\t8\t8\t1.02\t1\t0")), "row 1: idx 'x' is not a whole number"),
        (lines((1, "1\t-8\t8\t1.02\t1\t0")), "row 1 .*label is negative"),
        (
            lines(header="idx\tlabel\tpredict\tr\tcorrect\ttime"),
            "looks most like a cert.* has no 'radius'",
        ),
        ("idx\tlabel\tpredict\tradius\tcorrect\n", "holds no rows"),
        (
            lines((1, "1\t8\t8\t1.02\t1\t0\t7\t7")),
            "line 3: 8 fields, not 6 as the header",
        ),
        (
            lines(header="idx\tlabel\tpredict\tradius\tcorrect"),
            "line 2: 6 fields, not 5 as the header",
        ),
        (lines((1, "inf\t8\t8\t1.02\t1\t0")), "idx 'inf' is not a whole number"),
        (lines((1, "1e300\t8\t8\t1.02\t1\t0")), "idx '1e300' is not a whole"),
    ],
)
def test_logs_that_no_certification_wrote_are_refused(tmp_path, text, message):
    (tmp_path / "log.tsv").write_text(text)
    with pytest.raises(InputError, match=message):
        import_file(tmp_path / "log.tsv", tmp_path / "log", **CONDITIONS)
    assert not (tmp_path / "log").exists()


def test_the_conditions_of_a_log_must_be_given_and_legal(tmp_path):
    with pytest.raises(InputError, match="give --sigma, --draws and --alpha"):
        import_file(COHEN, tmp_path / "log", sigma=0.5)
    for name, value in (
        ("sigma", 0.0),
        ("draws", 0),
        ("draws", 10**23),
        ("alpha", 1.0),
    ):
        with pytest.raises(InputError, match=f"^{name} must be"):
            import_file(COHEN, tmp_path / "log", **(CONDITIONS | {name: value}))


def test_another_log_never_replaces_one(tmp_path):
    import_file(COHEN, tmp_path / "log", **CONDITIONS)
    import_file(COHEN, tmp_path / "log", **CONDITIONS)
    with pytest.raises(InputError, match="holds another log"):
        import_file(COHEN, tmp_path / "log", **(CONDITIONS | {"alpha": 0.01}))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(InputError, match="is something else"):
        import_file(COHEN, tmp_path / "full", **CONDITIONS)
    (tmp_path / "log" / "reported.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="is damaged"):
        certify_path(tmp_path / "log")
    with pytest.raises(InputError, match="not an imported log"):
        LogEvidence(tmp_path)
    import_file(COHEN, tmp_path / "log", **CONDITIONS)  # the same again mends it
    assert list(certify_path(tmp_path / "log").radii) == ["reported"]


def test_a_log_that_was_edited_after_its_import_is_refused(tmp_path):
    (tmp_path / "log.tsv").write_text(lines())
    log = tmp_path / "log"
    import_file(tmp_path / "log.tsv", log, **CONDITIONS)
    before = certify_path(log)
    file = log / "reported.parquet"
    content = file.read_bytes()
    silent = 0
    for byte in range(0, len(content), 7):
        flipped = bytearray(content)
        flipped[byte] ^= 1 << byte % 8
        file.write_bytes(flipped)
        try:
            after = certify_path(log)
        except InputError:
            continue
        silent += 1  # what Parquet does not use
        np.testing.assert_array_equal(after.radius, before.radius)
        np.testing.assert_array_equal(after.labels, before.labels)
        assert after.source == before.source
    assert silent < len(content) / 7
    file.write_bytes(content)
    table = pq.read_table(file)
    most = table.schema.get_field_index("most")
    for changed in (
        table.set_column(most, "most", table["fewest"]),
        table.slice(1),
        table.set_column(most, "most", table["most"].cast("uint64")),
        table.drop_columns("unit"),
    ):
        pq.write_table(changed, file)
        with pytest.raises(InputError, match="was edited"):
            certify_path(log)


FORGED = {
    "nothing": lambda log: {name: log[name][:0] for name in log},
    "half a class": lambda log: log | {"label": log["label"] + 0.5},
    "no class": lambda log: log | {"label": log["label"] - 10},
    "below abstention": lambda log: log | {"predicted": log["predicted"] - 3},
    "a class that no float has": lambda log: log | {"label": log["label"] + 2**53},
    "a radius that is none": lambda log: log | {"radius": -1 - log["radius"]},
    "an endless radius": lambda log: log | {"radius": log["radius"] + np.inf},
    "an image twice": lambda log: log | {"image": log["image"] * 0},
    "a unit that is none": lambda log: log | {"unit": log["unit"] * np.nan},
    "more votes than draws": lambda log: log | {"most": log["most"] + 10**6},
    "counts of text": lambda log: log | {"most": log["most"].astype(float)},
    "deep conditions": b"[" * 200_000,
    "large conditions": b'{"sigma": ' + b"9" * 5000 + b"}",
    "no conditions": b"null",
    "no text": b"\xff",
    "draws beyond counting": b'{"sigma": 0.5, "draws": 1' + b"0" * 299 + b"}",
}


@pytest.mark.parametrize("forgery", FORGED)
def test_a_log_that_somebody_else_made_is_held_to_the_same_rules(
    forgery, tmp_path, simplicert
):
    (tmp_path / "log.tsv").write_text(lines())
    log = tmp_path / "log"
    import_file(tmp_path / "log.tsv", log, **CONDITIONS)
    before = pq.read_table(log / FILE)
    columns = {name: before[name].to_numpy() for name in before.column_names}
    stated = before.schema.metadata[_KEY]
    change = FORGED[forgery]
    if isinstance(change, bytes):
        stated = change
    else:
        columns = change(columns)
    metadata = {_KEY: stated, _DIGEST: _digest(stated, columns)}
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), log / FILE)
    code, out, err = simplicert("certify", log)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "import the log again" in err


def test_a_killed_import_of_a_log_leaves_nothing_in_the_way(tmp_path, monkeypatch):
    (tmp_path / "log").mkdir()
    leftover = tmp_path / "log" / ".reported.parquet.01234567.tmp"
    leftover.write_bytes(b"PAR1")
    import_file(COHEN, tmp_path / "log", **CONDITIONS)
    assert not leftover.exists()

    def interrupted(table, path):
        path.write_bytes(b"PAR1")
        raise KeyboardInterrupt

    monkeypatch.setattr("pyarrow.parquet.write_table", interrupted)
    with pytest.raises(KeyboardInterrupt):
        import_file(COHEN, tmp_path / "other", **CONDITIONS)
    assert list((tmp_path / "other").iterdir()) == []


def test_what_would_need_a_logs_votes_is_refused(tmp_path):
    log = tmp_path / "log"
    import_file(COHEN, log, **CONDITIONS)
    for options, message in (
        ({"mechanism": "nonsense"}, "nonsense cannot be had of it"),
        ({"mechanism": "neyman_pearson"}, "It has: reported"),
        ({"selection": 7}, "nor another selection"),
        ({"procedure": "clopper_pearson"}, "is a log of the two-stage procedure"),
    ):
        with pytest.raises(InputError, match=message):
            certify_path(log, **options)
    same = certify_path(log, mechanism="cohen", procedure="two_stage")
    assert same.mechanism == "reported"


def test_a_recovered_log_offers_both_of_its_columns(tmp_path):
    votes = random_votes(20, draws=1000).chosen_by(random_votes(20, draws=100))
    exported = certify(votes, procedure="two_stage")
    write_certificates(exported, tmp_path / "log.tsv")
    log = tmp_path / "log"
    import_file(tmp_path / "log.tsv", log, sigma=0.25, draws=1000, alpha=0.001)
    assert certify_path(log).mechanism == "cohen"
    assert certify_path(log, mechanism="reported").mechanism == "reported"
    with pytest.raises(InputError, match="It has: cohen"):
        certify_path(log, mechanism="reported", alpha=0.01)


def test_dsrs_intervals_are_those_of_the_recovered_counts(tmp_path):
    found = import_file(DSRS, tmp_path / "run")
    assert (found.kind, found.evidence, found.images) == ("dsrs", "votes", 36)
    assert (found.sigma, found.draws) == (0.5, 50_000)
    votes = read_run(tmp_path / "run")
    rows = [line.split() for line in DSRS.read_text().splitlines() if line[:1] == "o"]
    np.testing.assert_array_equal(votes.indices, [int(row[1]) for row in rows])
    count = votes.counts[:, 0]
    np.testing.assert_array_equal(votes.counts.sum(axis=1), 50_000)
    each = 0.0005 / 2
    low = np.nan_to_num(beta.ppf(each, count, 50_000 - count + 1))
    high = np.nan_to_num(beta.isf(each, count + 1, 50_000 - count), nan=1.0)
    np.testing.assert_allclose([float(row[2]) for row in rows], low, rtol=1e-8)
    np.testing.assert_allclose([float(row[3]) for row in rows], high, rtol=1e-8)
    assert {0, 50_000} < set(count.tolist())  # both ends are among them
    certificates = certify_path(tmp_path / "run", mechanism="cohen")
    lower = beta.ppf(0.001 / 2, np.maximum(count, 1), 50_000 - count + 1)
    np.testing.assert_array_equal(certificates.correct, lower > 0.5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("gaussian", "general-gaussian", "'general-gaussian' noise"),
        ("x std 0.5\n", "", "has no header line `x std"),
        ("x N 50000", "x N 40000", "not the Clopper-Pearson interval of any count"),
        ("0.8049041946398782", "0.8049041", "not the Clopper-Pearson interval"),
        ("o 10 ", "p 10 ", "is neither `x key value` nor"),
        ("x alpha 0.0005", "x alpha high", "header line x alpha: 'high' is not"),
        ("x alpha 0.0005", "x alpha 2", "no run has `x alpha 2`"),
        ("x N 50000", "x N inf", "header line x N: 'inf' is not a number"),
        ("x N 50000", "x N nan", "header line x N: 'nan' is not a number"),
        ("x std 0.5", "x std -1", "no run has `x std -1`"),
        ("o 10 ", "o 99999999999999999999 ", "is neither `x key value` nor"),
    ],
)
def test_a_dsrs_log_that_was_edited_is_refused(tmp_path, old, new, message):
    text = DSRS.read_text()
    assert old in text
    (tmp_path / "log.txt").write_text(text.replace(old, new))
    with pytest.raises(InputError, match=message):
        import_file(tmp_path / "log.txt", tmp_path / "run")
    with pytest.raises(InputError, match=r"says sigma 0\.5, not 0\.25"):
        import_file(DSRS, tmp_path / "run", sigma=0.25)


def test_a_binary_file_is_no_log(tmp_path):
    (tmp_path / "log.bin").write_bytes(b"\x89PNG\xff\xfe")
    for kind, conditions in (("dsrs", {}), ("cohen", CONDITIONS)):
        with pytest.raises(InputError, match="text"):
            import_file(tmp_path / "log.bin", tmp_path / "run", kind=kind, **conditions)
