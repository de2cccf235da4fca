"""Eight faults of published code are falsified, and two honest procedures are not."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import betaincinv, ndtri

from simplicert.audit.procedures import try_procedure

FAULTS = sorted((Path(__file__).parent / "faults").glob("*.py"))
ALPHA = {"choosing_draws_counted_again": 0.3}
"""Where 200 certificates of each classifier show it, if not at 0.05."""


def finding(audit, check):
    return next(each for each in audit.findings if each.check == check)


def test_there_are_eight():
    assert len(FAULTS) == 8


@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_a_fault_of_published_code_is_falsified(path):
    alpha = ALPHA.get(path.stem, 0.05)
    audit = try_procedure(str(path), seed=0, trials=200, alpha=alpha, detect=1.5)
    rates = finding(audit, "rate of false certificates")
    assert rates.outcome == "falsified", rates.says
    # At a millionth for all tests together.
    assert rates.details["p_value"].min() < 1e-6 / len(rates.details)
    assert audit.facts["level"] == 1e-6
    above = finding(audit, "radius where all draws agree").outcome == "falsified"
    assert above == (path.stem in {"above_the_ceiling", "asymptotic_called_exact"})


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("path", FAULTS, ids=lambda path: path.stem)
def test_it_is_falsified_whatever_the_seed(path, seed):
    # The first is false in a little less than 2 alpha.
    audit = try_procedure(str(path), seed=seed, detect=1.6, trials=3000)
    assert audit.falsified


def cohens(draw, *, sigma, alpha):
    """What each of the eight would be without its fault."""
    chosen = np.bincount(draw(20)).argmax()
    votes = int((draw(200) == chosen).sum())
    radius = sigma * float(ndtri(betaincinv(max(votes, 1), 201 - votes, alpha)))
    return (int(chosen), radius) if radius > 0 else (-1, 0.0)


def test_a_function_without_a_fault_is_not_falsified():
    audit = try_procedure(cohens, seed=0, trials=200)
    assert not audit.falsified
    assert {each.outcome for each in audit.findings} == {"held"}
    rates = finding(audit, "rate of false certificates").details
    # Where its bound fails as often as it may, it does.
    assert 0.02 < rates["false"].max() < 0.1
