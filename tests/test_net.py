"""The net: what the committed runs certify, to the last bit, whatever is rebuilt.

``python tests/test_net.py`` records anew what ``tests/net/certificates.parquet`` holds.
Do that only where a certificate is meant to change, and say so in the changelog.
"""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.special import betaincinv, ndtri

import simplicert as sc
from simplicert.interop import certify_path

ROOT = Path(__file__).parents[1]
RUNS = sorted(path.parent for path in ROOT.glob("results/cifar10/*/manifest.json"))
RECORD = Path(__file__).parent / "net" / "certificates.parquet"
ALPHAS = (0.001, 0.05)
SELECTION = 1000
ARITHMETIC, DIGESTS = b"arithmetic", b"votes of "

ELSEWHERE = 1e-12
"""Relative: another kind of processor may round the last bit of exp and log otherwise,
and solvers add up a few of these."""


def certified(run: Path) -> pd.DataFrame:
    """Everything that is certified of a run: frameworks, alphas, both procedures."""
    votes = sc.read_run(run)
    sets = {
        (framework, alpha): sc.certify(votes, alpha=alpha, framework=framework)
        for framework in ("multinomial", "softmax")
        for alpha in ALPHAS
    }
    sets["two stages", 0.001] = certify_path(
        run, alpha=0.001, procedure="two_stage", selection=SELECTION
    )
    frames = [
        each.table().assign(run=run.name, kind=kind, alpha=alpha)
        for (kind, alpha), each in sets.items()
    ]
    table = pd.concat(frames, ignore_index=True)
    return table.drop(columns=["abstention", "largest"])


def arithmetic() -> str:
    """A digest of how this machine rounds what mechanisms and bounds are made of."""
    x = np.linspace(0.001, 0.999, 4001)
    functions = (np.exp, np.log, np.log1p, np.expm1, np.sinh, np.tanh, ndtri)
    values = [f(x) for f in functions] + [betaincinv(1 + 1000 * x, 7.5, 0.0005)]
    return hashlib.sha256(np.stack(values).tobytes()).hexdigest()


@pytest.fixture(scope="module")
def record() -> pa.Table:
    return pq.read_table(RECORD)


def test_every_committed_run_is_in_the_net(record):
    assert RUNS
    assert set(record["run"].to_pylist()) == {run.name for run in RUNS}


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_certificates_are_what_they_were(run, record):
    metadata = record.schema.metadata
    assert sc.read_run(run).digest == metadata[DIGESTS + run.name.encode()].decode()
    same = metadata[ARITHMETIC].decode() == arithmetic()
    whole = record.to_pandas()
    was = whole[whole["run"] == run.name].reset_index(drop=True)
    now = certified(run)[was.columns]
    for column in was:
        if same or was[column].dtype.kind not in "f":
            assert now[column].equals(was[column]), column  # NaN equals NaN here
        else:
            np.testing.assert_allclose(
                now[column], was[column], rtol=ELSEWHERE, err_msg=column
            )


def main() -> None:
    table = pa.Table.from_pandas(
        pd.concat(map(certified, RUNS), ignore_index=True), preserve_index=False
    )
    digests = {DIGESTS + run.name.encode(): sc.read_run(run).digest for run in RUNS}
    RECORD.parent.mkdir(exist_ok=True)
    pq.write_table(
        table.replace_schema_metadata({**digests, ARITHMETIC: arithmetic()}),
        RECORD,
        compression="zstd",
        compression_level=19,
    )


if __name__ == "__main__":
    main()
