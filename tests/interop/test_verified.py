"""What verifiers write, as it is read; and what is refused of it."""

import gzip

import numpy as np
import pytest

from simplicert.errors import InputError
from simplicert.interop import read_verified

LOG = """Configurations:

general:
  device: cpu
  csv_name: null
  results_file: out.txt
specification:
  robustness_type: verified-acc
  norm: .inf
  epsilon: 0.00784313725
  vnnlib_path: null
Result: safe-incomplete in 0.6 seconds
############# Summary #############
Final verified acc: 40.0% (total 5 examples)
Problem instances count: 5 , total verified (safe/unsat): 2 , timeout: 1
mean time for ALL instances (total 5):1.32, max time: 120.9
safe-incomplete (total 1), index: [4]
safe (total 1), index: [0]
unsafe-pgd (total 2), index: [1, 2]
unknown (total 1), index: [3]
"""


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        path = tmp_path / "proved.csv"
        path.write_text(text)
        return read_verified(path, **options)

    return read


def test_a_radius_an_image_is_proved(read):
    found = read("image,radius,label,predicted,time\n7,0.5,1,1,2\n3,0,2,1,0.5\n")
    assert found.indices.tolist() == [3, 7]
    assert found.radius.tolist() == [0, 0.5]
    assert found.right.tolist() == [False, True]
    assert found.seconds.tolist() == [0.5, 2]
    assert found.verdict.tolist() == ["undecided", "verified"]
    assert (found.norm, found.unit, found.network) == ("l2", "", "")


def test_of_verdicts_the_largest_that_is_verified_and_the_smallest_that_is_not(read):
    found = read(
        "idx\teps\tresult\n"
        "0\t0.1\tsafe-incomplete\n0\t0.2\tholds\n0\t0.3\tunsafe-pgd\n0\t0.4\tsat\n"
        "1\t0.1\ttimeout\n1\t0.2\tunknown\n2\t0.1\tviolated\n"
    )
    assert found.radius.tolist() == [0.2, 0, 0]
    np.testing.assert_array_equal(found.falsified, [0.3, np.nan, 0.1])
    assert found.verdict.tolist() == ["verified", "undecided", "falsified"]
    assert "rows that decide nothing (timeout, unknown): 2" in found.notes[0]


def test_a_radius_that_was_only_tried_counts_for_nothing(read):
    found = read("image,radius,status\n0,0.3,timeout\n1,0.3,verified\n2,,unknown\n")
    assert found.radius.tolist() == [0, 0.3, 0]


def test_a_no_to_verified_is_no_counterexample(read):
    found = read("image,epsilon,verified\n0,0.1,False\n1,0.1,True\n")
    assert found.radius.tolist() == [0, 0.1]
    assert np.isnan(found.falsified).all()


def test_norm_unit_and_network_are_the_files_or_as_they_are_said(read):
    text = "image,radius,norm,unit,model\n0,2,Linf,levels,small\n1,3,inf,levels,small\n"
    found = read(text)
    assert (found.norm, found.unit, found.network) == ("linf", "levels", "small")
    assert read("image,radius,norm\n0,2,2.0\n1,2,2.0\n").norm == "l2"
    assert read("# norm: inf\nimage,radius\n0,2\n").norm == "linf"
    found = read("image,radius\n0,2\n", norm="l1", unit="levels", network="big")
    assert (found.norm, found.unit, found.network) == ("l1", "levels", "big")
    with pytest.raises(InputError, match=r"norm is (Linf|inf), and l2 was asked for"):
        read(text, norm="l2")


def test_what_alpha_beta_crown_prints(read):
    found = read(LOG)
    assert found.indices.tolist() == [0, 1, 2, 3, 4]
    assert found.radius.tolist() == [0.00784313725, 0, 0, 0, 0.00784313725]
    assert np.flatnonzero(~np.isnan(found.falsified)).tolist() == [1, 2]
    assert found.right.tolist() == [True, False, False, False, True]
    assert found.norm == "linf"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("epsilon: 0.00784313725", "epsilon: null", "does not say one epsilon"),
        ("  norm: .inf\n", "", "does not say one norm"),
        ("verified-acc", "runnerup", "does not hold the label against every class"),
        ("csv_name: null", "csv_name: instances.csv", "properties in files"),
        ("[1, 2]", "[1, 2", "lists 3 of 5 images"),
        ("unknown (total 1), index: [3]\n", "", "lists 4 of 5 images"),
        ("(total 2), index", "(total 3), index", "a total of 3 and lists 2"),
        ("[3]", "[4]", "image 4 is there twice"),
        (LOG[LOG.index("safe-incomplete (") :], "", "it was cut"),
    ],
)
def test_a_log_that_does_not_say_what_it_proved(read, old, new, says):
    changed = LOG.replace(old, new)
    assert changed != LOG
    with pytest.raises(InputError, match=says):
        read(changed)


def test_two_logs_in_one_file_may_be_of_two_networks(read):
    with pytest.raises(InputError, match="holds 2 logs"):
        read(LOG + LOG)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("image,radius\n", "holds no rows|no names"),
        ("0,0.5\n1,0.5\n", "no names over its columns"),
        ('image,radius\n0,"0.5"\n1,"1', "line 3: 1 fields"),  # of "1e-5"
        ("name,radius\na,0.5\n", "no column that says which image"),
        ("image,label\n0,1\n", "needs a column radius"),
        ("image,radius,epsilon,status\n0,1,1,safe\n", "needs one of radius"),
        ("image,epsilon\n0,0.5\n", "no column status"),
        ("image,idx,radius\n0,0,1\n", "may be the same: leave one"),
        ("image,radius\n0,0.5\n1,nan\n", "row 1, column radius: nan is not a number"),
        ("image,radius\n0,0.5\n1,-0.1\n", "row 1, column radius: -0.1 is negative"),
        ("image,radius\n0,inf\n", "row 0, column radius: inf is not finite"),
        ("image,radius\n0,1e999\n", "is not finite"),
        ("image,radius\n0,8/255\n", "8/255 is not a number"),
        ("image,radius\n0,\n1,1\n", "an empty cell is not a number"),
        ("image,radius\n0,1\n0,2\n", "row 1: image 0 is there twice"),
        ("image,radius\n0.5,1\n1,1\n", "0.5 is not a whole number"),
        ("image,radius\n-1,1\n0,1\n", "-1 is negative"),
        ("image,radius\n0,1\n1\n", "line 3: 1 fields, not 2"),
        ("image,radius,label\n0,1,0\n1,1,-2\n", "-2 is negative"),
        ("image,radius,status\n0,1,perhaps\n", "'perhaps' is no verdict"),
        ("image,radius,time\n0,1,-3\n", "-3 is negative"),
        ("image,radius,norm\n0,1,l2\n1,1,linf\n", "of more than one norm"),
        ("image,radius,norm\n0,1,l7\n", "unknown norm 'l7'"),
        ("image,radius,norm\n0,1,-2\n", "unknown norm '-2'"),
        ("image,radius,status\n0,1,10\n", "'?10'? is no verdict"),
        ("image,radius,correct\n0,1,maybe\n", "'maybe' is neither true nor false"),
        (
            "image,radius,label,predicted,correct\n0,1,3,3,0\n",
            "correct contradicts its label",
        ),
        (
            "image,epsilon,status\n0,0.1,unsafe\n0,0.2,safe\n",
            "verified at 0.2 and falsified at 0.1",
        ),
        (
            "image,epsilon,status\n0,0.1,safe\n0,0.1,unsafe\n",
            "image 0 is there twice at epsilon 0.1",
        ),
        (
            "image,epsilon,status,label\n0,0.1,safe,1\n0,0.2,safe,2\n",
            "rows of image 0 differ in label",
        ),
    ],
)
def test_what_is_no_proof_is_one_true_line(read, text, says):
    with pytest.raises(InputError, match=says) as refused:
        read(text)
    assert "\n" not in str(refused.value)
    assert "proved.csv" in str(refused.value)


def test_a_small_file_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("simplicert.interop.table_file._MOST_TEXT", 1000)
    path = tmp_path / "huge.csv.gz"
    path.write_bytes(gzip.compress(b"image,radius\n" + b"0,1\n" * 10_000))
    with pytest.raises(InputError, match="holds more than"):
        read_verified(path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(InputError, match="cannot be read as a table"):
        read_verified(path)
