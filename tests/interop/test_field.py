"""What others write: every spelling of one thing reads the same, and nothing else."""

import bz2
import gzip
import itertools
import json
import lzma
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from voted import random_votes

from simplicert.analysis import per_class
from simplicert.certificates import certify
from simplicert.errors import InputError
from simplicert.interop import LogEvidence, ReportedLog, certify_path, import_file
from simplicert.interop.reported import _digest
from simplicert.report.content import page_data
from simplicert.report.load import load_runs
from simplicert.votes import RunDirectory, read_run

CONDITIONS = {"sigma": 0.5, "draws": 10_000, "alpha": 0.001}
ESTIMATION = random_votes(60, draws=10_000, sigma=0.5)
VOTES = ESTIMATION.chosen_by(random_votes(60, draws=100, sigma=0.5))
EXACT = certify(VOTES, procedure="two_stage", alpha=0.001)
NAMED = EXACT.radius > 0
COUNT = np.where(NAMED, ESTIMATION.counts[np.arange(60), EXACT.top], 0)


def log(radius="{:.6f}", **more):
    """The log of ``EXACT`` as a frame of text, so that nothing is printed otherwise."""
    rounded = [
        radius.format(np.floor(each * 1e6) / 1e6) if each else "0.0"
        for each in EXACT.radius
    ]
    columns = {
        "idx": EXACT.indices,
        "label": EXACT.labels,
        "predict": EXACT.predicted,
        "radius": rounded,
        "correct": EXACT.correct.astype(int),
        "time": ["0:00:14.03"] * 60,
    }
    return pd.DataFrame(columns | more).astype(str)


def tsv(frame, sep="\t", **options):
    return frame.to_csv(sep=sep, index=False, lineterminator="\n", **options)


def imported(tmp_path, content, name="log.tsv", **options):
    """The file imported; what was found and its certificates or votes."""
    file = tmp_path / name
    if isinstance(content, str):
        content = content.encode()
    if content is not None:
        file.write_bytes(content)
    found = import_file(file, tmp_path / "out", **options)
    return found, tmp_path / "out"


HEADER, *ROWS = tsv(log()).splitlines()


def with_cells(frame, **functions):
    return frame.assign(**{k: frame[k].map(f) for k, f in functions.items()})


SPELLINGS = {
    "tabs": tsv(log()),
    "commas": tsv(log(), ","),
    "semicolons": tsv(log(), ";"),
    "bars": tsv(log(), "|"),
    "spaces": tsv(log()).replace("\t", "    "),
    "tabs and spaces": tsv(log()).replace("\t", " \t "),
    "carriage returns": tsv(log()).replace("\n", "\r\n"),
    "capitals": tsv(log().rename(columns=str.upper)),
    "spaced names": tsv(log().rename(columns={"label": " True Label "}), ","),
    "their names": tsv(
        log().rename(columns={"idx": "Image", "label": "y_true", "predict": "pred"})
    ),
    "a comment": "# sigma 0.5\n# alpha = 0.001, N: 10000\n" + tsv(log()),
    "a title": "Certified on test\n" + tsv(log()),
    "a header again": "\n".join([HEADER, *ROWS[:9], HEADER, *ROWS[9:]]),
    "a summary": tsv(log()) + "certified accuracy: 0.43\naverage\t0\t0\t0.1\t0\t0\n",
    "a halt": tsv(log()) + "60\t3\t3",
    "no header": "\n".join(ROWS),
    "an index column": log().to_csv(),
    "only an index column": log().drop(columns="idx").to_csv(),
    "truths": tsv(with_cells(log(), correct={"1": "True", "0": "False"}.get)),
    "tensors": tsv(
        with_cells(
            log(),
            predict="tensor({}, device='cuda:0')".format,
            correct={"1": "tensor(True)", "0": "tensor(False)"}.get,
            radius="np.float64({})".format,
        )
    ),
    "radius -1": tsv(with_cells(log(), radius=lambda r: "-1.0" if r == "0.0" else r)),
    "radius nan": tsv(with_cells(log(), radius=lambda r: "nan" if r == "0.0" else r)),
    "predict nan": tsv(with_cells(log(), predict=lambda p: "nan" if p == "-1" else p)),
    "ABSTAIN": tsv(with_cells(log(), predict=lambda p: "ABSTAIN" if p == "-1" else p)),
    "an abstention's radius": tsv(
        with_cells(log(), radius=lambda r: "0.25" if r == "0.0" else r)
    ),
    "UTF-8 with a mark": tsv(log()).encode("utf-8-sig"),
    "UTF-16": tsv(log()).encode("utf-16"),
    "UTF-16 without a mark": tsv(log()).encode("utf-16-le"),
    "Latin-1": ("# für\n" + tsv(log())).encode("latin-1"),
    "gzip": gzip.compress(tsv(log()).encode()),
    "bzip2": bz2.compress(tsv(log()).encode()),
    "xz": lzma.compress(tsv(log()).encode()),
    "JSON": log().to_json(orient="records"),
    "JSON lines": log().to_json(orient="records", lines=True),
    "JSON columns": log().to_json(orient="columns"),
    "JSON with facts": json.dumps({"sigma": 0.5, "rows": log().to_dict("records")}),
    "conditions in columns": tsv(log(sigma="0.5", alpha="0.001", n="10000")),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_of_a_log_reads_the_same(tmp_path, spelling):
    found, out = imported(tmp_path, SPELLINGS[spelling], **CONDITIONS)
    assert (found.kind, found.evidence, found.images) == (
        "cohen",
        "recovered counts",
        60,
    )
    certificates = certify_path(out)
    np.testing.assert_allclose(certificates.radius, EXACT.radius, rtol=1e-12)
    np.testing.assert_array_equal(certificates.predicted, EXACT.predicted)
    np.testing.assert_array_equal(certificates.labels, EXACT.labels)
    np.testing.assert_array_equal(LogEvidence(out).log.most, COUNT)
    assert all(len(note) < 200 for note in found.notes)


@pytest.mark.parametrize("kind", ["float64", "float32"])
def test_a_log_in_parquet_is_read_with_the_digits_that_its_floats_have(tmp_path, kind):
    frame = log().astype({"radius": kind}).astype({"idx": int, "predict": int})
    frame["radius"] = EXACT.radius.astype(kind)
    frame.to_parquet(tmp_path / "log.parquet")
    _, out = imported(tmp_path, None, "log.parquet", **CONDITIONS)
    kept = LogEvidence(out).log
    assert ((kept.fewest <= COUNT) & (kept.most >= COUNT)).all()
    assert (certify_path(out).radii["reported"] <= EXACT.radius).all()


COUNTED = {
    "a count": tsv(log(raw_count=COUNT).drop(columns="radius")),
    "a count and a bound": tsv(
        log(nA=COUNT, pABar=EXACT.e0_lower).drop(columns="radius")
    ),
    "a count and a coarse radius": tsv(log("{:.2f}", count=COUNT)),
    "a count and another radius": tsv(
        log(count=COUNT, exact_radius="9.9").drop(columns="radius")
    ),
    "a bound": tsv(log(p_A_bar=EXACT.e0_lower).drop(columns="radius")),
    "a bound and a coarse radius": tsv(log("{:.2f}", pABar=EXACT.e0_lower)),
}


@pytest.mark.parametrize("evidence", COUNTED)
@pytest.mark.parametrize("alpha", [0.001, 0.05])
def test_counts_beside_radii_are_the_evidence_at_any_alpha(tmp_path, evidence, alpha):
    found, out = imported(tmp_path, COUNTED[evidence], **CONDITIONS)
    assert found.evidence == "recovered counts"
    again = certify_path(out, alpha=alpha)
    expected = certify(VOTES, procedure="two_stage", alpha=alpha).radius
    np.testing.assert_allclose(again.radius, np.where(NAMED, expected, 0), rtol=1e-12)


def test_counts_that_are_not_those_of_the_radii_are_said_or_refused(tmp_path):
    more = COUNT.copy()
    row = int(np.argmax(NAMED))
    more[row] += 100
    found, out = imported(tmp_path, tsv(log(count=more)), **CONDITIONS)
    assert any("radius is not that of the votes" in note for note in found.notes)
    assert LogEvidence(out).log.most[row] == COUNT[row]
    for wrong in ({"draws": 20_000}, {"alpha": 0.1}):
        with pytest.raises(InputError, match=r"not that of .* --certificate other"):
            imported(tmp_path, tsv(log(count=COUNT)), **CONDITIONS | wrong)
    content = tsv(log(count=COUNT).drop(columns="radius"))
    with pytest.raises(InputError, match=r"votes of 5,000 draws"):
        imported(tmp_path, content, **CONDITIONS | {"draws": 5000})
    content = tsv(log(count=COUNT).assign(radius="0.9"))
    options = CONDITIONS | {"ignore_column": ["radius"]}
    (tmp_path / "alone").mkdir()
    _, out = imported(tmp_path / "alone", content, **options)
    np.testing.assert_array_equal(LogEvidence(out).log.most[NAMED], COUNT[NAMED])


def test_a_log_that_abstains_everywhere_certifies_nothing(tmp_path):
    _, out = imported(tmp_path, tsv(log(predict="-1", correct="0")), **CONDITIONS)
    assert certify_path(out).radius.max() == 0
    assert certify_path(out, alpha=0.5).predicted.max() == -1


def test_a_class_that_is_named_with_no_ball_is_not_certified(tmp_path):
    for radius in ("-1", "nan", "inf", "1e400", "-0.2", "0"):
        (tmp_path / radius).mkdir()
        frame = log()
        frame.loc[0, ["predict", "radius", "label", "correct"]] = "3", radius, "3", "0"
        _, out = imported(tmp_path / radius, tsv(frame), **CONDITIONS)
        assert certify_path(out).predicted[0] == -1


NEAR_MISSES = {
    "no radius": (
        tsv(log().drop(columns="radius")),
        r"looks most like a certification log .* no 'radius' \(or 'count'\)",
    ),
    "no label": (
        tsv(log().drop(columns="label")),
        "looks most like a certification log .* no 'label'. Its columns: idx, predict",
    ),
    "no predict": (
        tsv(log().drop(columns="predict")),
        "looks most like a certification log .* no 'predict'",
    ),
    "other radii only": (
        tsv(log().rename(columns={"radius": "dipole_radius"})),
        "no column 'radius', but dipole_radius: .* --certificate other",
    ),
    "decimal commas": (
        tsv(log(), ";").replace(".", ","),
        "is not a distance .a decimal comma",
    ),
    "another sigma": ("# sigma=0.25\n" + tsv(log()), r"says sigma 0\.25, not 0\.5"),
    "two sigmas": (
        tsv(log(sigma=["0.5"] * 30 + ["0.25"] * 30)),
        r"says sigma 0\.25, 0\.5, not 0\.5",
    ),
    "another noise": (
        tsv(log(noise="uniform")),
        r"says noise uniform, not gaussian: give --noise, and --norm",
    ),
    "another norm": (tsv(log(norm="1")), "says norm l1, not l2"),
    "a row too long": (
        tsv(log()) + "60\t3\t3\t0.4\t1\t0\t7\n",
        "line 62: 7 fields, not 6 as the header has",
    ),
    "a row cut inside": (
        "\n".join([HEADER, *ROWS[:9], "9\t3", *ROWS[10:]]),
        "line 11: 2 fields, not 6",
    ),
    "an estimate that is no bound": (
        tsv(log(pA="0.9").drop(columns="radius")),
        "looks most like a certification log",
    ),
    "no rows": (HEADER, "holds no rows"),
    "underscores": (
        "\n".join([HEADER, *ROWS, "1_7" + ROWS[0][1:]]),
        "idx '1_7' is not a whole number",
    ),
    "digits of another script": (
        "\n".join([HEADER, *ROWS, "٧" + ROWS[0][1:]]),
        "idx '٧' is not a whole number",
    ),
}


@pytest.mark.parametrize("miss", NEAR_MISSES)
def test_a_near_miss_is_told_exactly(tmp_path, miss):
    content, message = NEAR_MISSES[miss]
    with pytest.raises(InputError, match=message):
        imported(tmp_path, content, **CONDITIONS)
    assert not (tmp_path / "out").exists()


def test_noise_norm_and_certificate_of_a_log_are_said_stored_and_shown(tmp_path):
    content = tsv(log("{:.2f}"))
    with pytest.raises(InputError, match="say --norm none"):
        imported(tmp_path, content, **CONDITIONS | {"sigma": 10.0})
    options = CONDITIONS | {"sigma": 10.0, "noise": "translation", "norm": "none"}
    found, out = imported(tmp_path, content, **options)
    assert found.evidence == "reported radii"
    certificates = certify_path(out)
    assert str(certificates.noise) == "translation noise, no balls of inputs"
    assert certificates.table()["norm"].unique().tolist() == ["none"]
    np.testing.assert_allclose(
        certificates.radius, np.maximum(log("{:.2f}")["radius"].astype(float) - 0.01, 0)
    )
    with pytest.raises(InputError, match="holds another log"):
        imported(tmp_path, content, **options | {"norm": "linf"})
    with pytest.raises(InputError, match="Cohen's certificate is of gaussian"):
        imported(tmp_path, content, **options | {"certificate": "cohen"})
    with pytest.raises(InputError, match="unknown certificate 'cohn'"):
        imported(tmp_path, content, **CONDITIONS | {"certificate": "cohn"})


def test_a_log_of_the_schema_before_reads_as_it_did(tmp_path):
    _, out = imported(tmp_path, tsv(log()), **CONDITIONS)
    file = out / "reported.parquet"
    table = pq.read_table(file)
    stated = json.loads(table.schema.metadata[b"simplicert.reported"])
    for name in ("noise", "norm", "certificate", "printed"):
        del stated[name]
    older = json.dumps(stated | {"schema_number": 2}).encode()
    columns = {name: table.column(name).to_numpy() for name in table.column_names}
    digest = _digest(older, columns)
    table = table.replace_schema_metadata(
        {b"simplicert.reported": older, b"simplicert.digest": digest}
    )
    before = certify_path(out)
    pq.write_table(table, file)
    pd.testing.assert_frame_equal(certify_path(out).table(), before.table())
    imported(tmp_path, tsv(log()), **CONDITIONS)  # the same again is no other log
    assert ReportedLog.read(out).conditions.schema_number == 3


def test_a_class_of_a_huge_number_costs_nothing(tmp_path):
    frame = log()
    frame.loc[0, ["label", "correct"]] = "100000000", "0"
    _, out = imported(tmp_path, tsv(frame), **CONDITIONS)
    names = per_class(certify_path(out))["name"]
    assert names.iloc[-1] == "100000000"
    data = page_data(load_runs([out]), most_images=10)
    assert len(json.dumps(data)) < 100_000


COUNTS = random_votes(30, classes=4, draws=1000)
WIDE = pd.DataFrame(COUNTS.counts, columns=["cat", "dog", "eel", "fox"])
EXTRAS = {
    "label": COUNTS.labels,
    "n": 1000,
    "quux": 1000,  # a total of no name that is known
    "idx": COUNTS.indices,
    "": np.arange(30),
    "filename": [f"img/{i}.png" for i in range(30)],
    "correct": [True, False] * 15,
    "radius": np.linspace(0, 1, 30),
    "sigma": 0.5,
}


@pytest.mark.parametrize("seed", range(40))
def test_no_other_column_becomes_a_class(tmp_path, seed):
    random = np.random.default_rng(seed)
    chosen = random.permutation(list(EXTRAS))[: random.integers(1, len(EXTRAS))]
    frame = WIDE.assign(**{name: EXTRAS[name] for name in chosen})
    if "label" in frame:
        frame["label"] = WIDE.columns[COUNTS.labels]
    frame = frame[random.permutation(frame.columns)]
    if "" in frame:  # pandas has it first
        frame = frame[["", *frame.columns.drop("")]]
    found, out = imported(tmp_path, tsv(frame, ","), "c.csv", sigma=0.5)
    votes = read_run(out)
    names = RunDirectory(out).manifest.data.class_names
    order = [names.index(name) for name in WIDE]
    np.testing.assert_array_equal(votes.counts[:, order], COUNTS.counts)
    assert (found.kind, found.draws) == ("counts", 1000)
    assert (votes.labels is not None) == ("label" in chosen)


@pytest.mark.parametrize("seed", range(20))
def test_without_names_a_column_is_no_class_or_it_is_asked(tmp_path, seed):
    random = np.random.default_rng(seed)
    extras = [COUNTS.labels, np.full(30, 1000), np.full(30, 2), np.arange(30)]
    chosen = [extras[i] for i in random.permutation(4)[: random.integers(1, 3)]]
    matrix = np.column_stack([COUNTS.counts, *chosen])
    np.save(tmp_path / "c.npy", matrix[:, random.permutation(matrix.shape[1])])
    try:
        _, out = imported(tmp_path, None, "c.npy", sigma=0.5)
    except InputError as error:
        asked = str(error)
    else:
        asked = ""
        counts = np.sort(read_run(out).counts, axis=1)
        np.testing.assert_array_equal(counts, np.sort(COUNTS.counts, axis=1))
    assert not asked or "--ignore-column" in asked


def long_form(names=WIDE.columns):
    frame = WIDE.set_axis(names, axis=1).assign(
        image=COUNTS.indices, label=[names[i] for i in COUNTS.labels]
    )
    frame = frame.melt(["image", "label"], var_name="class", value_name="count")
    return frame[frame["count"] > 0].sample(frac=1, random_state=0)


FORMS = {
    "names as labels": tsv(WIDE.assign(label=WIDE.columns[COUNTS.labels]), ","),
    "numbered names as labels": tsv(
        WIDE.set_axis([f"class_{i}" for i in range(4)], axis=1).assign(
            label=[f"class_{i}" for i in COUNTS.labels]
        )
    ),
    "numbers from 1, by name": tsv(
        WIDE.set_axis(list("1234"), axis=1).assign(label=COUNTS.labels + 1)
    ),
    "columns in another order": tsv(
        WIDE.set_axis([f"c{i}" for i in range(4)], axis=1)[
            ["c2", "c0", "c3", "c1"]
        ].assign(label=COUNTS.labels)
    ),
    "long": tsv(long_form(), ","),
    "long, of numbers": tsv(long_form(list("0123")), ","),
    "JSON lines": "\n".join(
        json.dumps({"image": i, "label": int(y), "counts": c.tolist()})
        for i, y, c in zip(
            COUNTS.indices.tolist(), COUNTS.labels, COUNTS.counts, strict=True
        )
    ),
    "JSON, by name": json.dumps(
        [
            {
                "label": WIDE.columns[y],
                "votes": dict(zip(WIDE, map(int, c), strict=True)),
            }
            for y, c in zip(COUNTS.labels, COUNTS.counts, strict=True)
        ]
    ),
    "JSON of arrays": json.dumps(
        {"counts": COUNTS.counts.tolist(), "labels": COUNTS.labels.tolist()}
    ),
    "gzip": gzip.compress(tsv(WIDE.assign(target=COUNTS.labels), ",").encode()),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_counts_reads_the_same(tmp_path, form):
    _, out = imported(tmp_path, FORMS[form], "c.txt", sigma=0.5)
    votes = read_run(out)
    order = np.argsort(votes.indices)
    if form.startswith("long"):  # classes in the order in which they occur
        names = RunDirectory(out).manifest.data.class_names
        classes = [names.index(name) for name in WIDE] if names else [0, 1, 2, 3]
    else:
        classes = [0, 1, 2, 3]
    labels = votes.labels[order]
    expected = COUNTS.counts[np.argsort(COUNTS.indices)]
    truth = COUNTS.labels[np.argsort(COUNTS.indices)]
    if "JSON, by name" in form or form.startswith(
        ("names", "num", "col", "JSON of", "gz")
    ):
        expected, truth = COUNTS.counts, COUNTS.labels
    np.testing.assert_array_equal(votes.counts[order][:, classes], expected)
    np.testing.assert_array_equal(labels, np.array(classes)[truth])


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("separator", list(",\t;"))
def test_names_that_are_numbers_in_turn_are_names(tmp_path, first, index, separator):
    frame = WIDE.set_axis([str(first + i) for i in range(4)], axis=1)
    text = frame.to_csv(index=index, sep=separator)
    _, out = imported(tmp_path, text, "c.txt", sigma=0.5)
    np.testing.assert_array_equal(read_run(out).counts, COUNTS.counts)


@pytest.mark.parametrize("name", ["count", "n", "c", "votes", "top_count_"])
@pytest.mark.parametrize("others", list(itertools.product(["", "predict"], ["", "n"])))
def test_numbered_classes_are_not_the_top_two(tmp_path, name, others):
    extra = {"predict": COUNTS.counts.argmax(1), "n": 1000}
    frame = WIDE.set_axis([f"{name}{i}" for i in range(1, 5)], axis=1)
    frame = frame.assign(**{each: extra[each] for each in others if each})
    found, out = imported(tmp_path, tsv(frame, ","), "c.csv", sigma=0.5)
    assert found.kind == "counts"
    np.testing.assert_array_equal(read_run(out).counts, COUNTS.counts)


def test_a_runner_up_that_is_none_is_refused(tmp_path):
    text = "pred,count1,count2,count3,n\n0,500,100,400,1000\n"
    with pytest.raises(InputError, match="count2 is not the runner-up: another has"):
        imported(tmp_path, text, "c.csv", sigma=0.5, kind="top_two")


def test_what_is_asked_tells_what_a_file_is_meant_to_be(tmp_path):
    with pytest.raises(InputError, match=r"like a certification log.*'pred"):
        imported(
            tmp_path,
            "label,radius\n1,0.5\n2,0.3\n",
            "l.csv",
            sigma=0.5,
            draws=9,
            alpha=0.1,
        )


def test_shares_of_the_votes_are_no_bounds(tmp_path):
    text = "label,predict,pABar\n1,1,0.998\n2,2,0.75\n"
    with pytest.raises(InputError, match="holds multiples of 1 / 1,000, as shares"):
        imported(tmp_path, text, "l.csv", sigma=0.5, draws=1000, alpha=0.001)


def test_radii_that_are_no_distances_are_said_to_be_none(simplicert, tmp_path):
    text = "idx,label,predict,radius\n0,1,1,10.5\n1,2,2,3.25\n"
    asked = {"draws": 99, "alpha": 0.01, "noise": "rotation", "norm": "none"}
    _, out = imported(tmp_path, text, "l.csv", sigma=20, **asked)
    _, said, wrong = simplicert("certify", out)
    _, _, more = simplicert("report", out, "-o", tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    for each in (said, repr(certify_path(out)), page):
        assert "(no distance between inputs)" in each
        assert not re.search(r"none (radi|ball|dist)", each)
    assert not wrong.count("error") + more.count("error")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n700,200\n500,400\n", "does not say how many draws .* give --draws"),
        ("a,b\n700,200\n500,300\n", "does not say how many draws .* give --draws"),
        ("a,b,nan\n700,200,99\n500,300,9\n", "does not say how many draws"),
    ],
)
def test_how_many_draws_gave_no_class_is_not_guessed(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        imported(tmp_path, text, "c.csv", sigma=0.5, invalid_draws=True)


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("sigma", [0.5, 0.25], "says sigma 0.25, 0.5, not 0.5"),
        ("sigma", [0.25, 0.25], "says sigma 0.25, not 0.5"),
        ("n", [1000, 1000], "the counts sum to 10, not to 1,000"),
        ("noise", ["uniform"] * 2, "says noise uniform, not gaussian"),
    ],
)
def test_what_a_long_table_says_of_its_rows_is_read(tmp_path, column, values, message):
    frame = pd.DataFrame(
        {"image": [0, 0, 1, 1], "class": [0, 1, 0, 1], "count": [9, 1, 5, 5]}
    ).assign(**{column: np.repeat(values, 2)})
    with pytest.raises(InputError, match=message):
        imported(tmp_path, tsv(frame, ","), "c.csv", sigma=0.5)


def test_an_array_of_one_number_is_a_fact(tmp_path):
    np.savez(tmp_path / "c.npz", counts=COUNTS.counts, sigma=np.array([0.25]))
    with pytest.raises(InputError, match=r"says sigma 0.25, not 0.5"):
        imported(tmp_path, None, "c.npz", sigma=0.5)


@pytest.mark.parametrize(
    ("first", "second"),
    [("predict", "pred"), ("counts", "votes"), ("radius", "radii"), ("pABar", "p_a")],
)
def test_of_two_columns_that_differ_none_is_chosen(tmp_path, first, second):
    frame = log()
    frame["counts"] = COUNT
    frame[first] = frame.get(first, "0.9")
    frame[second.replace("p_a", "p_A_lower")] = "7"
    message = "may be in any of .*: leave all but one out with --ignore-column"
    with pytest.raises(InputError, match=message):
        imported(tmp_path, tsv(frame), **CONDITIONS)


COUNTS_REFUSED = {
    "labels from 1": (
        "a,b,c,label\n5,3,2,1\n2,6,2,3\n1,1,8,2\n",
        "row 1: label 3, but labels must lie in 0 … 2; labels start at 1 here",
    ),
    "a label that has no column": (
        "3,5,7,label\n5,3,2,3\n2,6,2,4\n",
        "row 1: label 4, but the columns are of classes 3, 5, 7",
    ),
    "labels from 0 where columns start at 1": (
        "c1,c2,c3,label\n5,3,2,0\n2,6,2,1\n",
        "label 0, but the columns are of classes 1, 2, 3; write the labels as these",
    ),
    "a constant column": (
        "a,b,c,klasse\n900,50,50,2\n400,300,300,2\n",
        "column klasse is 2 in every row, and without it .*1,000.*--label-column",
    ),
    "a varying column": (
        "a,b,c,klasse\n900,50,50,2\n400,300,300,1\n",
        "without column klasse all rows sum to 1,000: is it a label",
    ),
    "perhaps a total": (
        "a,b,c\n1000,900,100\n",
        "column a has the sum of the others in every row. If it is their total",
    ),
    "perhaps a total of few draws": (
        "a,b,c\n5,2,3\n5,1,4\n5,5,0\n5,4,1\n",
        "column a has the sum of the others in every row",
    ),
    "a wrong total": ("a,b,n\n9,1,10\n5,4,8\n", "column n says 8 draws, but .* 9"),
    "fewer draws": (
        "a,b,n\n900,100,1000\n300,100,400\n",
        "row 1: 400 draws, 1,000 in row 0. Nothing says that these numbers were fixed",
    ),
    "fewer draws, unsaid": (
        "a,b\n900,100\n300,100\n",
        "sum to 400, not to 1,000.*--invalid-draws. Images that stopped early",
    ),
    "two labels": (
        "a,b,label,target\n9,1,0,1\n5,5,1,0\n",
        "the labels may be in any of label, target: say which",
    ),
    "an image and class twice": (
        "image,class,count\n0,a,5\n0,a,5\n1,b,10\n",
        "row 1: image '0' has the class 'a' twice",
    ),
    "top two without n": (
        "top1,top2,count1,count2\n3,5,900,50\n",
        "looks most like counts of the two classes with most votes, but has no 'n'",
    ),
    "top two in another order": (
        "pred,count1,count2,n\n3,50,900,1000\n",
        "row 0: the second class has more votes than the first",
    ),
    "top two of more than two": (
        "pred,count1,count2,n\n3,900,0,1000\n",
        "row 0: the second class has no votes, and others have",
    ),
    "one stage without the other": (
        "label,sel_0,sel_1,est_0\n0,90,10,900\n",
        "looks most like counts of a selection and an estimation",
    ),
    "labels from 1 of which none is the last": (
        "a,b,c,label\n" + "9,1,0,1\n1,9,0,2\n" * 10,
        "label in 0 rows, and the label less 1 in 20: do labels start at 1",
    ),
    "a class that is called like a label": (
        "a,b,true\n5,3,12\n2,6,12\n1,1,18\n",
        "column true may be a class or not: with it the rows sum to 20, without it to",
    ),
    "classes that are called like others": ("y,n\n9,1\n5,5\n", "; n are called like"),
    "two tables side by side": (
        "a0,a1,b0,b1\n9,1,3,7\n2,8,5,5\n",
        "holds two tables of counts, of a0, a1 … and of b0, b1 …",
    ),
    "whole percents": ("a_pct,b (%)\n60,40\n30,70\n", "are no counts: means, prob"),
    "thousands": ("a\tb\n1,250\t8,750\n", "'1,250' is not a number .write its digits"),
    "two sigmas by another name": (
        "a,b,noise level\n9,1,0.5\n5,5,1.0\n",
        "says sigma 0.5, 1, not 0.5",
    ),
    "a comment's draws": ("# n=1000\na,b\n9,1\n", "sum to 10, not to 1,000"),
    "too many": ("a,b\n99999999999999999999,1\n", "is too large"),
    "deep": ("[" * 99_999, "nested too deeply"),
    "a name twice": ('[{"a": 1, "a": 2}]', "has the name 'a' twice"),
}


@pytest.mark.parametrize("case", COUNTS_REFUSED)
def test_counts_that_may_mean_something_else_are_refused_in_words(tmp_path, case):
    content, message = COUNTS_REFUSED[case]
    with pytest.raises(InputError, match=message):
        imported(tmp_path, content, "c.csv", sigma=0.5)
    assert not (tmp_path / "out").exists()


def test_draws_without_a_class_count_for_none(tmp_path):
    content = "a,b,label\n900,100,0\n300,100,1\n"
    found, out = imported(tmp_path, content, sigma=0.5, draws=1000, invalid_draws=True)
    assert "count for none: 1" in found.notes[0]
    assert read_run(out).draws.tolist() == [1000, 1000]
    (tmp_path / "named").mkdir()
    content = "a,b,nan\n900,60,40\n300,100,600\n"
    with pytest.raises(InputError, match=r"column nan seems to .* --invalid-draws"):
        imported(tmp_path / "named", content, sigma=1.0)
    options = {"sigma": 1.0, "invalid_draws": True}
    _, out = imported(tmp_path / "named", content, **options)
    assert read_run(out).counts.tolist() == [[900, 60], [300, 100]]


@pytest.mark.parametrize("classes", [True, False])
def test_the_top_two_counts_certify_as_all_of_them(tmp_path, classes):
    order = np.argsort(-COUNTS.counts, axis=1, kind="stable")
    rows = np.arange(30)
    frame = pd.DataFrame({"idx": COUNTS.indices, "label": COUNTS.labels})
    if classes:
        frame = frame.assign(top1=order[:, 0], top2=order[:, 1])
    frame = frame.assign(
        count1=COUNTS.counts[rows, order[:, 0]],
        count2=COUNTS.counts[rows, order[:, 1]],
        n=1000,
    )
    found, out = imported(tmp_path, tsv(frame), sigma=COUNTS.sigma)
    assert found.kind == "top_two"
    ours, all_of_them = certify_path(out), certify(COUNTS)
    np.testing.assert_array_equal(ours.e0_lower, all_of_them.e0_lower)
    np.testing.assert_array_equal(ours.e1_upper, all_of_them.e1_upper)
    if classes:
        np.testing.assert_array_equal(ours.predicted, all_of_them.predicted)


def test_counts_of_two_stages_certify_as_their_votes(tmp_path):
    frame = pd.DataFrame({"idx": VOTES.indices, "label": VOTES.labels})
    for stage, votes in (("selection", VOTES.selection), ("estimation", VOTES)):
        for place in range(votes.classes):
            frame[f"{stage}_{place}"] = votes.counts[:, place]
    found, out = imported(tmp_path, tsv(frame), sigma=0.5)
    assert (found.kind, found.evidence) == ("two_stage", "recovered counts")
    for alpha in (0.001, 0.1):
        ours = certify_path(out, alpha=alpha)
        theirs = certify(VOTES, procedure="two_stage", alpha=alpha)
        np.testing.assert_array_equal(ours.radius, theirs.radius)
        np.testing.assert_array_equal(ours.predicted, theirs.predicted)


def test_letters_are_classes(tmp_path):
    letters = [chr(ord("a") + i) for i in range(26)]
    frame = pd.DataFrame(np.full((2, 26), 10), columns=letters)
    _, out = imported(tmp_path, tsv(frame), sigma=0.5)
    assert read_run(out).counts.shape == (2, 26)


FORMAT = """
import numpy as np
from simplicert.interop import Counts, Format, Match

def read(table, asked):
    counts = table.frame.to_numpy(str).astype(int) * 100
    return Counts(counts=counts, draws=int(counts.sum(axis=1)[0]), sigma=asked.sigma,
                  indices=np.arange(len(counts)), labels=None, class_names=None)

hundreds = Format("hundreds", "counts in hundreds", frozenset(["sigma"]),
                  lambda table, asked: Match(0), read)
"""


def test_a_format_of_ones_own_is_as_good_as_ours(tmp_path):
    (tmp_path / "mine.py").write_text(FORMAT)
    kind = f"{tmp_path}/mine.py:hundreds"
    found, out = imported(tmp_path, "9,1\n4,6\n", kind=kind, sigma=0.5)
    assert (found.kind, found.draws) == ("hundreds", 1000)
    assert read_run(out).counts.tolist() == [[900, 100], [400, 600]]
    with pytest.raises(InputError, match="--draws is not for counts in hundreds"):
        imported(tmp_path, "9,1\n4,6\n", kind=kind, sigma=0.5, draws=1000)


def test_a_small_packed_file_does_not_take_all_memory(tmp_path, monkeypatch):
    monkeypatch.setattr("simplicert.interop.table_file._MOST_TEXT", 1000)
    with pytest.raises(InputError, match=r"holds more than .* of text"):
        imported(tmp_path, gzip.compress(b"1," * 1000), "c.csv.gz", sigma=0.5)
    cut = gzip.compress(b"a,b\n1,2\n")[:-9]
    with pytest.raises(InputError, match="cannot be read as a table"):
        imported(tmp_path, cut, "c.csv.gz", sigma=0.5)
    assert Path(tmp_path / "out").exists() is False


def archive():
    stored = BytesIO()
    np.savez(stored, counts=COUNTS.counts, labels=COUNTS.labels)
    return stored.getvalue()


WORDS = b"1e400 -1 nan \xff \t , [ { # tensor( label n \xe2\x88\x92 1_0 " + b"9" * 400


@pytest.mark.parametrize("seed", range(12))
def test_damage_of_any_kind_is_read_or_refused_in_a_line(tmp_path, seed):
    random = np.random.default_rng(seed)
    sound = [*SPELLINGS.values(), *COUNTED.values(), *FORMS.values(), archive()]
    sound += [content for content, _ in COUNTS_REFUSED.values()]
    for number in range(40):
        content = sound[random.integers(len(sound))]
        content = bytearray(content.encode() if isinstance(content, str) else content)
        for place in random.integers(len(content), size=random.integers(1, 5)):
            word = WORDS.split(b" ")[random.integers(14)]
            cut = int(random.integers(0, 20))
            content[place : place + cut] = word if cut % 3 else content[:place][-40:]
        (tmp_path / str(number)).mkdir()
        try:
            _, out = imported(tmp_path / str(number), bytes(content), **CONDITIONS)
            certify_path(out).table()
        except InputError as error:
            said = str(error)
            assert "\n" not in said


@pytest.mark.parametrize("extra", ["", ",n"])
def test_two_classes_of_ones_own_are_not_the_top_two(tmp_path, extra):
    content = f"c1,c2,label{extra}\n9,1,1{extra and ',10'}\n2,8,2{extra and ',10'}\n"
    found, out = imported(tmp_path, content, sigma=0.5, draws=10)
    assert found.kind == "counts"
    assert read_run(out).counts.tolist() == [[9, 1], [2, 8]]


AMBIGUOUS = {
    "a name of ours": "a,time,b\n500,400,100\n",
    "not numbered as the others": "c0,c1,other\n500,400,100\n600,300,100\n",
}


@pytest.mark.parametrize("case", AMBIGUOUS)
def test_a_column_that_may_be_a_class_or_not_is_asked(tmp_path, case):
    with pytest.raises(InputError, match="may be a class or not: with it the rows sum"):
        imported(tmp_path, AMBIGUOUS[case], sigma=0.5)


@pytest.mark.parametrize("kind", ["cohen", "dsrs", "long", "top_two", "two_stage"])
@pytest.mark.parametrize("content", ["a,b\n9,1\n", "", "[9, 1]\n[5, 5]\n"])
def test_a_kind_that_a_file_is_not_is_refused_by_what_it_lacks(tmp_path, kind, content):
    with pytest.raises(InputError, match=r"it has no|is empty"):
        imported(tmp_path, content, kind=kind, sigma=0.5)
