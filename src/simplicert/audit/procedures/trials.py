"""Certified again and again: are more than alpha of the certificates false?"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from scipy.stats import binom

from simplicert.arguments import checked_alpha, checked_draws
from simplicert.audit.finding import Audit
from simplicert.audit.procedures.answers import Answers, Asked
from simplicert.audit.procedures.findings import (
    ceiling_finding,
    form_finding,
    noise_finding,
    rates_finding,
)
from simplicert.audit.procedures.of_model import OfModel
from simplicert.audit.procedures.of_votes import OfVotes
from simplicert.audit.procedures.subjects import Subject, adapted
from simplicert.audit.procedures.synthetic import (
    UNANIMOUS,
    Synthetic,
    holding,
    stripes,
    worst_cases,
)
from simplicert.audit.procedures.tally import Case, rate_found, trials_needed
from simplicert.errors import InputError
from simplicert.mechanisms.protocol import Mechanism
from simplicert.votes.chosen import draws_in_words

__all__ = ["try_procedure"]

PROBES = 100
"""How often it is asked about draws that all agree."""


def try_procedure(
    procedure: object,
    *,
    alpha: float = 0.05,
    level: float = 1e-6,
    power: float = 0.99,
    detect: float = 2.0,
    draws: int | None = None,
    trials: int | None = None,
    mechanism: str | Mechanism | None = None,
    asymptotic: bool = False,
    seed: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Audit:
    """Certify synthetic classifiers thousands of times, and count what is false.

    Each classifier's class and radius are known, and stripes along a line have them
    exactly (``simplicert.audit.procedures.synthetic``): a certificate is false if it
    names another class, or a larger radius. Of ``T`` certificates ``X`` are false; if
    the rate is at most alpha, ``P(Bin(T, alpha) >= X)`` is the probability of so many.
    Below ``level`` divided by the number of such tests, the procedure is falsified.
    What is a pure function of votes is not sampled where it has few outcomes: their
    probabilities are added up, and the rate is compared with alpha itself.

    If all n draws agree, no radius may exceed ``sigma * z(alpha**(1/n))``: where E0 is
    more than that root, all agree in more than alpha of the samples.

    Args:
        procedure: A ``Procedure`` of votes; a function of ``(draw, *, sigma, alpha)``
            that returns a class (-1: abstains) and a radius, where ``draw(n)`` gives
            the labels of n fresh noisy draws; a class like Cohen's ``Smooth``, or an
            object of one; or a text that names any of these, as ``find_audited`` takes.
        alpha: Failure probability that it claims, and is told; in (0, 1).
        level: Probability with which all tests together may falsify a procedure that is
            right, in (0, 1).
        power: Probability with which a rate of ``detect * alpha`` on a classifier is to
            be found, in (0, 1); it decides the number of trials.
        detect: More than 1, and below ``1 / alpha``.
        draws: That bound the classes' expectations, where the procedure is told how
            many; where others choose the class, a fifth as many do. Default: 100, and
            1,000 as well of a procedure of votes.
        trials: At most so many of each classifier. Default: 100,000, or 2,000 where
            each is a call. With fewer than the power needs, the report says what is
            found still.
        mechanism: Of a procedure of votes: the one whose radii are tried. Default: the
            largest of all that apply under Gaussian noise.
        asymptotic: Let it be one that is asymptotic, as for ``certify``.
        seed: Of all samples; one is drawn, and reported, if none is given.
        progress: Told the samples done and the samples in all.

    Returns:
        Findings: the answers' form, the ceiling, and the rate of false certificates
        with a row for each classifier.

    Raises:
        InputError: An argument out of range; what cannot be tried; what raises, returns
            no class and radius, or draws without end.

    Example:
        >>> from simplicert.procedures import clopper_pearson
        >>> audit = try_procedure(clopper_pearson, draws=20, trials=100, seed=1)
        >>> audit.falsified
        False
    """
    _check(alpha, level=level, power=power, detect=detect)
    if trials is not None and trials < 1:
        raise InputError(f"trials must be at least 1, got {trials}")
    subject = adapted(
        procedure,
        draws=100 if draws is None else checked_draws(draws),
        mechanism=mechanism,
        asymptotic=asymptotic,
    )
    subjects = [subject]
    if draws is None and isinstance(subject, OfVotes):
        subjects.append(replace(subject, draws=1000))
    if seed is None:
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    root = np.random.default_rng(_checked_seed(seed))
    done = whole = 0

    def tell(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None and whole:
            progress(done, whole)

    def asked(synthetic: Synthetic, *, trials: int, turn: int = 0) -> Asked:
        return Asked(
            synthetic=synthetic,
            trials=trials,
            alpha=alpha,
            sigma=subject.sigmas[turn % len(subject.sigmas)],
            generator=root.spawn(1)[0],
            progress=tell,
        )

    probes = [each.answers(asked(UNANIMOUS, trials=PROBES)) for each in subjects]
    cases = [case for each in subjects for case in _cases(each, alpha)]
    for each, probed in zip(subjects, probes, strict=True):
        found = [probed] + [
            each.answers(asked(stripes("", [p, 1 - p]), trials=PROBES))
            for p in (0.9, 0.65)
        ]
        cases += _given(each, found)
    sampled = sum(not case.exact for case in cases)
    tests = sampled + len(subjects) + isinstance(subject, OfModel)
    share = level / tests
    most = subject.usual_trials if trials is None else trials
    number = min(trials_needed(alpha, share, detect=detect, power=power), most)
    done, whole = 0, number * sampled
    tallies = [
        case.tallied(asked(case.synthetic, trials=number, turn=turn))
        for turn, case in enumerate(cases)
    ]
    received = subject.received if isinstance(subject, OfModel) else None
    facts: dict[str, str | float] = {
        "kind": subject.kind,
        "noise": subject.noise,
        "alpha": alpha,
        "level": level,
        "draws": draws_in_words(np.concatenate([probed.draws for probed in probes])),
        "cases": len(cases),
        "cases whose rate is exact": len(cases) - sampled,
        "seed": str(seed),
    }
    if sampled:
        least = rate_found(alpha, share, trials=number, power=power)
        facts["samples of each other case"] = number
        facts["power"] = (
            f"a rate of {least:.4g} in one of them is found with probability {power:g}"
        )
    return Audit(
        subject=procedure if isinstance(procedure, str) else subject.name,
        facts=facts,
        findings=(
            form_finding(probes, tallies),
            *(
                ceiling_finding(
                    probed,
                    sigma=subject.sigmas[0],
                    alpha=alpha,
                    share=share,
                    pure=isinstance(subject, OfVotes),
                )
                for probed in probes
            ),
            *([] if received is None else [noise_finding(received, share)]),
            rates_finding(
                tallies,
                alpha=alpha,
                level=level,
                tests=tests,
                independent=received is None or not received.repeated,
            ),
        ),
        not_proved=(
            f"{len(cases)} cases were tried, at alpha {alpha:g} and these numbers of "
            "draws alone, and others may be worse"
        ),
    )


def _cases(subject: Subject, alpha: float) -> list[Case]:
    synthetics = worst_cases(
        alpha=alpha, draws=sorted(subject.sizes), scores=subject.scores
    )
    cases = [Case(subject, synthetic) for synthetic in synthetics]
    if isinstance(subject, OfVotes):
        tie, *others = synthetics
        fewer = _worst_at_a_tie(subject.draws, alpha)
        cases.append(Case(replace(subject, draws=fewer), tie))
        bounds = [each for each in others if "just below" in each.name]
        cases += [Case(subject.stopping(), each) for each in (tie, *bounds)]
    return cases


def _given(subject: Subject, found: Sequence[Answers]) -> list[Case]:
    """Where a radius that it usually gives is just too large."""
    cases = []
    for answers in found:
        radii = answers.radius[(answers.named == 0) & (answers.radius > 0)]
        if len(radii):
            usual = float(np.sort(radii)[len(radii) // 2]) / subject.sigmas[0]
            synthetic = holding(usual, subject.noise)
            cases += [] if synthetic is None else [Case(subject, synthetic)]
    return cases


def _worst_at_a_tie(draws: int, alpha: float) -> int:
    """Of half as many draws to so many, where a bound at alpha/2 fails most often."""
    n = np.arange(max(draws // 2, 1), draws + 1)
    too_many = binom.isf(alpha / 2, n, 0.5) + 1
    return int(n[np.argmax(binom.sf(too_many - 1, n, 0.5))])


def _checked_seed(seed: object) -> int:
    if isinstance(seed, int | np.integer) and seed >= 0:
        return int(seed)
    raise InputError(f"seed must be a whole number, at least 0, got {seed!r}")


def _check(alpha: float, *, level: float, power: float, detect: float) -> None:
    checked_alpha(alpha)
    for name, value in {"level": level, "power": power}.items():
        if not 0.0 < value < 1.0:
            raise InputError(f"{name} must be in (0, 1), got {value!r}")
    if not 1.0 < detect < 1.0 / alpha:
        raise InputError(
            "detect must be more than 1, and detect × alpha, the rate that is to be "
            f"found, less than 1, got {detect!r} at alpha {alpha:g}"
        )
