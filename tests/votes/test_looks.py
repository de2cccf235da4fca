"""Looks whose bounds hold at once share alpha, and no more than it."""

import pytest

from simplicert.errors import InputError
from simplicert.votes.looks import Look, check_looks


@pytest.mark.parametrize("excess", [1e-9, 0.005, 0.5])
def test_looks_spend_at_most_alpha(excess):
    check_looks([Look(10, 0.25), Look(20, 0.75)])
    with pytest.raises(InputError, match="at most 1"):
        check_looks([Look(10, 0.25), Look(20, 0.75 + excess)])
