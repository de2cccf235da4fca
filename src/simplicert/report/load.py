"""Run directories and imported logs → what the page shows of them."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from simplicert.certificates.certify import DEFAULT_MECHANISM, PAPER_MECHANISMS, certify
from simplicert.certificates.record import Framework
from simplicert.data.dataset import Dataset
from simplicert.errors import InputError
from simplicert.interop import certify_log, is_reported_log
from simplicert.interop.reported import REPORTED
from simplicert.report.run import MISSING, ReportRun
from simplicert.votes import Manifest, RunDirectory

__all__ = ["load_runs"]


def load_runs(
    paths: Sequence[Path | str],
    *,
    alpha: float | None = None,
    framework: Framework | None = None,
    mechanism: str | None = None,
    partial: bool = False,
    dataset: Dataset | None = None,
) -> list[ReportRun]:
    """Read and certify runs for ``render_report``.

    Args:
        paths: Run directories, or logs that ``simplicert import`` made; in the order
            of the page.
        alpha: Failure probability of each image on its own. Default: 0.001, or what a
            log reports.
        framework: One framework only. Default: each that the votes allow.
        mechanism: The one that the page opens with, where it applies. Default:
            ``neyman_pearson``, or what a log's radii are.
        partial: Leave unfinished images out, instead of refusing.
        dataset: The sampled images, for their pictures.

    Raises:
        InputError: No run, or one twice; one that cannot be read or certified;
            ``dataset`` is not what a run was sampled on.
    """
    if not paths:
        raise InputError("name at least one run to report on")
    places = [Path(path).resolve() for path in paths]
    for i, place in enumerate(places):
        if place in places[:i]:
            raise InputError(f"{paths[i]} is named twice: name each run once")
    names = [place.name for place in places]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    only_logs = all(map(is_reported_log, places))
    if only_logs and dataset is not None:
        raise InputError(
            f"{paths[0]} is a log, which does not say what its images are: "
            "leave the pictures out"
        )
    loaded = []
    for name, path in zip(names, map(Path, paths), strict=True):
        if is_reported_log(path):
            asked = mechanism if only_logs else None
            loaded.append(_from_log(name, path, alpha, framework, asked))
            continue
        directory = RunDirectory(path)
        _check_same_images(directory, dataset)
        votes = directory.read(partial=partial)
        every: list[Framework] = ["multinomial"]
        if votes.score_sums is not None:
            every.append("softmax")
        opening = {
            each: _opening(mechanism or DEFAULT_MECHANISM, each, asked=framework)
            for each in ([framework] if framework else every)
        }
        certificates = [
            certify(
                votes,
                alpha=0.001 if alpha is None else alpha,
                framework=each,
                mechanism=opening[each],
            )
            for each in opening
        ]
        loaded.append(
            ReportRun(
                name=name,
                certificates=certificates,
                digest=votes.digest,
                facts=_facts(path, directory.manifest),
                class_names=directory.manifest.data.class_names,
                pictures=None if dataset is None else dataset.reader,
                commands=[
                    _command(
                        path,
                        *("--alpha", str(each.alpha)),
                        *("--framework", each.framework),
                        *("--mechanism", opening[each.framework]),
                        *(["--partial"] if partial else []),
                    )
                    for each in certificates
                ],
            )
        )
    return loaded


def _command(path: Path, *options: str) -> str:
    return shlex.join(["simplicert", "certify", str(path), *options])


def _opening(mechanism: str, framework: Framework, *, asked: Framework | None) -> str:
    """The mechanism, or the default where it is for the other framework only."""
    elsewhere = (
        mechanism in PAPER_MECHANISMS["multinomial"]
        and mechanism not in PAPER_MECHANISMS[framework]
    )
    return DEFAULT_MECHANISM if elsewhere and asked is None else mechanism


def _from_log(
    name: str,
    path: Path,
    alpha: float | None,
    framework: Framework | None,
    mechanism: str | None,
) -> ReportRun:
    if framework == "softmax":
        raise InputError(f"{path} is a log of hard votes: it has no soft scores")
    certificates = certify_log(path, alpha=alpha, mechanism=mechanism)
    source = certificates.source
    options = ["--alpha", str(certificates.alpha)]
    if certificates.mechanism == REPORTED:
        options = []  # there is no other alpha to be had
    if mechanism is not None:
        options += ["--mechanism", certificates.mechanism]
    facts = {"run": str(path), "log": source["log"], MISSING: source["notes"]}
    return ReportRun(
        name=name,
        certificates=[certificates],
        digest=source["digest"],
        facts={key: value for key, value in facts.items() if value},
        commands=[_command(path, *options)],
    )


def _check_same_images(directory: RunDirectory, dataset: Dataset | None) -> None:
    data = directory.manifest.data
    if dataset is None:
        return
    unknown = np.setdiff1d(directory.manifest.images, dataset.indices)
    if dataset.digest != data.digest or unknown.size:
        raise InputError(
            f"{directory.path} was sampled on {data.name!r}, which is not this "
            f"{dataset.split!r} split of {dataset.name!r}: its pictures would be of "
            "other images. Name the data that was sampled, or leave the pictures out"
        )
    if list(dataset.shape) != data.shape:
        raise InputError(
            f"{directory.path} was sampled on images of {_sides(data.shape)} pixels, "
            f"and these are {_sides(dataset.shape)}: give the size that was sampled"
        )


def _sides(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape[1:]))


def _facts(path: Path, manifest: Manifest) -> dict[str, str]:
    model, data = manifest.model, manifest.data
    trained = "" if model.training_sigma is None else f"{model.training_sigma:g}"
    # What was imported knows its file only, and not which images it is about.
    data_digest = "data digest" if data.shape else "digest of the imported file"
    facts = {
        "run": str(path),
        "model": model.name,
        "trained with noise": trained,
        "model digest": model.digest,
        "data": data.name,
        data_digest: data.digest,
        "precision": manifest.precision,
        "seed": str(manifest.seed),
        "block": f"{manifest.block:,} draws",
        "device": manifest.device,
        "versions": ", ".join(f"{k} {v}" for k, v in manifest.versions.items()),
        "git commit": manifest.git_commit or "",
        "created": manifest.created,
    }
    return {key: value for key, value in facts.items() if value}
