"""What trials found, in sentences."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from simplicert.audit.finding import Finding
from simplicert.audit.procedures.answers import SLACK, Answers
from simplicert.audit.procedures.of_model import Received
from simplicert.audit.procedures.synthetic import UNANIMOUS
from simplicert.audit.procedures.tally import Tally

__all__ = ["ceiling_finding", "form_finding", "noise_finding", "rates_finding"]


def form_finding(probes: Sequence[Answers], tallies: Sequence[Tally]) -> Finding:
    """Whether every answer is a certificate or an abstention."""
    odd = sum(int(probed.odd.sum()) for probed in probes)
    odd += sum(tally.odd for tally in tallies)
    check = "form of the answers"
    if not odd:
        says = "every answer is a class and a radius, or an abstention"
        return Finding(check=check, outcome="held", says=says)
    says = f"{odd:,} answers are no certificates: a radius that is negative or NaN, "
    says += "one for an abstention, or a class below 0 (-1 abstains)"
    return Finding(check=check, outcome="doubtful", says=says)


def ceiling_finding(
    probed: Answers, *, sigma: float, alpha: float, share: float, pure: bool
) -> Finding:
    """Whether draws that all agree certify more than their number can show.

    At any E0 below ``Phi(r / sigma)`` a radius of ``r`` is false, and all n draws agree
    with probability ``E0**n``. What decides by the draws alone is so falsified by one
    answer. What may throw dice as well is asked several times: with confidence
    ``1 - share``, draws that agree give at least the smallest radius of these with
    probability ``share**(1 / times)``.
    """
    check = "radius where all draws agree"
    n, radius = int(probed.draws.max()), np.nan_to_num(probed.radius, posinf=np.inf)
    named = (probed.named != -1) & (radius > 0)
    if not named.all() or n == 0:
        return Finding(
            check=check,
            outcome="not checked",
            says=f"of {len(named)} samples of {n:,} draws that all agree it named a "
            f"class in {named.sum()} only: more draws would let it",
        )
    wrong = bool((probed.named != UNANIMOUS.best).all())
    least = np.inf if wrong else float(radius.min())
    ceiling = sigma * max(float(ndtri(alpha ** (1.0 / n))), 0.0)
    says = (
        f"{n:,} draws that all agree give a radius of {least:.6g} at sigma {sigma:g} "
        f"and alpha {alpha:g}; more than {ceiling:.6g} would be false too often"
    )
    if wrong:
        says = f"{n:,} draws that all agree on class 0 are certified as another class"
    if not least > ceiling * (1.0 + SLACK):
        return Finding(check=check, outcome="held", says=says)
    agree = ndtr(least / sigma) ** n
    says += (
        f": where E0 is just below {ndtr(least / sigma):.6g}, all agree in {agree:.3g} "
        "of the samples, and that is false"
    )
    if pure or agree * share ** (1.0 / len(named)) > alpha:
        return Finding(check=check, outcome="falsified", says=says)
    says += ". A proof, if the procedure decides by the draws alone"
    return Finding(check=check, outcome="doubtful", says=says)


def rates_finding(
    tallies: Sequence[Tally],
    *,
    alpha: float,
    level: float,
    tests: int,
    independent: bool,
) -> Finding:
    """Whether more than alpha of the certificates are false, in any case.

    Args:
        tallies: Of all cases.
        alpha: That is claimed.
        level: Of all tests together.
        tests: How many there are.
        independent: Whether the samples of a case are.
    """
    share = level / tests
    table = _table(tallies)
    check = "rate of false certificates"
    if not any(tally.named > 0 for tally in tallies):
        return Finding(
            check=check,
            outcome="not checked",
            says="it never named a class, so that nothing was tested: more draws, or a "
            "larger alpha, would let it",
            details=table,
        )
    if not independent:
        return Finding(
            check=check,
            outcome="not checked",
            says="its noise is the same again and again: what is false is then false "
            "each time, and no rate can be counted. Let every certificate draw its own",
            details=table,
        )
    against = [tally for tally in tallies if tally.p_value <= share]
    if not against:
        highest = max(tallies, key=lambda tally: tally.false)
        return Finding(
            check=check,
            outcome="held",
            says=f"in none of {len(tallies)} cases is the rate shown to be above alpha "
            f"{alpha:g}; the highest is {highest.false:.6g} ({_counted(highest)}), on "
            f"{highest.synthetic.name!r}",
            details=table,
        )
    worst = min(against, key=lambda tally: (tally.p_value, -tally.false))
    says = (
        f"{worst.false:.4g} of its certificates at alpha {alpha:g} are false "
        f"({_counted(worst)}) on {worst.synthetic.name!r}, whose answer holds up to "
        f"{worst.true_radius:.6g} at sigma {worst.sigma:g}"
    )
    if worst.trials:
        says += (
            f": if that rate were alpha, so many would have probability "
            f"{worst.p_value:.2g}, and {share:.2g} is enough ({level:g} for "
            f"{tests} tests)"
        )
    says += f". {len(against)} of {len(tallies)} cases falsify it"
    return Finding(check=check, outcome="falsified", says=says, details=table)


def _counted(tally: Tally) -> str:
    """What a rate is made of."""
    if not tally.trials:
        return "exactly: all outcomes are added up"
    return f"{round(tally.false * tally.trials):,} of {tally.trials:,} samples"


def _table(tallies: Sequence[Tally]) -> pd.DataFrame:
    """A row for each classifier."""
    rows = []
    for tally in tallies:
        e0, e1 = np.sort(tally.synthetic.expectations)[::-1][:2]
        stopping = ", stopping where it likes" if tally.stopping else ""
        rows.append(
            {
                "classifier": tally.synthetic.name + stopping,
                "classes": tally.synthetic.scores.shape[1],
                "e0": e0,
                "e1": e1,
                "draws": tally.draws,
                "sigma": tally.sigma,
                "true_radius": tally.true_radius,
                "samples": f"{tally.trials}" if tally.trials else "all outcomes",
                "named": tally.named,
                "false": tally.false,
                "p_value": tally.p_value,
            }
        )
    return pd.DataFrame(rows)


def noise_finding(seen: Received, share: float) -> Finding:
    """Whether what the classifier was given is independent, and has mean 0 and sigma 1.

    Of ``N`` inputs each mean, each deviation and each correlation, times the square
    root of ``N`` (or ``2 N``), is a normal number; of nine none should be large.
    """
    number = max(seen.number, 1)
    means, moments = seen.sums / number, seen.products / number
    deviations = np.diag(moments) ** 0.5
    pairs = moments[np.triu_indices(3, 1)] / np.maximum(
        np.outer(deviations, deviations)[np.triu_indices(3, 1)], 1e-300
    )
    says = (
        f"in {seen.number:,} inputs of 3 pixels the noise has a mean of "
        f"{_largest(means):.4f} sigma, a standard deviation of "
        f"{1 + _largest(deviations - 1):.4f} sigma and a correlation of "
        f"{_largest(pairs):.4f} between pixels (the worst of each; 0, 1 and 0 are "
        "right)"
    )
    far = number**0.5 * np.abs([*means, *(2**0.5 * (deviations - 1)), *pairs])
    if seen.repeated:
        says += f"; {seen.repeated:,} certificates had an earlier one's noise"
    elif far.max() <= -ndtri(share / 18):
        return Finding(check="noise", outcome="held", says=says)
    else:
        says += (
            ". It is other noise than it says, or something is done to the image "
            "before the classifier sees it"
        )
    return Finding(check="noise", outcome="doubtful", says=says)


def _largest(values: np.ndarray) -> float:
    return float(values[np.abs(values).argmax()])
