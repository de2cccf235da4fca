"""Run directories and imported logs → what the page shows of them."""

import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial as bound
from pathlib import Path

import numpy as np

from simplicert.analysis import beside, certificates_by_draws
from simplicert.certificates import Certificates, find_procedure, why_not
from simplicert.certificates.record import REPORTED
from simplicert.data.dataset import Dataset
from simplicert.data.encoded import with_cut
from simplicert.data.units import measured_in
from simplicert.errors import InputError
from simplicert.interop import (
    Evidence,
    LogEvidence,
    RunEvidence,
    Verified,
    open_evidence,
)
from simplicert.mechanisms.catalogue import find_mechanism, name_of
from simplicert.mechanisms.protocol import Mechanism
from simplicert.procedures import Procedure
from simplicert.report.portraits import Portrait, portraits_of
from simplicert.report.run import MISSING, STOPS, ReportRun
from simplicert.stopping import rule_in_words
from simplicert.votes import Manifest, RunDirectory

__all__ = ["features_of_runs", "load_runs"]


def features_of_runs(paths: Sequence[Path]) -> list[str]:
    """Names of the features that runs were sampled on; none, where none has some."""
    runs = (open_evidence(path) for path in paths)
    drawn = (each for each in runs if isinstance(each, RunEvidence))
    return next(
        filter(None, (run.directory.manifest.data.features for run in drawn)), []
    )


def load_runs(
    paths: Sequence[Path | str],
    *,
    alpha: float | None = None,
    framework: str | None = None,
    procedure: str | Procedure | None = None,
    mechanism: str | Mechanism | None = None,
    partial: bool = False,
    dataset: Dataset | None = None,
    asymptotic: bool = False,
    verified: Verified | None = None,
) -> list[ReportRun]:
    """Read and certify runs for ``render_report``.

    Args:
        paths: Run directories, or logs that ``simplicert import`` made; in the order
            of the page.
        alpha: Failure probability of each image on its own. Default: 0.001, or what a
            log reports.
        framework: One framework only. Default: each that the votes allow.
        procedure: One procedure only, in place of the paper's of each framework.
        mechanism: The one that the page opens with, where it applies. Default: the
            tight one, or what a log's radii are.
        partial: Leave unfinished images out, instead of refusing.
        dataset: The sampled inputs, to show them: their pictures, features, waveforms.
        asymptotic: As for ``certify``.
        verified: What a verifier proved of the base classifier of the one run.

    Raises:
        InputError: No run, or one twice; one that cannot be read or certified;
            ``dataset`` is not what a run was sampled on.
    """
    if not paths:
        raise InputError("name at least one run to report on")
    if verified is not None and len(paths) > 1:
        raise InputError(
            "what a verifier proved goes with one run: write a page for each network"
        )
    places = [Path(os.path.realpath(path)) for path in paths]
    for i, place in enumerate(places):
        if place in places[:i]:
            raise InputError(f"{paths[i]} is named twice: name each run once")
    names = [place.name for place in places]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    opened = [open_evidence(path, partial=partial) for path in paths]
    only_logs = all(isinstance(evidence, LogEvidence) for evidence in opened)
    if only_logs and dataset is not None:
        raise InputError(
            f"{paths[0]} is a log, which does not say what its images are: "
            "leave the data out"
        )
    # Once, for all runs: what is found is a file of the user's that is run.
    found = None if mechanism is None or only_logs else find_mechanism(mechanism)
    one = None
    if procedure is not None or framework is not None:
        one = find_procedure(procedure, framework=framework, asymptotic=asymptotic)
    _check_applies(found, opened, procedure=one)
    loaded = []
    for name, evidence in zip(names, opened, strict=True):
        if isinstance(evidence, LogEvidence):
            asked = mechanism if only_logs else None
            made = evidence.certify(
                alpha=alpha,
                framework=framework,
                procedure=procedure,
                mechanism=asked,
            )
            loaded.append(_from_log(name, evidence, made, asked=asked is not None))
            continue
        sampled = _sampled(evidence.directory, dataset)
        procedures = [one] if one else list(map(find_procedure, evidence.procedures))
        loaded.append(
            _from_run(
                name,
                evidence,
                procedures,
                alpha=alpha,
                mechanism=found,
                texts=(
                    procedure if isinstance(procedure, str) else "",
                    mechanism if isinstance(mechanism, str) else "",
                ),
                portraits=[] if sampled is None else portraits_of(sampled),
                one=one is not None,
            )
        )
    if verified is None:
        return loaded
    return [_with_verified(run, verified) for run in loaded]


def _with_verified(run: ReportRun, verified: Verified) -> ReportRun:
    first = run.certificates[0]
    beside(first, verified)  # refused before anything is drawn
    options = [
        *("--verified", str(verified.path), "--verified-norm", verified.norm),
        *(["--verified-unit", verified.unit] if verified.unit else []),
        *(["--verified-network", verified.network] if verified.network else []),
    ]
    as_certified = run.commands[0].replace("certify", "compare", 1)
    commands = [*run.commands, f"{as_certified} {shlex.join(options)}"]
    return replace(run, verified=verified, commands=commands)


def _check_applies(
    mechanism: Mechanism | None, opened: Sequence[Evidence], *, procedure: object
) -> None:
    """A mechanism that is asked for must be about some view of some run."""
    if mechanism is None or procedure is not None:
        return
    lacks = [
        why_not(mechanism, manifest.noise_facts, statistic)
        for evidence in opened
        if isinstance(evidence, RunEvidence)
        for manifest in [evidence.directory.manifest]
        for statistic in manifest.statistics
    ]
    if lacks and None not in lacks:
        raise InputError(f"{name_of(mechanism)} does not apply: {lacks[0]}")


def _from_run(
    name: str,
    evidence: RunEvidence,
    procedures: Sequence[Procedure],
    *,
    alpha: float | None,
    mechanism: Mechanism | None,
    texts: tuple[str, str],
    portraits: Sequence[Portrait],
    one: bool,
) -> ReportRun:
    manifest = evidence.directory.manifest
    certificates, commands = [], []
    ways: dict[str, tuple[Procedure, Mechanism | None]] = {}
    for each in procedures:
        opening = mechanism
        if mechanism is not None and not one:
            lack = why_not(mechanism, manifest.noise_facts, each.statistic)
            opening = mechanism if lack is None else None  # it is for other views
        made = evidence.certify(
            alpha=alpha,
            procedure=each,
            mechanism=opening,
            asymptotic=each.asymptotic,  # which was allowed
        )
        certificates.append(made)
        ways[made.procedure] = each, opening
        commands.append(
            _command(
                evidence.path,
                *("--alpha", str(made.alpha)),
                *("--procedure", texts[0] or each.name),
                *("--mechanism", (opening and texts[1]) or made.mechanism),
                *(["--partial"] if evidence.partial else []),
                *(["--asymptotic"] if each.asymptotic else []),
            )
        )
    return ReportRun(
        name=name,
        certificates=certificates,
        digest=evidence.votes.digest,
        facts=_facts(evidence.path, manifest),
        class_names=manifest.data.class_names,
        portraits=portraits,
        commands=commands,
        mechanisms={name: opening for name, (_, opening) in ways.items()},
        evidence=evidence,
        shorter=None
        if evidence.partial or any(each.separate for each in procedures)
        else bound(_shorter, evidence, ways),
    )


def _shorter(
    evidence: RunEvidence,
    ways: Mapping[str, tuple[Procedure, Mechanism | None]],
    made: Certificates,
) -> list[Certificates]:
    """What the run's first draws give, certified as ``made`` was."""
    procedure, opening = ways[made.procedure]
    return certificates_by_draws(
        evidence,
        alpha=made.alpha,
        procedure=procedure,
        mechanism=opening,
        asymptotic=procedure.asymptotic,
    )


def _command(path: Path, *options: str) -> str:
    return shlex.join(["simplicert", "certify", str(path), *options])


def _from_log(
    name: str,
    evidence: LogEvidence,
    certificates: Certificates,
    *,
    asked: bool,
) -> ReportRun:
    source = certificates.source
    options = ["--alpha", str(certificates.alpha)]
    if certificates.mechanism == REPORTED:
        options = []  # there is no other alpha to be had
    if asked:
        options += ["--mechanism", certificates.mechanism]
    facts = {"run": str(evidence.path), "log": source["log"], MISSING: source["notes"]}
    return ReportRun(
        name=name,
        certificates=[certificates],
        digest=source["digest"],
        facts={key: value for key, value in facts.items() if value},
        commands=[_command(evidence.path, *options)],
    )


def _sampled(directory: RunDirectory, dataset: Dataset | None) -> Dataset | None:
    """The dataset as it was sampled: cut as then, and in the run's unit."""
    data = directory.manifest.data
    if dataset is None:
        return None
    unknown = np.setdiff1d(directory.manifest.images, dataset.indices)
    if dataset.digest != data.digest or unknown.size:
        raise InputError(
            f"{directory.path} was sampled on {data.name!r}, which is not this "
            f"{dataset.split!r} split of {dataset.name!r}: the page would show other "
            f"{data.inputs}. Name the data that was sampled, or leave it out"
        )
    dataset = with_cut(dataset, data.cut)
    if list(dataset.shape) != data.shape:
        raise InputError(
            f"{directory.path} was sampled on {data.inputs} of {_sides(data.shape)}, "
            f"and these are {_sides(dataset.shape)}: give the size that was sampled"
        )
    dataset = _in_order_of(dataset, data.features or ())
    return dataset if data.unit is None else measured_in(dataset, data.unit)


def _in_order_of(dataset: Dataset, features: Sequence[str]) -> Dataset:
    """The same with its features as a run had them, if these have names."""
    ours = [*dataset.features]
    if not features or not ours or ours == [*features]:
        return dataset
    if sorted(ours) != sorted(features):
        lacks = ", ".join(sorted({*ours}.symmetric_difference(features))[:3])
        raise InputError(
            f"{dataset.name} has other features than were sampled: one of them lacks "
            f"{lacks}. Name the data that was sampled, or leave it out"
        )
    order, read = [ours.index(name) for name in features], dataset.reader
    return replace(
        dataset, features=(*features,), reader=lambda rows: read(rows)[:, order]
    )


def _sides(shape: Sequence[int]) -> str:
    if len(shape) != 3:
        return f"shape {tuple(shape)}"
    return f"{' × '.join(map(str, shape[1:]))} pixels"


def _facts(path: Path, manifest: Manifest) -> dict[str, str]:
    model, data = manifest.model, manifest.data
    trained = "" if model.training_sigma is None else f"{model.training_sigma:g}"
    # What was imported knows its file only, and not which images it is about.
    data_digest = "data digest" if data.shape else "digest of the imported file"
    facts = {
        "run": str(path),
        "model": model.name,
        "denoised by": str(model.denoiser or ""),
        "trained with noise": trained,
        "model digest": model.digest,
        "data": data.name,
        "inputs": ""
        if data.neighbours is None
        else f"not of a data set: {data.neighbours.each} neighbours of each of "
        f"{len(data.neighbours.images):,}",
        "images cut": data.cut or "",
        data_digest: data.digest,
        "digest of the noise": manifest.noise.digest or "",
        "precision": manifest.precision,
        "runtime": "" if manifest.runtime == "eager" else manifest.runtime,
        "seed": str(manifest.seed),
        "block": f"{manifest.block:,} draws" if manifest.block else "",
        STOPS: rule_in_words(manifest.rule) if manifest.stops_early else "",
        "device": manifest.device,
        "versions": ", ".join(f"{k} {v}" for k, v in manifest.versions.items()),
        "git commit": manifest.git_commit or "",
        "created": manifest.created,
    }
    return {key: value for key, value in facts.items() if value}
