"""The heading over Table 1: nothing in it is rounded to the better side."""

import numpy as np
from voted import by_hand

from simplicert.cli.output import print_table1


def heading(capsys, **changes):
    images = 2500
    top = np.zeros(images, dtype=int)
    top[0] = changes.pop("first", 1)
    print_table1(
        by_hand(
            {"cohen": np.full(images, 0.5)},
            labels=np.zeros(images, dtype=int),
            top=top,
            **changes,
        )
    )
    return capsys.readouterr().out.splitlines()[0]


def test_one_wrong_image_of_2500_is_not_none(capsys):
    assert heading(capsys).endswith("alpha 0.001, top-1 99.9%")
    assert heading(capsys, first=0).endswith("alpha 0.001, top-1 100.0%")


def test_a_log_that_abstains_has_no_top1(capsys):
    assert heading(capsys, first=-1).endswith("alpha 0.001")


def test_an_alpha_keeps_every_digit(capsys):
    assert "alpha 0.0010000004, " in heading(capsys, alpha=0.0010000004)
