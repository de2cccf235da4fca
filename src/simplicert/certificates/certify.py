"""Votes, a procedure, mechanisms and alpha → certificates."""

from collections.abc import Mapping
from functools import reduce

import numpy as np

from simplicert import mechanisms, paper
from simplicert.arguments import checked_alpha
from simplicert.certificates.record import (
    ASYMPTOTIC,
    PRINTED,
    REPORTED,
    Certificates,
)
from simplicert.certificates.transitive import neighbours_in, share_of, transitive
from simplicert.errors import InputError, unknown_name
from simplicert.mechanisms.catalogue import applying, find_mechanism, name_of
from simplicert.mechanisms.neyman_pearson import SAFETY
from simplicert.mechanisms.protocol import Mechanism, Radii, proof_of
from simplicert.mechanisms.separated import scaled
from simplicert.noises import Noise
from simplicert.procedures import (
    PROCEDURES,
    Intervals,
    Procedure,
    largest_e0_lower,
    margins,
    min_draws,
)
from simplicert.procedures.protocol import check_allowed
from simplicert.votes import Votes

__all__ = [
    "ALPHA",
    "certify",
    "default_of",
    "find_procedure",
    "radii_of",
    "why_not",
]

ALPHA = 0.001
"""Failure probability of each image's certificate, where none is given."""


def certify(
    votes: Votes,
    *,
    alpha: float = ALPHA,
    framework: str | None = None,
    procedure: str | Procedure | None = None,
    mechanism: str | Mechanism | None = None,
    asymptotic: bool = False,
    neighbours: Votes | None = None,
) -> Certificates:
    """Certify every image: bound E0 and E1, and apply each mechanism that has a proof.

    The facts that travel with the votes (their noise, its norm, the looks) and the
    statistic that the procedure counts are held against what each mechanism says that
    its proof is about. What applies is a column; what was asked for and does not apply
    is refused, with the reason.

    Args:
        votes: Counts and score sums, and their facts.
        alpha: Failure probability of each image on its own, in (0, 1).
        framework: ``"multinomial"`` (hard votes) or ``"softmax"`` (soft scores): the
            paper's procedure of that framework. Default: multinomial.
        procedure: How E0 and E1 are bounded: a name, or one of your own, as
            ``PROCEDURES.find`` takes it. In place of ``framework``.
        mechanism: What names the predicted class and ``radius``: a column's name; or
            a mechanism of your own, as a function or as ``find_mechanism`` takes it,
            which becomes a column under its ``__name__``. Default: the tight one for
            the votes' noise, ``neyman_pearson`` for Gaussian noise.
        asymptotic: Let ``procedure`` be one that is asymptotic, for comparison: what
            rests on it is no certificate, and says so.
        neighbours: Votes of neighbours of all images, as ``data.neighbours`` makes them
            a data set: then ``alpha`` is shared by an image's certificate and those of
            its neighbours, and its radius is what all of their balls prove
            (``docs/transitive.md``).

    Returns:
        Certificates with a column for each mechanism that applies: the paper's, their
        ``ensemble``, others, and your own. Where the procedure bounds one mechanism's
        radius itself, that column alone; nothing is known of E0 and E1 there, and their
        bounds are 0 and 1.

    Raises:
        InputError: ``alpha`` outside (0, 1); so few draws that even unanimous votes
            could not certify; votes without what the procedure counts; an unknown
            mechanism or procedure, or one without a proof for these votes, or a
            mechanism whose radius the procedure does not bound.

    References:
        Cullen et al. 2024, Algorithms 1, 2 and 3, Eq. 2-4, Corollary 4.3.

    Example:
        >>> import numpy as np
        >>> votes = Votes(counts=np.array([[900, 60, 40]]), draws=np.array([1000]),
        ...     indices=np.array([0]), sigma=0.5, source={})
        >>> certify(votes, alpha=0.001).radius.round(3)
        array([0.613])
    """
    chosen = find_procedure(procedure, framework=framework, asymptotic=asymptotic)
    if neighbours is None:
        return _certify(votes, chosen, alpha=alpha, mechanism=mechanism)
    around = neighbours_in(votes, neighbours)
    share = share_of(checked_alpha(alpha), each=around.each)
    own, theirs = (
        _certify(each, chosen, alpha=share, mechanism=mechanism)
        for each in (votes, neighbours)
    )
    return transitive(own, theirs, around, alpha=alpha)


def _certify(
    votes: Votes,
    chosen: Procedure,
    *,
    alpha: float,
    mechanism: str | Mechanism | None,
) -> Certificates:
    """By an image's own votes alone."""
    if not isinstance(votes, Votes):
        raise InputError(
            f"certify takes Votes, got {type(votes).__name__}: "
            "simplicert.read_run(path) reads those of a run directory"
        )
    if chosen.separate:
        votes = votes.set_apart
    own = None if mechanism is None else _find_own(mechanism, votes, chosen)
    columns = _columns(votes, chosen)
    intervals = chosen(votes, alpha=alpha)
    _check_enough_draws(votes, chosen, alpha)
    e1_upper = intervals.others_upper
    if own is not None and name_of(own) != "ensemble":
        columns[name_of(own)] = own
    if not columns:
        raise InputError(
            f"no mechanism has a proof for {votes.noise} and {chosen.statistic} "
            "expectations: give one that has, with mechanism=…"
        )
    radii = {name: radii_of(votes, intervals, each) for name, each in columns.items()}
    members = paper.ENSEMBLES.get(chosen.statistic, ())
    if members and radii.keys() >= set(members):
        radii["ensemble"] = reduce(np.maximum, [radii[name] for name in members])
    else:  # the paper's is not of this noise
        members = tuple(radii)
    order = [*paper.MECHANISMS, "ensemble", *radii]
    return Certificates(
        indices=votes.indices,
        labels=votes.labels,
        top=intervals.top,
        runner_up=intervals.runner_up,
        e0=intervals.e0,
        e1=intervals.e1,
        e0_lower=intervals.e0_lower,
        e1_upper=e1_upper,
        radii={name: radii[name] for name in dict.fromkeys(order) if name in radii},
        members=members,
        mechanism=name_of(own if own is not None else default_of(columns)),
        draws=votes.draws,
        sigma=votes.sigma,
        alpha=alpha,
        noise=votes.noise.facts,
        looks=votes.fixed_looks,
        framework=chosen.statistic,
        procedure=chosen.name,
        asymptotic=chosen.asymptotic,
        classes=votes.classes,
        source=votes.source,
        draw_seconds=votes.draw_seconds,
        data=None if votes.manifest is None else votes.manifest.data,
        chosen_from=votes.chosen_from,
        refused=intervals.refused,
        votes=votes if chosen is margins else None,
    )


def radii_of(votes: Votes, intervals: Intervals, mechanism: Mechanism) -> Radii:
    """What a mechanism certifies, less what inputs were moved to the noise's grid.

    Raises:
        InputError: The intervals are no bounds of E0 and E1, but of another mechanism's
            radius.
    """
    moved = 0.0 if votes.manifest is None else votes.manifest.displacement
    e1_upper = intervals.others_upper
    if intervals.radius is None:
        radius = mechanism(intervals.e0_lower, e1_upper, sigma=votes.sigma)
    elif mechanism is mechanisms.neyman_pearson:
        radius = scaled(intervals.radius * (1.0 - SAFETY), votes.sigma)
    else:
        raise InputError(
            f"{name_of(mechanism)} needs bounds of E0 and E1, and the procedure bounds "
            "the radius of neyman_pearson alone"
        )
    return np.asarray(np.maximum(radius - moved, 0.0))


def default_of(applicable: Mapping[str, Mechanism]) -> Mechanism:
    """The mechanism that names the class where none is asked for: the tight one."""
    tight = [each for each in applicable.values() if proof_of(each).tight]
    return [*tight, *applicable.values()][0]


def find_procedure(
    procedure: str | Procedure | None = None,
    *,
    framework: str | None = None,
    asymptotic: bool = False,
) -> Procedure:
    """The procedure that is asked for, by itself or as the paper's of a framework.

    Whatever turns votes into certificates comes by it here.

    Raises:
        InputError: It is unknown or unsound; or both are given and contradict; or it is
            asymptotic, and nobody said that it may be.
    """
    if framework is not None and framework not in paper.PROCEDURES:
        raise unknown_name("framework", str(framework), paper.PROCEDURES)
    if procedure is None:
        return PROCEDURES.find(paper.PROCEDURES[framework or "multinomial"])
    found = PROCEDURES.find(procedure)
    check_allowed(found, asymptotic=asymptotic)
    if framework is not None and framework != found.statistic:
        raise InputError(
            f"the procedure {found.name} counts {found.statistic}, not {framework}: "
            "leave one of the two out"
        )
    return found


def why_not(mechanism: Mechanism, noise: Noise, statistic: str) -> str | None:
    """Why a mechanism does not apply to such votes; ``None`` where it does.

    ``ensemble`` is the paper's of the statistic, and applies where its members do.
    """
    members = [mechanism]
    if mechanism is mechanisms.ensemble:
        names = paper.ENSEMBLES.get(statistic, ())
        members = [mechanisms.BUILT_IN[name] for name in names] or members
    lacks = (proof_of(member).lacks(noise, statistic) for member in members)
    return next((lack for lack in lacks if lack is not None), None)


def _columns(votes: Votes, chosen: Procedure) -> dict[str, Mechanism]:
    """Those of ours that apply, but the maximum of others; perhaps none."""
    if chosen.radius_of is not None:
        one = mechanisms.BUILT_IN[chosen.radius_of]
        lack = why_not(one, votes.noise, chosen.statistic)
        if lack is not None:
            raise InputError(
                f"the procedure {chosen.name} bounds the radius of {chosen.radius_of} "
                f"alone, which does not apply: {lack}"
            )
        return {chosen.radius_of: one}
    columns = applying(votes.noise, chosen.statistic)
    columns.pop("ensemble", None)
    return columns


def _find_own(mechanism: str | Mechanism, votes: Votes, chosen: Procedure) -> Mechanism:
    """The mechanism asked for, if it has a proof for these votes."""
    found = find_mechanism(mechanism)
    name = name_of(found)
    taken = {*mechanisms.BUILT_IN, *Certificates.COLUMNS, *Certificates.FACTS}
    taken |= {REPORTED, PRINTED, ASYMPTOTIC}
    if found not in mechanisms.BUILT_IN.values() and (not name or name in taken):
        raise InputError(
            f"a mechanism of your own cannot be called {name!r}: certificates have "
            "a column of that name, or mean something else by it"
        )
    if chosen.radius_of not in (None, name):
        raise InputError(
            f"{name} needs bounds of E0 and E1, and the procedure {chosen.name} bounds "
            f"the radius of {chosen.radius_of} alone: leave the mechanism out, or take "
            "another procedure"
        )
    lack = why_not(found, votes.noise, chosen.statistic)
    if lack is not None:
        ours = [
            known
            for known, each in mechanisms.BUILT_IN.items()
            if why_not(each, votes.noise, chosen.statistic) is None
        ]
        raise InputError(
            f"{name} does not apply: {lack}. "
            f"Applicable: {', '.join(ours) or 'none of ours'}"
        )
    return found


def _check_enough_draws(votes: Votes, procedure: Procedure, alpha: float) -> None:
    """Refuse votes of which no outcome at any look could have been certified."""
    if not len(votes):
        return
    looks = [look for look in votes.fixed_looks if look.share > 0.0]
    for look in looks:
        if largest_e0_lower(procedure, draws=look.draws, alpha=alpha * look.share):
            return
    most = looks[-1]
    least = min_draws(procedure, alpha=alpha * most.share)
    raise InputError(
        f"{most.draws} draws can never certify at alpha = {alpha:g}: even if all "
        f"agree, {procedure.name} names no class. Draw at least {least} "
        "an image"
    )
