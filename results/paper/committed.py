"""The runs below results/: found by their manifests, certified once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from simplicert import analysis, paper
from simplicert.certificates.record import Certificates
from simplicert.errors import InputError
from simplicert.figures import View
from simplicert.interop import RunEvidence
from simplicert.report import load_runs
from simplicert.report.write import views_of
from simplicert.votes import Manifest

__all__ = ["Committed", "find", "improved", "one_each", "regions"]

CIFAR10, IMAGENET = "CIFAR-10", "ImageNet"


@dataclass(frozen=True, kw_only=True, eq=False)
class Committed:
    """A run, and what its manifest says of it.

    Attributes:
        path: Its directory.
        manifest: Its facts.
        views: Its certificates by framework, as figures and tables ask for them.
        digest: Of its votes.
    """

    path: Path
    manifest: Manifest
    views: dict[str, View]
    digest: str

    @property
    def sigma(self) -> float:
        """Of the noise."""
        return self.manifest.sigma

    @property
    def parts(self) -> list[str]:
        """Of its name: the network, perhaps a training method, and the sigma."""
        return self.path.name.split("-")

    @property
    def network(self) -> str:
        """As the run is named."""
        names = {"resnet": "ResNet-", "lite": "EfficientNet-Lite"}
        for start, full in names.items():
            if self.parts[0].startswith(start):
                return full + self.parts[0].removeprefix(start)
        return self.parts[0]

    @property
    def method(self) -> str:
        """Training method; ``""``: plain augmentation by noise of the run's sigma."""
        if len(self.parts) > 2:
            return " ".join(self.parts[1:-1])
        return "" if self.manifest.model.training_sigma == self.sigma else "clean"

    @property
    def place(self) -> str:
        """Where in the paper it belongs, if not to its own experiments."""
        words = f"{self.path.parent.name} {self.path.name} {self.manifest.model.name}"
        if "denois" in words.lower():
            return "reference-4"
        return "section-6.4" if len(self.parts) > 2 else ""

    @property
    def data(self) -> str:
        """Which of the paper's data sets it stands for; else its own."""
        if self.manifest.classes == 1000:
            return IMAGENET
        if self.manifest.data.name.startswith("cifar10"):
            return CIFAR10
        return self.manifest.data.name

    @property
    def stops(self) -> bool:
        """Whether its images stopped when a rule had decided."""
        return self.manifest.stops_early

    @property
    def draws(self) -> str:
        """Of an image, in words."""
        most = f"{self.manifest.draws:,}"
        return f"at most {most} by looks" if self.stops else most

    @property
    def label(self) -> str:
        """What the page calls it."""
        method = f" {self.method}" if self.method not in {"", "clean"} else ""
        most = f"{self.manifest.draws:,}"
        return (
            f"{self.network}{method} at {self.sigma:g}, "
            f"n {'≤' if self.stops else '='} {most}"
        )

    @cached_property
    def hard(self) -> Certificates:
        """Its certificates of hard votes."""
        return self.views["multinomial"].certificates

    @property
    def same(self) -> tuple[object, ...]:
        """Equal for runs of one network on the same images under the same noise."""
        manifest = self.manifest
        return manifest.model.digest, manifest.sigma, tuple(manifest.images)

    def differs(self) -> dict[str, str]:
        """Its conditions, by the names that the paper's have."""
        model, manifest = self.manifest.model, self.manifest
        trained = (
            "no noise on record"
            if model.training_sigma is None
            else f"noise at {model.training_sigma:g}"
        )
        method = f", {self.method}" if self.method not in {"", "clean"} else ""
        where = "" if manifest.runtime == "eager" else f" ({manifest.runtime})"
        return {
            "run": "/".join(self.path.parts[-2:]),
            "network": self.network,
            "data": manifest.data.name,
            "classes": f"{manifest.classes:,}",
            "training": trained + method,
            "sigma": f"{manifest.sigma:g}",
            "images": f"{len(manifest.images):,}",
            "n, draws an image": self.draws,
            "precision": manifest.precision + where,
            "alpha (of both bounds)": f"{self.hard.alpha:g}",
            "votes": self.digest[:12],
        }


def find(root: Path) -> tuple[list[Committed], dict[str, str]]:
    """Every run below ``root``, and why some are left out."""
    runs, left = [], {}
    for path in sorted(manifest.parent for manifest in root.rglob("manifest.json")):
        name = str(path.relative_to(root))
        try:
            evidence = RunEvidence(path)
            if reason := _left(path, evidence.directory.manifest):
                left[name] = reason
                continue
            runs.append(_certified(path))
        except InputError as error:
            left[name] = str(error)
    return runs, left


def _left(path: Path, manifest: Manifest) -> str:
    """Why a run is not on the page; ``""``: it is."""
    if manifest.margins is not None:
        return "drawn with margins, which the paper does not have"
    if manifest.data.neighbours is not None:
        return "of neighbours, which docs/transitive.md is about"
    if path.parent.name.endswith("-why"):
        return "held against a published log: README.md has what it says"
    return ""


def _certified(path: Path) -> Committed:
    [loaded] = load_runs([path])
    assert loaded.evidence is not None
    found = Committed(
        path=path,
        manifest=loaded.evidence.directory.manifest,
        views={},
        digest=loaded.digest,
    )
    views = {
        view.certificates.label: replace(view, name=found.label)
        for view in views_of([loaded])
    }
    return replace(found, views=views)


def one_each(runs: Sequence[Committed]) -> list[Committed]:
    """One run of each network, data and sigma: of a fixed n where there is one."""
    found: dict[tuple[object, ...], Committed] = {}
    for run in sorted(runs, key=lambda run: run.stops):
        found.setdefault((run.data, run.network, run.method, run.sigma), run)
    order = sorted(found.values(), key=lambda run: (run.network, run.sigma))
    return sorted(order, key=lambda run: run.data != CIFAR10)


def improved(certificates: Certificates) -> tuple[int, int]:
    """On how many images the ensemble is larger than the baseline; of how many."""
    if not analysis.has_baseline(certificates) or "ensemble" not in certificates.radii:
        return 0, 0
    table = analysis.table2(certificates)
    [row] = table[table["mechanism"] == "ensemble"].to_dict("records")
    total = int(row["images"])
    return (round(total * row["improved"]), total) if total else (0, 0)


def regions(certificates: Certificates) -> dict[str, int]:
    """Images in the region of each of the paper's mechanisms, and in none."""
    largest = analysis.largest_mechanism(certificates)
    counts = {name: int((largest == name).sum()) for name in paper.MECHANISMS}
    return counts | {"none": int((largest == "").sum())}
