"""Certificates in files, and read back."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from voted import random_votes

import simplicert as sc
from simplicert.certificates.certify import certify
from simplicert.classifiers import NumpyClassifier
from simplicert.errors import InputError
from simplicert.interop import cohen_table, leaderboard_record, write_certificates
from simplicert.noises import uniform
from simplicert.units import Unit


@pytest.fixture(scope="module")
def certificates():
    return certify(random_votes(), mechanism="cohen")


def test_cohens_layout_says_what_the_certificates_say_and_never_more(certificates):
    table = cohen_table(certificates)
    assert list(table) == ["idx", "label", "predict", "radius", "correct", "time"]
    radius = table["radius"].astype(float)
    assert (radius <= certificates.radius).all()
    assert (radius > certificates.radius - 1e-6).all()
    assert (table["predict"] == -1).equals(pd.Series(certificates.radius == 0))
    right = table["predict"] == table["label"]
    assert table["correct"].tolist() == right.astype(int).tolist()
    assert table["time"].isna().all()


def test_cohens_layout_has_the_time_of_the_draws_where_it_is_known(certificates):
    seconds = np.full(len(certificates), 63.5)
    seconds[1] = np.nan
    timed = cohen_table(replace(certificates, draw_seconds=seconds))
    assert timed["time"].iloc[0] == "0:01:03.500000"
    assert timed["time"].isna().tolist() == np.isnan(seconds).tolist()


def test_radii_in_another_unit_are_no_radii_of_a_log():
    votes = sc.sample(
        NumpyClassifier(lambda x: (x > 0).all(1) * 1, output="labels", classes=2),
        np.ones((2, 3)),
        labels=[1, 1],
        sigma=0.5,
        draws=100,
        unit=Unit(name="volts", scale=0.1),
    )
    with pytest.raises(InputError, match="no place for radii in volts"):
        cohen_table(certify(votes, mechanism="cohen"))
    with pytest.raises(InputError, match=r"board's radii are in pixels.* in volts"):
        leaderboard_record(certify(votes), radius=0.25)


def test_existing_scripts_read_it(certificates, tmp_path):
    # As Cohen's analyze.py does: read_csv with a tab, mean of correct & radius >= r.
    path = write_certificates(certificates, tmp_path / "new" / "log.tsv")
    assert (
        path.read_text().splitlines()[0] == "idx\tlabel\tpredict\tradius\tcorrect\ttime"
    )
    log = pd.read_csv(path, delimiter="\t")
    for r in (0.1, 0.25, 0.5):
        accuracy = (log["correct"] & (log["radius"] >= r)).mean()
        expected = (certificates.correct & (certificates.radius >= r)).mean()
        assert accuracy == pytest.approx(expected, abs=1 / 400)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_our_own_columns_keep_every_digit(certificates, tmp_path, suffix):
    path = write_certificates(certificates, tmp_path / f"images{suffix}")
    read = pd.read_csv if suffix == ".csv" else pd.read_parquet
    back = read(path)
    assert list(back) == list(certificates.table())
    for name, radius in certificates.radii.items():
        np.testing.assert_allclose(back[name], radius, rtol=1e-15)


def test_what_cannot_be_written_is_refused(certificates, tmp_path):
    with pytest.raises(InputError, match=r"must end in one of .parquet, .csv, .tsv"):
        write_certificates(certificates, tmp_path / "images.xlsx")
    with pytest.raises(InputError, match="have no labels"):
        cohen_table(certify(random_votes(labels=False)))


def test_radii_of_another_noise_are_not_written_as_cohen_s(certificates, tmp_path):
    other = replace(certificates, noise=uniform)
    with pytest.raises(InputError, match="no place for"):
        write_certificates(other, tmp_path / "log.tsv")
    assert not (tmp_path / "log.tsv").exists()
