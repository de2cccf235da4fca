"""Votes, a bound, mechanisms and alpha → certificates."""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from simplicert import mechanisms
from simplicert.arguments import checked_alpha
from simplicert.bounds import (
    clopper_pearson_lower,
    clopper_pearson_upper,
    hoeffding_lower,
    hoeffding_upper,
    largest_e0_lower,
    min_draws,
)
from simplicert.certificates.record import Certificates, Framework
from simplicert.errors import InputError, unknown_name
from simplicert.mechanisms.catalogue import find_mechanism, name_of
from simplicert.mechanisms.protocol import Mechanism
from simplicert.votes import RunDirectory, Votes

__all__ = ["certify", "certify_run", "certify_two_stage"]

PAPER_MECHANISMS: Mapping[str, tuple[str, ...]] = {
    "multinomial": ("lecuyer", "li", "cohen", "cullen"),
    "softmax": ("lecuyer", "cohen", "cullen"),
}
"""What applies in each framework; li's proof needs hard votes."""

ENSEMBLE_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "multinomial": ("cohen", "li", "cullen"),
    "softmax": ("lecuyer", "cullen"),
}
"""The paper's ensembles (Cullen et al. 2024, Corollary 4.3 and section 6)."""

DEFAULT_MECHANISM = "neyman_pearson"


def certify(
    votes: Votes,
    *,
    alpha: float = 0.001,
    framework: Framework = "multinomial",
    mechanism: str | Mechanism = DEFAULT_MECHANISM,
) -> Certificates:
    """Certify every image from one set of draws (the paper's Algorithms 1 and 2).

    The top two classes are chosen from the same draws that bound them: both bounds hold
    at ``1 - alpha / 2`` for the fixed true top class and runner-up (``docs/bounds.md``
    has what is proved and what was enumerated). Algorithm 1 bounds hard votes by
    Clopper-Pearson; Algorithm 2 bounds mean softmax scores by Hoeffding (Eq. 4).

    Args:
        votes: Counts and score sums.
        alpha: Failure probability of each image on its own, in (0, 1).
        framework: ``"multinomial"`` (hard votes) or ``"softmax"`` (soft scores).
        mechanism: What names the predicted class and ``radius``: a column's name; or
            a mechanism of your own, as a function or as ``find_mechanism`` takes it,
            which becomes a column under its ``__name__``.

    Returns:
        Certificates with a column for each of the paper's mechanisms that applies,
        ``ensemble``, ``neyman_pearson``, and your own.

    Raises:
        InputError: ``alpha`` outside (0, 1); so few draws that even unanimous votes
            could not certify; no soft scores in ``votes``; an unknown mechanism.

    References:
        Cullen et al. 2024, Algorithms 1 and 2, Eq. 2-4.

    Example:
        >>> import numpy as np
        >>> votes = Votes(counts=np.array([[900, 60, 40]]), score_sums=None,
        ...     score_squares=None, draws=np.array([1000]), indices=np.array([0]),
        ...     labels=None, sigma=0.5, source={})
        >>> certify(votes, alpha=0.001).radius.round(3)
        array([0.613])
    """
    if not isinstance(votes, Votes):
        raise InputError(
            f"certify takes Votes, got {type(votes).__name__}: "
            "simplicert.read_run(path) reads those of a run directory"
        )
    checked_alpha(alpha)
    values = _expectation_sums(votes, framework)
    top, runner_up = _top_two(values)
    rows = np.arange(len(votes))
    first, second = values[rows, top], values[rows, runner_up]
    trials, each = votes.draws, alpha / 2  # one share for each of the two bounds
    if framework == "multinomial":
        lower = clopper_pearson_lower(first, trials=trials, alpha=each)
        upper = clopper_pearson_upper(second, trials=trials, alpha=each)
        _check_enough_draws(votes, alpha)
    else:
        first = np.minimum(first, trials)  # others' sums may have been rounded up
        lower = hoeffding_lower(first / trials, trials=trials, alpha=each)
        upper = hoeffding_upper(second / trials, trials=trials, alpha=each)
        _check_enough_draws(votes, alpha, scores=True)
    return _certificates(
        votes,
        top=top,
        runner_up=runner_up,
        e0=first / trials,
        e1=second / trials,
        e0_lower=lower,
        e1_upper=upper,
        alpha=alpha,
        framework=framework,
        procedure="simultaneous",
        mechanism=mechanism,
    )


def certify_two_stage(
    selection: Votes,
    estimation: Votes,
    *,
    alpha: float = 0.001,
    mechanism: str | Mechanism = "cohen",
) -> Certificates:
    """Certify as Cohen et al. do: some draws choose the class, others bound it.

    The paper's Algorithm 3. One bound at full ``alpha``; the runner-up is bounded only
    through ``1 - e0_lower``.

    Args:
        selection: The draws that choose each image's class.
        estimation: Other draws of the same images, in the same order; none of those
            that choose, or the certificates are false twice as often. Of another seed,
            or other blocks of a run.
        alpha: Failure probability of each image on its own, in (0, 1).
        mechanism: What names the predicted class and ``radius``: a column's name; or
            a mechanism of your own, as a function or as ``find_mechanism`` takes it,
            which becomes a column under its ``__name__``.

    Returns:
        Certificates with ``e1_upper = 1 - e0_lower``.

    Raises:
        InputError: As for ``certify``; or the two sets of votes are of other images.

    References:
        Cohen et al. 2019, arXiv:1902.02918, section 3.2.2 (CERTIFY).
    """
    checked_alpha(alpha)
    if (
        not np.array_equal(selection.indices, estimation.indices)
        or selection.sigma != estimation.sigma
        or selection.classes != estimation.classes
    ):
        raise InputError(
            "selection and estimation votes must be of the same images, classes and "
            "sigma, in the same order"
        )
    noises = selection.noise, estimation.noise
    shared = noises[0] and noises[1] and noises[0].may_be_shared(noises[1])
    if shared or np.shares_memory(selection.counts, estimation.counts):
        raise InputError(
            "selection and estimation share draws, but those that choose the class "
            "must not be among those that bound it: sample them with two seeds, or "
            "read other blocks of a run"
        )
    top, _ = _top_two(selection.counts)
    rows = np.arange(len(estimation))
    trials = estimation.draws
    first = estimation.counts[rows, top]
    others = estimation.counts.astype(np.int64)
    others[rows, top] = -1
    runner_up = others.argmax(axis=1)
    _check_enough_draws(estimation, alpha, one_bound=True)
    return _certificates(
        estimation,
        top=top,
        runner_up=runner_up,
        e0=first / trials,
        e1=others[rows, runner_up] / trials,
        e0_lower=clopper_pearson_lower(first, trials=trials, alpha=alpha),
        e1_upper=np.ones(len(estimation)),
        alpha=alpha,
        framework="multinomial",
        procedure="two-stage",
        mechanism=mechanism,
    )


def certify_run(
    run: Path | str,
    *,
    alpha: float = 0.001,
    framework: Framework = "multinomial",
    mechanism: str | Mechanism = DEFAULT_MECHANISM,
    procedure: Literal["simultaneous", "two-stage"] = "simultaneous",
    selection: int | None = None,
    partial: bool = False,
) -> Certificates:
    """Certify a run directory; what ``simplicert certify`` does.

    Args:
        run: Run directory.
        alpha: Failure probability of each image on its own, in (0, 1).
        framework: ``"multinomial"`` or ``"softmax"``.
        mechanism: As for ``certify``.
        procedure: ``"simultaneous"`` is ``certify``, ``"two-stage"``
            ``certify_two_stage``.
        selection: Draws of each image that choose the class in the two-stage procedure,
            a multiple of the run's block. Default: one block.
        partial: Leave unfinished images out, instead of refusing.

    Raises:
        InputError: As ``certify`` and ``read_run``; ``selection`` that is not whole
            blocks, leaves nothing to bound with, or is for another procedure.
    """
    if procedure not in ("simultaneous", "two-stage"):
        raise unknown_name("procedure", procedure, ("simultaneous", "two-stage"))
    store = RunDirectory(run)
    if procedure == "simultaneous":
        if selection is not None:
            raise InputError("selection is for the two-stage procedure only")
        votes = store.read(scores=framework == "softmax", partial=partial)
        return certify(votes, alpha=alpha, framework=framework, mechanism=mechanism)
    if framework != "multinomial":
        raise InputError("the two-stage procedure is for hard votes: multinomial only")
    if partial:
        raise InputError("partial is for the simultaneous procedure only")
    block, draws = store.manifest.block, store.manifest.draws
    first = block if selection is None else selection
    if first % block or not 0 < first < draws:
        raise InputError(
            f"selection must be a multiple of the run's block ({block}), above 0 and "
            f"below its {draws} draws, got {first}"
        )
    chosen, rest = slice(0, first // block), slice(first // block, None)
    return certify_two_stage(
        store.read(blocks=chosen, scores=False),
        store.read(blocks=rest, scores=False),
        alpha=alpha,
        mechanism=mechanism,
    )


def _certificates(
    votes: Votes,
    *,
    e0_lower: Float[np.ndarray, " images"],
    e1_upper: Float[np.ndarray, " images"],
    framework: Framework,
    mechanism: str | Mechanism,
    **fields: object,
) -> Certificates:
    e1_upper = np.minimum(e1_upper, 1.0 - e0_lower)  # the classes sum to at most 1
    members = ENSEMBLE_MEMBERS[framework]
    columns: dict[str, Mechanism] = {
        name: getattr(mechanisms, name) for name in PAPER_MECHANISMS[framework]
    }
    columns["ensemble"] = partial(
        mechanisms.ensemble, members=[columns[name] for name in members]
    )
    columns[DEFAULT_MECHANISM] = mechanisms.neyman_pearson
    name = mechanism if isinstance(mechanism, str) else name_of(mechanism)
    for part in re.split("[,()]", name):  # find_mechanism("li,cohen") is max(li, cohen)
        if part.strip() in set(mechanisms.__all__).difference(columns):
            raise InputError(
                f"{part.strip()} does not apply in the {framework} framework: its "
                f"proof needs hard votes. Applicable: {', '.join(columns)}"
            )
    if not isinstance(mechanism, str) or mechanism not in columns:
        found = find_mechanism(mechanism)
        name = name_of(found)
        if name in columns or name in Certificates.COLUMNS:
            raise InputError(
                f"a mechanism of your own cannot be called {name!r}: certificates have "
                "a column of that name"
            )
        columns[name] = found
    radii = {
        name: radius(e0_lower, e1_upper, sigma=votes.sigma)
        for name, radius in columns.items()
    }
    return Certificates(
        indices=votes.indices,
        labels=votes.labels,
        e0_lower=e0_lower,
        e1_upper=e1_upper,
        radii=radii,
        members=members,
        draws=votes.draws,
        sigma=votes.sigma,
        framework=framework,
        mechanism=name,
        classes=votes.classes,
        source=votes.source,
        draw_seconds=votes.draw_seconds,
        **fields,  # type: ignore[arg-type]  # the caller's keywords are Certificates' own
    )


def _expectation_sums(votes: Votes, framework: Framework) -> np.ndarray:
    if framework == "multinomial":
        return votes.counts
    if framework != "softmax":
        raise unknown_name("framework", framework, PAPER_MECHANISMS)
    if votes.score_sums is None:
        raise InputError(
            "these votes have no soft scores, so the softmax framework does not apply: "
            "use --framework multinomial, or sample a classifier that gives logits"
        )
    return votes.score_sums


def _top_two(
    values: np.ndarray,
) -> tuple[Int[np.ndarray, " images"], Int[np.ndarray, " images"]]:
    """Classes of the largest and second largest value; of equals, the lower index."""
    top = np.empty(len(values), dtype=np.int64)
    runner_up = np.empty_like(top)
    for start in range(0, len(values), 4096):  # so that no second table is in memory
        part = values[start : start + 4096].astype(np.float64)  # exact below 2**53
        rows = np.arange(len(part))
        best = part.argmax(axis=1)
        part[rows, best] = -1  # below any count or score
        top[start : start + 4096] = best
        runner_up[start : start + 4096] = part.argmax(axis=1)
    return top, runner_up


def _check_enough_draws(
    votes: Votes, alpha: float, *, scores: bool = False, one_bound: bool = False
) -> None:
    """Refuse a table in which no outcome of any image could have been certified."""
    split = 2 * alpha if one_bound else alpha  # what halves to the one bound's share
    if not len(votes) or split >= 1:
        return
    most = int(votes.draws.max())
    best = largest_e0_lower(most, alpha=split, scores=scores)
    if best <= 0.5:
        raise InputError(
            f"{most} draws can never certify at alpha = {alpha:g}: even if all agree, "
            f"E0's lower bound is {best:.3f}, not above 1/2. Draw at least "
            f"{min_draws(alpha=split, scores=scores)} an image"
        )
