"""What is asymptotic is refused unless it is wanted, and then says what it is."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from simplicert import SmoothedClassifier, certify
from simplicert.analysis import certificates_by_draws, dataset_guarantee, table1
from simplicert.audit import audit_claims
from simplicert.audit.procedures import try_procedure
from simplicert.certificates import find_procedure
from simplicert.errors import InputError
from simplicert.interop import certify_path, import_file, write_certificates
from simplicert.procedures import clopper_pearson, goodman
from simplicert.report import load_runs, render_report, write
from simplicert.stopping import looks_of, replay, rule_from, until, within
from simplicert.votes import RunDirectory, read_run
from simplicert.votes.words import rule_in_words


def theirs(votes, alpha):
    return goodman.intervals(votes, alpha)


YOURS = replace(goodman, name="yours", intervals=theirs)
EVERY = pytest.mark.parametrize(
    "procedure", ["goodman", "sison_glaz", YOURS], ids=["goodman", "sison_glaz", "own"]
)
NAMES = {"goodman": "goodman", "sison_glaz": "sison_glaz", YOURS: "yours"}
HARD = np.array([[900, 60, 40], [500, 480, 20], [1000, 0, 0]])


@pytest.fixture
def run(tmp_path):
    """Three images of 1,000 draws, with labels."""
    file = tmp_path / "counts.csv"
    rows = [f"{label},{','.join(map(str, row))}" for label, row in enumerate(HARD)]
    file.write_text("\n".join(["label,0,1,2", *rows]))
    import_file(file, tmp_path / "run", sigma=0.5)
    return tmp_path / "run"


class Sum(nn.Module):
    def forward(self, x):
        total = x.flatten(1).sum(dim=1)
        return torch.stack([total, -total], dim=1)


WAYS = {
    "find_procedure": lambda run, **how: find_procedure(how.pop("procedure"), **how),
    "certify": lambda run, **how: certify(read_run(run), **how),
    "certify_path": certify_path,
    "certificates_by_draws": certificates_by_draws,
    "load_runs": lambda run, **how: load_runs([run], **how),
    "write": lambda run, **how: write([run], tables=run.parent / "tables", **how),
    "until": lambda run, **how: until([0.1], **how),
    "within": lambda run, **how: within(0.05, **how),
    "replay": lambda run, **how: replay(
        RunDirectory(run), until([0.1]), looks=looks_of(RunDirectory(run)), **how
    ),
    "SmoothedClassifier": lambda run, **how: SmoothedClassifier(
        Sum(), sigma=0.5, seed=1
    ).certify(torch.ones(1, 1, 2, 2), draws=100, **how),
    "try_procedure": lambda run, procedure, **how: try_procedure(
        procedure, draws=20, trials=20, seed=1, **how
    ),
}


@pytest.mark.parametrize("way", WAYS)
@EVERY
def test_refused_unless_it_is_wanted(run, way, procedure):
    told = f"the procedure {NAMES[procedure]} is asymptotic: .*say --asymptotic"
    with pytest.raises(InputError, match=told):
        WAYS[way](run, procedure=procedure)
    WAYS[way](run, procedure=procedure, asymptotic=True)


@pytest.mark.parametrize(
    "way", [each for each in WAYS if each not in {"until", "within", "replay"}]
)
def test_what_is_proved_needs_no_leave_and_is_the_same_with_it(run, way):
    WAYS[way](run, procedure="clopper_pearson")
    WAYS[way](run, procedure=clopper_pearson, asymptotic=True)
    assert not certify_path(run, asymptotic=True).asymptotic


def test_refused_before_anything_is_drawn():
    asked = []

    def model(x):
        asked.append(len(x))
        return Sum()(x)

    g = SmoothedClassifier(model, sigma=0.5)
    with pytest.raises(InputError, match="is asymptotic"):
        g.certify(torch.ones(1, 1, 2, 2), draws=100, procedure="goodman")
    assert not asked


# It says what it is


@EVERY
def test_certificates_say_it(run, procedure):
    made = certify_path(run, procedure=procedure, asymptotic=True)
    name = NAMES[procedure]
    assert made.asymptotic
    assert f"{name}, asymptotic: no guarantee" in repr(made)
    assert f"{name}, asymptotic: no guarantee" in made._repr_html_()
    assert made.label == f"{name}-asymptotic"
    assert made[:1].asymptotic
    for table in (made.table(), table1(made)):
        assert table["asymptotic"].tolist() == [True] * len(table)
        assert set(table["procedure"]) == {name}
    plain = certify_path(run)
    assert "asymptotic" not in repr(plain)
    assert "asymptotic" not in {*plain.table(), *table1(plain), *plain.facts}


def test_files_say_it_or_are_not_written(run, tmp_path):
    made = certify_path(run, procedure="goodman", asymptotic=True)
    for suffix, read in ((".csv", pd.read_csv), (".parquet", pd.read_parquet)):
        assert read(write_certificates(made, tmp_path / f"g{suffix}"))[
            "asymptotic"
        ].all()
    with pytest.raises(InputError, match="no place to say that goodman is asymptotic"):
        write_certificates(made, tmp_path / "g.tsv")
    assert not (tmp_path / "g.tsv").exists()


def test_nothing_of_the_data_set_is_guaranteed(run):
    made = certify_path(run, procedure="goodman", asymptotic=True)
    table = dataset_guarantee(made, [0.0, 0.1])
    assert table[["dataset_lower", "population_lower"]].isna().all(axis=None)
    assert not dataset_guarantee(certify_path(run), [0.0]).isna().any(axis=None)


def test_no_mechanism_of_yours_takes_the_column(run):
    def asymptotic(e0_lower, e1_upper, *, sigma):
        return np.maximum(e0_lower - e1_upper, 0.0) * sigma

    with pytest.raises(InputError, match="cannot be called 'asymptotic'"):
        certify_path(run, mechanism=asymptotic)


@EVERY
def test_the_page_promises_nothing(run, procedure):
    page = render_report(load_runs([run], procedure=procedure, asymptotic=True))
    name = NAMES[procedure]
    assert "<h3>No certificates</h3>" in page
    assert f"{name} is asymptotic: its level holds only as the draws grow" in page
    assert "What a radius promises" not in page
    assert "some may be false" not in page
    assert f"{name}, asymptotic: no guarantee" in page
    assert f"{name}-asymptotic" in page
    assert "--asymptotic</code>" in page or "--asymptotic" in page.split("certify")[-1]
    plain = render_report(load_runs([run]))
    assert "What a radius promises" in plain
    assert "some may be false" in plain
    assert "No certificates" not in plain


def test_the_page_of_both_promises_of_the_other_alone(run):
    [both] = load_runs([run])
    [own] = load_runs([run], procedure="goodman", asymptotic=True)
    together = [*both.certificates, *own.certificates]
    page = render_report([replace(both, certificates=together)])
    assert "<h3>No certificates</h3>" in page
    assert "What any other radius promises" in page


@pytest.mark.slow
def test_files_of_a_report_say_it(run, tmp_path):
    written = write(
        [run],
        figures=tmp_path / "figures",
        tables=tmp_path / "tables",
        procedure="goodman",
        asymptotic=True,
    )
    runs = [path for path in written.figures if "run" in path.stem]
    assert runs
    assert all("goodman-asymptotic" in path.stem for path in runs)
    tables = [path for path in written.tables if path.suffix == ".csv"]
    assert tables
    for path in tables:
        assert pd.read_csv(path)["asymptotic"].all()


# Rules


def test_a_rule_says_it_and_is_made_again():
    rule = until([0.1], procedure="goodman", asymptotic=True)
    assert rule.spec["asymptotic"] is True
    again = rule_from(json.loads(json.dumps(rule.spec)))
    assert again.spec == rule.spec
    assert rule_in_words(rule.spec).endswith("by goodman (asymptotic)")
    assert "asymptotic" not in until([0.1], asymptotic=True).spec
    unsaid = {key: value for key, value in rule.spec.items() if key != "asymptotic"}
    with pytest.raises(InputError, match="goodman is asymptotic"):
        rule_from(unsaid)


# The audit


def outcomes(audit):
    return {finding.check: finding.outcome for finding in audit.findings}


@EVERY
def test_an_audit_does_not_take_them_for_certificates(run, tmp_path, procedure):
    made = certify_path(run, procedure=procedure, asymptotic=True)
    audit = audit_claims(write_certificates(made, tmp_path / "table.csv"))
    found = outcomes(audit)
    assert found["guarantee of certificates"] == "doubtful"
    assert found["bounds of certificates"] == "not checked"
    assert not audit.falsified  # it says what it is
    [said] = [f.says for f in audit.findings if f.check == "guarantee of certificates"]
    assert said.startswith(f"{NAMES[procedure]} is asymptotic: ")
    assert "These are no certificates" in said


def test_nor_where_the_table_keeps_silent(run, tmp_path):
    made = certify_path(run, procedure="goodman", asymptotic=True)
    for column in (None, "False"):
        table = made.table().drop(columns="asymptotic")
        if column is not None:
            table["asymptotic"] = column
        table.to_csv(tmp_path / "silent.csv", index=False)
        found = outcomes(audit_claims(tmp_path / "silent.csv"))
        assert found["guarantee of certificates"] == "doubtful"
    plain = write_certificates(certify_path(run), tmp_path / "plain.csv")
    assert "guarantee of certificates" not in outcomes(audit_claims(plain))


def test_under_another_s_name_it_is_false(run, tmp_path):
    made = certify_path(run, procedure="sison_glaz", asymptotic=True)
    table = made.table().drop(columns="asymptotic")
    table["procedure"] = "clopper_pearson"
    table.to_csv(tmp_path / "forged.csv", index=False)
    found = outcomes(audit_claims(tmp_path / "forged.csv"))
    assert found["bounds of certificates"] == "falsified"


def test_more_than_it_can_give_is_false(run, tmp_path):
    table = certify_path(run, procedure="goodman", asymptotic=True).table()
    table.loc[2, "e0_lower"] = 0.9999
    table.loc[2, "e1_upper"] = 0.0001
    table.to_csv(tmp_path / "more.csv", index=False)
    found = outcomes(audit_claims(tmp_path / "more.csv"))
    assert found["bounds of certificates"] == "falsified"


def test_sison_and_glaz_are_false_far_more_often_than_they_say():
    audit = try_procedure(
        "sison_glaz", draws=100, trials=50, alpha=0.001, seed=0, asymptotic=True
    )
    assert audit.facts["kind"].endswith("; asymptotic")
    assert audit.falsified
    [rates] = [f for f in audit.findings if f.details is not None]
    assert rates.details["false"].max() > 0.1
