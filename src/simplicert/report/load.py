"""Run directories → what the page shows of them."""

from collections.abc import Sequence
from pathlib import Path

from simplicert.certificates import Framework
from simplicert.certification import DEFAULT_MECHANISM, certify
from simplicert.data.dataset import Dataset
from simplicert.errors import InputError
from simplicert.report.run import ReportRun
from simplicert.votes import Manifest, RunDirectory, Votes

__all__ = ["load_runs"]


def load_runs(
    paths: Sequence[Path | str],
    *,
    alpha: float = 0.001,
    framework: Framework | None = None,
    mechanism: str = DEFAULT_MECHANISM,
    dataset: Dataset | None = None,
) -> list[ReportRun]:
    """Read and certify run directories for ``render_report``.

    Args:
        paths: Run directories, in the order of the page.
        alpha: Failure probability of each image on its own.
        framework: One framework only. Default: each that the votes allow.
        mechanism: The one that the page opens with.
        dataset: The sampled images, for their pictures.

    Raises:
        InputError: A run that cannot be read or certified; ``dataset`` is not what a
            run was sampled on.
    """
    if not paths:
        raise InputError("name at least one run directory to report on")
    names = [Path(path).resolve().name for path in paths]
    if len(set(names)) < len(names):
        names = [str(path) for path in paths]
    return [
        _load(
            Path(path),
            name=name,
            alpha=alpha,
            framework=framework,
            mechanism=mechanism,
            dataset=dataset,
        )
        for name, path in zip(names, paths, strict=True)
    ]


def _load(
    path: Path,
    *,
    name: str,
    alpha: float,
    framework: Framework | None,
    mechanism: str,
    dataset: Dataset | None,
) -> ReportRun:
    directory = RunDirectory(path)
    manifest, votes = directory.manifest, directory.read()
    if dataset is not None and dataset.digest != manifest.data.digest:
        raise InputError(
            f"{path} was sampled on {manifest.data.name!r} with another digest than "
            f"{dataset.name!r}: its pictures would be of other images. Name the data "
            "that was sampled, or leave --data out"
        )
    return ReportRun(
        name=name,
        certificates=[
            certify(votes, alpha=alpha, framework=each, mechanism=mechanism)
            for each in ([framework] if framework else _frameworks(votes))
        ],
        digest=votes.digest,
        facts=_facts(path, manifest),
        class_names=manifest.data.class_names,
        pictures=None if dataset is None else dataset.reader,
    )


def _frameworks(votes: Votes) -> list[Framework]:
    return ["multinomial"] if votes.score_sums is None else ["multinomial", "softmax"]


def _facts(path: Path, manifest: Manifest) -> dict[str, str]:
    model, data = manifest.model, manifest.data
    trained = "" if model.training_sigma is None else f"{model.training_sigma:g}"
    facts = {
        "run": str(path),
        "model": model.name,
        "trained with noise": trained,
        "model digest": model.digest,
        "data": data.name,
        "data digest": data.digest,
        "precision": manifest.precision,
        "seed": str(manifest.seed),
        "block": f"{manifest.block:,} draws",
        "device": manifest.device,
        "versions": ", ".join(f"{k} {v}" for k, v in manifest.versions.items()),
        "git commit": manifest.git_commit or "",
        "created": manifest.created,
    }
    return {key: value for key, value in facts.items() if value}
