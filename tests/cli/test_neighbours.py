"""Neighbours on the command line: found, sampled, and certified with."""

import pandas as pd
import pytest

from simplicert.audit.claims import audit_claims
from simplicert.interop import certify_path
from simplicert.votes import RunDirectory

FIND = "--sigma 0.5 --images 0:20 --pilot 100 --distances 0.25,0.5"
DRAW = "--sigma 0.5 --draws 500 --block 100 --seed 1"


@pytest.fixture(scope="module")
def around(checkpoint, tmp_path_factory):
    """A run of two neighbours of each image of ``run``, and their file."""
    from simplicert.cli import main

    folder = tmp_path_factory.mktemp("neighbours")
    file, out = folder / "n.npz", folder / "run"
    for line in (
        f"neighbours {checkpoint} digits {FIND} --seed 1 -o {file}",
        f"sample {checkpoint} {file} {DRAW} -o {out}",
    ):
        with pytest.raises(SystemExit) as ended:
            main(line.split())
        assert not ended.value.code
    return out, file


@pytest.fixture
def command(simplicert):
    """A command as one line."""
    return lambda line: simplicert(*line.split())


def test_the_radii_are_those_of_the_library(run, around, tmp_path, command):
    table = tmp_path / "t.csv"
    code, out, _ = command(f"certify {run} --neighbours {around[0]} -o {table}")
    assert code == 0
    assert "2 neighbours an image" in out
    assert "alpha / 3" in out
    found = certify_path(run, neighbours=around[0])
    rows = pd.read_csv(table)
    assert rows["neyman_pearson"].tolist() == found.radii["neyman_pearson"].tolist()
    assert set(rows["neighbours"]) == {2}
    checks = {each.check: each.outcome for each in audit_claims(table).findings}
    assert checks["radii of certificates"] == "not checked"
    assert "falsified" not in checks.values()


def test_other_procedures_have_their_own_draws_of_the_neighbours(run, around):
    for procedure in ("two_stage", "hoeffding"):
        found = certify_path(run, neighbours=around[0], procedure=procedure, alpha=0.1)
        alone = certify_path(run, procedure=procedure, alpha=0.1)
        assert (found.radius <= alone.radius).mean() > 0.3
        assert found.neighbours == 2


def test_mistakes_are_refused_in_a_line(run, around, checkpoint, tmp_path, command):
    out, file = around
    for line, word in (
        (f"certify {run} --neighbours {run}", "holds no neighbours"),
        (f"certify {out} --neighbours {out}", "neighbours of other inputs"),
        (f"certify {run} --neighbours {tmp_path}/none", "does not exist"),
        (f"certify {run} --neighbours {out} --rule a.py:b", "leave out one"),
        (f"certify {run} --neighbours {out} --confidence 0.1", "about an image itself"),
        (f"neighbours {checkpoint} {file} --sigma 0.5 -o {tmp_path}/m.npz", "already"),
        (f"neighbours {checkpoint} digits --sigma 0.5 -o {tmp_path}/m.txt", ".npz"),
        (
            f"neighbours {checkpoint} digits --sigma 0.5 -o {tmp_path}/m.npz --each 10 "
            "--distances 1,2,3,4,5,6,7,8,9,10",
            "in 184,756 ways",
        ),
        (
            f"neighbours {checkpoint} digits --sigma 0.5 -o {tmp_path}/m.npz "
            "--distances 1e300",
            "distances go to 40 sigma",
        ),
    ):
        code, _, err = command(line)
        assert (code, word in err, err.count("\n")) == (2, True, 1), err
    assert not list(tmp_path.glob("m.*"))


def test_a_run_goes_on_only_on_the_file_it_was_begun_with(
    around, checkpoint, tmp_path, command
):
    out, other = around[0], tmp_path / "other.npz"
    code, _, _ = command(f"neighbours {checkpoint} digits {FIND} --seed 2 -o {other}")
    assert code == 0
    code, _, err = command(f"sample {checkpoint} {other} {DRAW} -o {out}")
    assert code == 2
    assert "data.digest" in err
    manifest = RunDirectory(out).manifest
    assert manifest.data.neighbours.each == 2  # which no later file changes
    assert manifest.data.unit.low is None


def test_a_run_of_neighbours_says_that_they_are_no_inputs_of_the_data(around, command):
    code, out, _ = command(f"certify {around[0]}")
    assert code == 0
    assert "not inputs of a data set, but 2 neighbours of each of 20" in out
