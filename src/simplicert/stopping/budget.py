"""Draw no more than so much of all images together, where a decision is nearest."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from numbers import Integral

from simplicert.errors import InputError
from simplicert.stopping.protocol import Rule, check_rule
from simplicert.stopping.within import within
from simplicert.votes import Look, Manifest

__all__ = ["SHARE", "budget"]

SHARE = 0.05
"""What may be missing of a radius where nobody says what is to be decided."""


def budget(total: int, *, of: Rule | None = None) -> Rule:
    """Another rule, and a total for the data set.

    An image that the rule decides stops. Of the others those are drawn first which need
    the fewest draws until a decision, if their votes go on as they are
    (``draws_to_come``): the most decisions that the total can buy, as far as anybody
    can tell.

    Args:
        total: Draws of all images together.
        of: What decides. Default: ``within(0.05)``.

    Raises:
        InputError: ``total`` is no whole number, or less than 1; a budget of a budget.

    Example:
        >>> budget(1_000_000).total
        1000000
    """
    if not isinstance(total, Integral) or isinstance(total, bool) or int(total) < 1:
        raise InputError(
            f"a budget is a whole number of draws, at least 1, got {total!r}"
        )
    rule = within(SHARE) if of is None else of
    if rule.total is not None:
        raise InputError("a budget of a budget: give one total")
    return replace(
        rule,
        name="budget",
        total=int(total),
        parameters={"total": int(total), "of": rule.spec},
        fits=partial(_fits, int(total), rule),
    )


def _fits(
    total: int, rule: Rule, manifest: Manifest, looks: Sequence[Look], alpha: float
) -> None:
    images, first = len(manifest.images), looks[0].draws
    if total < images * first:
        raise InputError(
            f"a budget of {total:,} draws is less than the first look at every image "
            f"takes: {images:,} × {first} are {images * first:,}"
        )
    check_rule(rule, manifest, alpha=alpha, looks=looks)
