"""What more draws buy, and what they cost (the paper's Figure 6)."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from simplicert import bounds, mechanisms
from simplicert.analysis.tables import mean_draws
from simplicert.certificates import ALPHA, Certificates, find_procedure
from simplicert.errors import InputError
from simplicert.interop import RunEvidence
from simplicert.mechanisms.catalogue import find_mechanism, name_of
from simplicert.mechanisms.protocol import Mechanism
from simplicert.paper import RADIUS_OF_INTEREST
from simplicert.procedures import Procedure, largest_e0_lower, min_draws
from simplicert.votes import Manifest

__all__ = ["against_draws", "certificates_by_draws", "times"]


def certificates_by_draws(
    run: Path | str | RunEvidence,
    *,
    alpha: float | None = None,
    framework: str | None = None,
    procedure: str | Procedure | None = None,
    mechanism: str | Mechanism | None = None,
    points: int = 10,
    asymptotic: bool = False,
) -> list[Certificates]:
    """Certificates of a run's first 1, 2, …, all blocks: what fewer draws would give.

    The blocks of an image are independent, so the first few are an honest smaller run.
    Each set holds at ``alpha`` on its own; choosing among them afterwards does not.

    Of a run that stops its images a block ends at a look: what it had certified if it
    had ended there, each image at that look or where it had stopped before, at the
    look's share of ``alpha``. These hold all at once.

    Args:
        run: A run directory.
        alpha: Failure probability of each image, at each number of draws on its own.
        framework: As for ``certify``.
        procedure: As for ``certify``; not one that needs separate draws.
        mechanism: As for ``certify``.
        points: At most so many numbers of draws, evenly spaced on a logarithmic scale.
        asymptotic: As for ``certify``.

    Returns:
        In order of blocks. Numbers of draws with which nothing could ever be certified
        at this ``alpha`` are left out.

    Raises:
        InputError: As for ``read_run`` and ``certify``.
    """
    evidence = run if isinstance(run, RunEvidence) else RunEvidence(run)
    manifest = evidence.directory.manifest
    found = find_procedure(procedure, framework=framework, asymptotic=asymptotic)
    if found.separate:
        raise InputError(
            f"{found.name} sets draws apart: the first of a run's draws are no smaller "
            "run of it"
        )
    spaced = np.linspace if manifest.stops_early else np.geomspace  # as looks are
    sizes = np.unique(spaced(1, manifest.blocks, points).round().astype(int))
    least = _least_blocks(manifest, found, alpha=ALPHA if alpha is None else alpha)
    large = [size for size in sizes if size >= least]
    return [
        evidence.certify(
            alpha=alpha,
            procedure=found,
            mechanism=mechanism,
            blocks=int(size),
            asymptotic=asymptotic,
        )
        for size in large or sizes[-1:].tolist()
    ]


def _least_blocks(manifest: Manifest, procedure: Procedure, *, alpha: float) -> int:
    """The fewest blocks of an image of which anything could be certified."""
    if manifest.block is not None:
        return -(-min_draws(procedure, alpha=alpha) // manifest.block)
    can = [
        look.share > 0.0
        and largest_e0_lower(procedure, draws=look.draws, alpha=alpha * look.share) > 0
        for look in manifest.looks
    ]
    return can.index(True) + 1 if any(can) else len(can)


def against_draws(by_draws: Iterable[Certificates]) -> pd.DataFrame:
    """Radii that each mechanism reaches with each number of draws (Fig. 6a).

    Returns:
        One row a mechanism and set of certificates: ``mechanism``, ``draws`` (mean an
        image), ``above_0.05`` (share of images with a larger radius),
        ``median_radius``.

    References:
        Cullen et al. 2024, Figure 6a.
    """
    rows = [
        {
            "mechanism": mechanism,
            "draws": mean_draws(certificates),
            "above_0.05": float((radius > RADIUS_OF_INTEREST).mean()),
            "median_radius": float(np.median(radius)),
        }
        for certificates in by_draws
        for mechanism, radius in certificates.radii.items()
    ]
    if not rows:
        raise InputError("there are no certificates to compare")
    return pd.DataFrame(rows).sort_values("draws", kind="stable", ignore_index=True)


def times(
    by_draws: Iterable[Certificates],
    *,
    mechanism: str | Mechanism | None = None,
    repeats: int = 5,
) -> pd.DataFrame:
    """Seconds an image that the draws took and all else takes here (Fig. 6b).

    The draws' time was taken when they were drawn, for one process on that machine.
    The bounds and mechanisms are timed now, on all images at once as ``certify`` does;
    the fastest of ``repeats``.

    Args:
        by_draws: What ``certificates_by_draws`` gave, or certificates of any framework;
            the bounds are timed as Clopper-Pearson ones, the slower kind.
        mechanism: What the certificates were made with, if it is one of your own.
        repeats: Runs of each; the shortest counts.

    Returns:
        One row a step and set of certificates: ``step`` (``"draws"`` if their time is
        known, ``"bounds"``, a mechanism), ``draws`` (mean an image),
        ``seconds_per_image``, ``share_of_draws`` (NaN if unknown).

    References:
        Cullen et al. 2024, Figure 6b.
    """
    own = [] if mechanism is None else [find_mechanism(mechanism)]
    tables = [_times(certificates, own, repeats) for certificates in by_draws]
    if not tables:
        raise InputError("there are no certificates to time")
    return pd.concat(tables, ignore_index=True)


def _times(
    certificates: Certificates, own: Sequence[Mechanism], repeats: int
) -> pd.DataFrame:
    if len(certificates) == 0:
        raise InputError("there are no images to time")
    images = len(certificates)
    e0, e1 = certificates.e0_lower, certificates.e1_upper
    trials = certificates.draws
    count = np.rint(np.nan_to_num(certificates.e0) * trials).astype(np.int64)
    known = mechanisms.BUILT_IN | {name_of(each): each for each in own}
    timed = {
        name: known[name]
        for name in certificates.radii
        if name in known and name != "ensemble"  # it is the maximum of the others
    }
    seconds: dict[str, float] = {}
    draws = np.nan
    if certificates.draw_seconds is not None:
        draws = float(certificates.draw_seconds.mean())
    if draws > 0:  # not NaN
        seconds["draws"] = draws

    def both_bounds() -> None:
        bounds.clopper_pearson_lower(count, trials=trials, alpha=certificates.alpha)
        bounds.clopper_pearson_upper(count, trials=trials, alpha=certificates.alpha)

    seconds["bounds"] = _fastest(both_bounds, repeats) / images
    for name, radius in timed.items():

        def one(radius: Mechanism = radius) -> None:
            radius(e0, e1, sigma=certificates.sigma)

        seconds[name] = _fastest(one, repeats) / images
    table = pd.DataFrame(seconds.items(), columns=["step", "seconds_per_image"])
    table.insert(1, "draws", mean_draws(certificates))
    return table.assign(share_of_draws=table["seconds_per_image"] / draws)


def _fastest(work: Callable[[], None], repeats: int) -> float:
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)
