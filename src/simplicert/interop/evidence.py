"""The one door from a path to certificates: a run directory, or an imported log."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr

from simplicert import paper
from simplicert.bounds import clopper_pearson_lower
from simplicert.certificates import (
    ABSTAIN,
    ALPHA,
    Certificates,
    certify,
    find_procedure,
)
from simplicert.certificates.record import REPORTED
from simplicert.errors import InputError
from simplicert.interop.recover import largest_radius
from simplicert.interop.reported import ReportedLog, is_reported_log
from simplicert.mechanisms import cohen
from simplicert.mechanisms.catalogue import name_of
from simplicert.mechanisms.protocol import Mechanism
from simplicert.noises import Noise, in_float32
from simplicert.procedures import Procedure, two_stage
from simplicert.stopping import Rule, with_decisions
from simplicert.votes import RunDirectory, Votes
from simplicert.votes.looks import one_look

__all__ = ["Evidence", "LogEvidence", "RunEvidence", "certify_path", "open_evidence"]


def certify_path(
    path: Path | str,
    *,
    alpha: float | None = None,
    framework: str | None = None,
    procedure: str | Procedure | None = None,
    mechanism: str | Mechanism | None = None,
    selection: int | None = None,
    partial: bool = False,
    rule: str | Rule | None = None,
    asymptotic: bool = False,
    neighbours: Path | str | None = None,
) -> Certificates:
    """Certificates from a run directory or an imported log, whichever ``path`` is.

    Args:
        path: A run directory, or what ``simplicert import`` made of a log.
        alpha: Failure probability of each image; by default 0.001, or the log's own.
        framework: As for ``certify``. A log is of hard votes.
        procedure: As for ``certify``. A log's is ``"two_stage"``.
        mechanism: As for ``certify`` and ``LogEvidence.certify``; by default the tight
            one, or what the log's radii are.
        selection: Draws of each image that only choose the class, whole blocks: for
            procedures that need them. Default: those that chose whose margins were
            recorded, or else one block. Not of a log.
        partial: Leave unfinished images out, instead of refusing. Of a run that stops
            its images, certify each at the look that it has come to.
        rule: As for ``stopping.with_decisions``. Not of a log.
        asymptotic: As for ``certify``.
        neighbours: A run of neighbours of the images, as for ``certify``. Not of a log;
            nor with ``rule``, which decided without them.

    Raises:
        InputError: As ``certify``, ``RunDirectory.read``, ``LogEvidence.certify`` and
            ``with_decisions``; ``selection`` for a procedure that does not need it.
    """
    evidence = open_evidence(path, partial=partial)
    ways: dict[str, Any] = {
        "alpha": alpha,
        "framework": framework,
        "procedure": procedure,
        "mechanism": mechanism,
        "selection": selection,
        "asymptotic": asymptotic,
    }
    if rule is None and neighbours is None:
        return evidence.certify(**ways)
    if isinstance(evidence, LogEvidence):
        what = "no rule stopped its images" if rule else "it has no votes to combine"
        raise InputError(f"{path} is a log: {what}")
    if rule is not None and neighbours is not None:
        raise InputError(
            "the rule decided without neighbours: leave out one of the two"
        )
    return evidence.certify(**ways, rule=rule, neighbours=neighbours)


def open_evidence(path: Path | str, *, partial: bool = False) -> "Evidence":
    """What is at ``path``, ready to be certified in one way or several.

    Raises:
        InputError: Neither a run nor a log.
    """
    if is_reported_log(path):
        return LogEvidence(path)
    return RunEvidence(path, partial=partial)


class RunEvidence:
    """A run directory; its votes are read when they are first wanted, and kept.

    Args:
        path: An existing run.
        partial: Leave unfinished images out, instead of refusing.
    """

    def __init__(self, path: Path | str, *, partial: bool = False) -> None:
        self.path, self.partial = Path(path), partial
        self.directory = RunDirectory(path)

    @property
    def procedures(self) -> Sequence[str]:
        """The paper's procedure of each framework that was counted."""
        return [paper.PROCEDURES[f] for f in self.directory.manifest.statistics]

    @property
    def pilot(self) -> int:
        """So many first draws are set apart to choose the class, if nobody says it.

        Those that chose whose margins were recorded; of other runs one block.
        """
        manifest = self.directory.manifest
        if manifest.margins is not None:
            return manifest.margins.pilot
        return int(manifest.draws_in(np.zeros(1, np.int64))[0])

    @cached_property
    def votes(self) -> Votes:
        """All votes and scores."""
        return self.directory.read(partial=self.partial)

    @cached_property
    def apart(self) -> Votes:
        """All but the pilot draws, which choose the class of these."""
        if self.directory.manifest.margins is not None:
            return self.votes.set_apart
        return self.directory.read(selection=self.pilot, partial=self.partial)

    @cached_property
    def _hard_votes(self) -> Votes:
        if "votes" in vars(self):
            return self.votes
        return self.directory.read(scores=False, partial=self.partial)

    def certify(
        self,
        *,
        alpha: float | None = None,
        framework: str | None = None,
        procedure: str | Procedure | None = None,
        mechanism: str | Mechanism | None = None,
        selection: int | None = None,
        blocks: int | None = None,
        rule: str | Rule | None = None,
        asymptotic: bool = False,
        neighbours: Path | str | None = None,
    ) -> Certificates:
        """Certificates of the run, or of its first ``blocks`` only.

        Args:
            alpha: As for ``certify_path``, like the others.
            framework: Likewise.
            procedure: Likewise.
            mechanism: Likewise.
            selection: Likewise.
            blocks: How many blocks of each image to use: what a shorter run would give.
            rule: As for ``certify_path``.
            asymptotic: Likewise.
            neighbours: Likewise.
        """
        found = find_procedure(procedure, framework=framework, asymptotic=asymptotic)
        if not found.separate and selection is not None:
            raise InputError(
                "selection is for procedures with separate draws (two_stage, margins), "
                f"and {found.name} has none"
            )
        votes = self._votes_for(found, selection=selection, blocks=blocks)
        others = None
        if neighbours is not None:
            others = RunEvidence(neighbours)._votes_for(found, selection=selection)
        made = certify(
            votes,
            alpha=ALPHA if alpha is None else alpha,
            procedure=found,
            mechanism=mechanism,
            asymptotic=asymptotic,
            neighbours=others,
        )
        if (
            blocks is not None or others is not None
        ):  # not where, or as the rule stopped
            return made
        return with_decisions(made, votes, rule=rule)

    def _votes_for(
        self,
        procedure: Procedure,
        *,
        selection: int | None = None,
        blocks: int | None = None,
    ) -> Votes:
        """What a procedure reads of the run."""
        scores = procedure.statistic != "multinomial"
        procedure.check_columns(self.directory.manifest.widths())
        if procedure.separate and scores and selection is None:
            return self.apart
        if procedure.separate:
            return self.directory.read(
                scores=scores,
                selection=self.pilot if selection is None else selection,
                partial=self.partial,
            )
        if blocks is not None:
            return self.directory.read(
                blocks=slice(0, blocks), scores=scores, partial=self.partial
            )
        # A rule may look at scores.
        scores = scores or self.directory.manifest.stops_early
        return self.votes if scores else self._hard_votes


class LogEvidence:
    """An imported certification log, as far as its evidence goes.

    Args:
        path: A directory that ``simplicert import`` made of a log in Cohen's layout.

    Raises:
        InputError: There is no such log, or it is damaged.
    """

    procedures: Sequence[str] = ("two_stage",)

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.log = ReportedLog.read(path)

    def certify(
        self,
        *,
        alpha: float | None = None,
        framework: str | None = None,
        procedure: str | Procedure | None = None,
        mechanism: str | Mechanism | None = None,
        selection: int | None = None,
        asymptotic: bool = False,  # noqa: ARG002 (its one procedure is not)
    ) -> Certificates:
        """Certificates that the log itself supports.

        Column ``reported`` holds the log's radii, at its own alpha, as what is certain
        of them: each less a unit of its last printed digit, because print may round up,
        and none larger than unanimous votes give. Where the digits determine every
        count, there is also ``cohen``: the radius re-derived from the count, at any
        alpha, and then it is the one that counts. ``source["evidence"]`` says which:
        ``"recovered counts"`` or ``"reported radii"``. What the log does not say is NaN
        (estimates) or -1 (the class of an abstention, every runner-up). A row in which
        the log abstains has the bound 0 and stays an abstention. The radii as they were
        printed, at the log's alpha, are in ``printed``, and no mechanism's.

        Args:
            alpha: Failure probability of each image; the log's by default.
            framework: Of hard votes only.
            procedure: ``"two_stage"``, which it is.
            mechanism: Which column counts: ``"cohen"``, whose radii the reported ones
                are where they are not re-derivable, or ``"reported"``.
            selection: Cannot be had.
            asymptotic: Says nothing here: the log's procedure is not.

        Raises:
            InputError: Another mechanism, framework or procedure; another alpha than
                the log's, while the log's radii are not re-derivable.
        """
        if framework not in (None, "multinomial"):
            raise InputError(
                f"{self.path} is a log of hard votes: it has no soft scores"
            )
        if procedure not in (None, "two_stage", two_stage) or selection is not None:
            raise InputError(
                f"{self.path} is a log of the two-stage procedure, without its votes: "
                "neither another procedure nor another selection can be had of it"
            )
        log, path = self.log, self.path
        conditions = log.conditions
        alpha = conditions.alpha if alpha is None else alpha
        same = alpha == conditions.alpha
        if not same and not log.recovered:
            raise InputError(
                f"{path} holds radii reported at alpha {conditions.alpha:g}, and not "
                f"the votes to derive others from: use --alpha {conditions.alpha:g}"
            )
        images = len(log.indices)
        named = (log.radius > 0) | (log.most > 0)
        estimate = np.full(images, np.nan)
        certain = _certain(log)
        radii = {REPORTED: certain} if same and conditions.printed else {}
        if log.recovered:
            estimate[named] = log.most[named] / conditions.draws
            lower = clopper_pearson_lower(
                log.most, trials=conditions.draws, alpha=alpha
            )
            radii["cohen"] = cohen(lower, 1.0 - lower, sigma=conditions.sigma)
        elif conditions.certificate == "cohen":
            # The bound that the radius implies.
            lower = np.where(certain > 0, ndtr(certain / conditions.sigma), 0.0)
        else:
            lower = np.full(images, np.nan)
        own = "cohen" if log.recovered else REPORTED
        asked = mechanism if isinstance(mechanism, str | None) else name_of(mechanism)
        if callable(mechanism) and mechanism is not cohen:
            asked = f"a mechanism of your own ({asked})"
        cohens = ("cohen",) if conditions.certificate == "cohen" else ()
        if asked not in (None, *cohens, *radii):
            raise InputError(
                f"{path} is a log of radii, not of votes: {asked} cannot be had of "
                f"it. It has: {', '.join(radii)}"
            )
        chosen = asked if asked in radii else own
        return Certificates(
            indices=log.indices,
            labels=log.labels,
            top=np.where(log.predicted >= 0, log.predicted, ABSTAIN),
            runner_up=np.full(images, ABSTAIN),
            e0=estimate,
            e1=np.full(images, np.nan),
            e0_lower=lower,
            e1_upper=1.0 - lower,
            radii=radii,
            members=(chosen,),
            mechanism=chosen,
            draws=np.full(images, conditions.draws),
            sigma=conditions.sigma,
            alpha=alpha,
            noise=in_float32(Noise(conditions.noise, conditions.norm)),
            looks=one_look(conditions.draws),
            framework="multinomial",
            procedure="two_stage",
            classes=int(max(log.labels.max(), log.predicted.max())) + 1,
            printed=log.radius if same and conditions.printed else None,
            source={
                "log": conditions.source,
                "digest": conditions.digest,
                "evidence": log.evidence,
                "notes": "; ".join(conditions.notes),
                "run": str(path),
            },
        )


def _certain(log: ReportedLog) -> Float[np.ndarray, " images"]:
    """What is certain of printed radii: print may round up; Cohen's have a ceiling."""
    certain, conditions = log.radius - log.unit, log.conditions
    if conditions.certificate == "cohen":
        limit = largest_radius(
            sigma=conditions.sigma, draws=conditions.draws, alpha=conditions.alpha
        )
        certain = np.minimum(certain, limit)
    least: Float[np.ndarray, " images"] = np.maximum(certain, 0.0)
    return least


Evidence = RunEvidence | LogEvidence
"""What can be certified."""
