"""Write the tables of README.md anew, from the votes committed beside it.

    python results/tables.py

Needs no torch, no data and no weights.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest, norm

from simplicert import analysis, paper
from simplicert.analysis.accuracy import counted_radius
from simplicert.analysis.procedures import certified_by_procedures
from simplicert.certificates.certify import certify
from simplicert.certificates.record import Certificates
from simplicert.interop import RunEvidence
from simplicert.votes import RunDirectory, Votes

RESULTS = Path(__file__).resolve().parent
BLOCK = re.compile(
    r"(<!-- tables\.py: ([\w-]+) -->\n).*?(\n<!-- tables\.py: end -->\n)", re.DOTALL
)
"""What this script writes, in README.md: its name is a key of ``BLOCKS``."""

ALPHA = 0.001
RADII = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0])
RADIUS, PUBLISHED = 0.5, ("42.8", "41.4")
"""Per cent certified of Cohen et al.'s own ResNet-110 at sigma 0.5, in a log of 10,000
images (n = 100,000), and of every 20th of them, as their paper has it."""


def find_runs(folder: str) -> list[Path]:
    """Every run directory in a folder beside this file."""
    found = (RESULTS / folder).glob("*/manifest.json")
    return sorted(manifest.parent for manifest in found)


def certified(runs: Sequence[Path], *, alpha: float = ALPHA) -> dict[str, Certificates]:
    """Each run's certificates, by its name."""
    votes = {path.name: RunDirectory(path).read(scores=False) for path in runs}
    return {name: certify(each, alpha=alpha) for name, each in votes.items()}


def runs_table(runs: Sequence[Path]) -> pd.DataFrame:
    """What was sampled, one row a run."""
    rows = []
    for path in runs:
        run = RunDirectory(path)
        votes = run.read()
        seconds = votes.draw_seconds
        assert votes.labels is not None
        top = votes.counts.argmax(axis=1)
        rows.append(
            {
                "run": path.name,
                "data": votes.source["data"],
                "sigma": votes.sigma,
                "images": len(votes),
                "draws": float(votes.draws.mean()),
                "top1": float((top == votes.labels).mean()),
                "named": len(np.unique(top)),
                "device": run.manifest.device,
                "precision": run.manifest.precision,
                "seconds_per_image": np.nan if seconds is None else seconds.mean(),
                "votes": votes.digest[:16],
            }
        )
    return pd.DataFrame(rows)


def radii_table(runs: Mapping[str, Certificates]) -> pd.DataFrame:
    """Median and mean certified radius and certified accuracy, by mechanism."""
    tables = []
    for name, certificates in runs.items():
        accuracy = analysis.certified_accuracy(certificates, RADII)
        wide = accuracy.pivot_table("share", "mechanism", "radius", sort=False)
        wide.columns = [f"at {radius:g}" for radius in wide.columns]
        median = analysis.table1(certificates)[["mechanism", "median_radius"]]
        mean = analysis.average_certified_radius(certificates)
        table = median.merge(mean).merge(wide, on="mechanism")
        table.insert(0, "run", name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def improvement_table(runs: Mapping[str, Certificates]) -> pd.DataFrame:
    """The paper's Table 2 against cohen, beside the proportion that it prints."""
    tables = []
    for name, certificates in runs.items():
        table = analysis.table2(certificates, baseline="cohen")
        table = table[table["mechanism"].isin(["ensemble", "neyman_pearson"])]
        plain = name.count("-") == 1  # NETWORK-SIGMA: no other training method
        printed = paper.IMPROVED.get(certificates.sigma, np.nan) if plain else np.nan
        theirs = np.where(table["mechanism"] == "ensemble", printed, np.nan)
        table = table.drop(columns=["baseline", "sigma", "statistic"])
        table.insert(0, "run", name)
        table.insert(table.columns.get_loc("improved"), "in_the_paper", theirs)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def methods_table(runs: Mapping[str, Certificates]) -> pd.DataFrame:
    """Radii after other training methods less those after plain augmentation.

    Radii are 0 where the certified class is wrong or none; the interval is 1.96
    standard errors, over images.
    """
    rows = []
    for name, certificates in runs.items():
        network, *method, sigma = name.split("-")
        if not method:
            continue
        plain = runs[f"{network}-{sigma}"]
        assert np.array_equal(plain.indices, certificates.indices)
        for mechanism in ("cohen", "ensemble", "neyman_pearson"):
            before = counted_radius(plain, mechanism)
            after = counted_radius(certificates, mechanism)
            gain = after - before
            error = gain.std(ddof=1) / np.sqrt(len(gain))
            rows.append(
                {
                    "run": name,
                    "mechanism": mechanism,
                    "plain": before.mean(),
                    "average_certified_radius": after.mean(),
                    "gain": gain.mean(),
                    "plus_minus": 1.96 * error,
                }
            )
    return pd.DataFrame(rows)


def stopped_table(runs: Sequence[Path]) -> pd.DataFrame:
    """What runs cost whose images stopped when radii were decided, and certify.

    ``at r`` as above, by neyman_pearson; only the radii that were asked for.
    """
    rows = []
    for path in runs:
        run = RunDirectory(path)
        votes = run.read()
        certificates = certify(votes, alpha=ALPHA)
        assert run.manifest.rule is not None
        radii = run.manifest.rule["radii"]
        seconds = votes.draw_seconds
        accuracy = analysis.certified_accuracy(certificates, np.array(radii))
        own = accuracy[accuracy["mechanism"] == "neyman_pearson"]
        drawn, fixed = int(votes.draws.sum()), len(votes) * run.manifest.draws
        rows.append(
            {
                "run": path.name,
                "images": len(votes),
                "most_draws": run.manifest.draws,
                "all_draws": drawn,
                "of_an_image": round(drawn / len(votes)),
                "median": round(float(np.median(votes.draws))),
                "fewer_by": fixed / drawn,
                "minutes": np.nan if seconds is None else round(seconds.sum() / 60),
                **{f"at {row.radius:g}": row.share for row in own.itertuples()},
            }
        )
    return pd.DataFrame(rows)


def decided_table(runs: Sequence[Path]) -> pd.DataFrame:
    """Certified accuracy by mechanism, at the radii that stopped the run's images."""
    tables = []
    for path in runs:
        rule = RunDirectory(path).manifest.rule
        assert rule is not None
        [certificates] = certified([path]).values()
        accuracy = analysis.certified_accuracy(certificates, np.array(rule["radii"]))
        wide = accuracy.pivot_table("share", "mechanism", "radius", sort=False)
        wide.columns = [f"at {radius:g}" for radius in wide.columns]
        wide.insert(0, "run", path.name)
        tables.append(wide.reset_index())
    return pd.concat(tables, ignore_index=True)


def procedures_table(runs: Sequence[Path]) -> pd.DataFrame:
    """What each procedure certifies of the same forward passes, by neyman_pearson.

    ``two_stage`` and ``margins`` spend the first thousand on choosing.
    """
    tables = []
    for path in runs:
        for made in certified_by_procedures(RunEvidence(path), alpha=ALPHA):
            accuracy = analysis.certified_accuracy(made, RADII)
            mean = analysis.average_certified_radius(made)
            own = accuracy[accuracy["mechanism"] == "neyman_pearson"]
            mean = mean[mean["mechanism"] == "neyman_pearson"]
            row = {
                "run": path.name,
                "procedure": made.procedure,
                "counts": made.framework,
            }
            row |= {f"at {each.radius:g}": each.share for each in own.itertuples()}
            column = "average_certified_radius"
            row[column] = float(mean[column].iloc[0])
            tables.append(row)
    return pd.DataFrame(tables)


def interval(successes: int, trials: int) -> str:
    """The exact 95 % interval of a proportion over images, in per cent."""
    low, high = binomtest(successes, trials).proportion_ci(0.95, method="exact")
    return f"{100 * low:.1f} to {100 * high:.1f}"


def regions_table(runs: Sequence[Path]) -> pd.DataFrame:
    """Which mechanism's region of the simplex the images lie in, in per cent.

    Among the paper's, at their bounds; with a 95 % interval of cullen's share.
    """
    rows = []
    for name, certificates in certified(runs).items():
        shares = analysis.region_shares(certificates).set_index("region")["share"]
        left = 1 - certificates.e0 - certificates.e1
        cullen = round(float(shares["cullen"]) * len(certificates))  # ties are halves
        rows.append(
            {
                "run": name,
                "images": len(certificates),
                **{each: f"{100 * share:.1f}" for each, share in shares.items()},
                "cullen_interval": interval(cullen, len(certificates)),
                "others": f"{100 * np.median(left[certificates.radius > 0]):.2f}",
                "of_certified": f"{100 * shares['cullen'] / (1 - shares['none']):.1f}",
            }
        )
    return pd.DataFrame(rows)


def published_table() -> pd.DataFrame:
    """What explains how far resnet110-0.50 is below a published log, and what does not.

    Shares in per cent: of images that ``cohen`` certifies at radius 0.5, or that are
    right more often than that needs, Phi(1); and of draws, or of five draws of an image
    at once, that are right. With 1.96 standard errors over images, or over the
    differences of the same images.
    """
    votes = RunDirectory(RESULTS / "cifar10" / "resnet110-0.50").read(scores=False)
    ours, five = right_share(votes), right_share(votes, at_once=5)
    rows = [
        (f"certified at {RADIUS:g}: the published log", 10_000, PUBLISHED[0], "1.0"),
        ("... every 20th of its images", 500, PUBLISHED[1], "4.3"),
    ]
    for alpha, whose in ((ALPHA, "half of alpha"), (2 * ALPHA, "all of alpha")):
        radius = counted_radius(certify(votes, alpha=alpha), "cohen")
        rows.append((f"... ours, {whose}", len(votes), *mean_of(radius >= RADIUS)))
    needed = norm.cdf(RADIUS / votes.sigma)
    rows.append(("... ours, of endless draws", len(votes), *mean_of(ours > needed)))
    rows.append(("draws that are right", len(votes), *mean_of(ours)))
    rows.append(("five draws that are right", len(votes), *mean_of(five)))
    for run in find_runs("cifar10-why"):
        other = RunDirectory(run).read(scores=False)
        share = right_share(other)
        what = run.name.split("-")[1]
        if len(other) == len(votes):
            gain = share - ours
            rows.append((f"... in {what} less that", len(other), *mean_of(gain)))
        else:
            rows.append((f"draws that are right, {what}", len(other), *mean_of(share)))
            both = right_share(other, at_once=5)
            rows.append((f"five that are, {what}", len(other), *mean_of(both)))
    return pd.DataFrame(rows, columns=["what", "images", "percent", "plus_minus"])


def right_share(votes: Votes, *, at_once: int = 1) -> np.ndarray:
    """An unbiased estimate of the probability that so many draws at once are right."""
    assert votes.labels is not None
    right = votes.counts[np.arange(len(votes)), votes.labels].astype(float)
    steps = range(at_once)
    return np.prod([(right - k) / (votes.draws - k) for k in steps], axis=0)


def mean_of(values: np.ndarray) -> tuple[str, str]:
    """In per cent, with 1.96 standard errors."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    return f"{100 * values.mean():.1f}", f"{196 * error:.1f}"


def cifar10() -> list[str | pd.DataFrame]:
    """Runs of a fixed number of draws."""
    runs = find_runs("cifar10") + find_runs("cifar10-2500")
    runs.sort(key=lambda path: path.name)
    certificates = certified(runs)
    return [
        f"Certified at alpha = {ALPHA:g}, hard votes. `top1` is the share of "
        "images whose most frequent class is the label; `named` how many classes are "
        "the most frequent of any image; `seconds_per_image` the time of its draws; "
        "`votes` the beginning of the votes' digest.",
        runs_table(runs),
        "`at r` is the certified accuracy at radius r, of all images.",
        radii_table(certificates),
        "Against `cohen`, over the `images` that it certifies: `improved` is the share "
        "of them with a larger radius.",
        improvement_table(certificates),
        "Average certified radii after other training methods, less those of `plain` "
        "augmentation: `gain`, `plus_minus` 1.96 standard errors over the images.",
        methods_table(certificates),
    ]


def until() -> list[str | pd.DataFrame]:
    """Runs of at most 100,000 draws an image."""
    runs = find_runs("cifar10-until")
    return [
        "Images that were drawn until the radii of the row were decided, at most "
        "100,000 times (`simplicert sample --until`): draws `of_an_image` on average, "
        "`fewer_by` how many times fewer than a fixed 100,000, `minutes` on one thread "
        "of a busy machine, `at r` the certified accuracy of `neyman_pearson`.",
        stopped_table(runs),
    ]


def margins() -> list[str | pd.DataFrame]:
    """What procedures make of the same passes."""
    return [
        "What each procedure certifies of the same 10,000 forward passes of an image, "
        "by `neyman_pearson`: of hard votes (`multinomial`) and of soft scores at "
        "temperature 1 (`softmax`), which are two smoothed classifiers. `two_stage` "
        "and `margins` spend a thousand of them on choosing the class.",
        procedures_table(find_runs("cifar10-margins")),
    ]


def why() -> list[str | pd.DataFrame]:
    """The distance to a published log."""
    return [
        "ResNet-110 at sigma 0.5, in per cent; `plus_minus` is 1.96 standard errors "
        "over the images.",
        published_table(),
    ]


def denoised() -> list[str | pd.DataFrame]:
    """Clean classifiers alone, and behind denoisers."""
    votes = {
        path.name: RunDirectory(path).read(scores=False)
        for path in find_runs("cifar10-denoised") + find_runs("imagenet-denoised")
    }
    photographs = votes["lite0-mse-0.25"].indices
    whole = RunDirectory(RESULTS / "imagenet" / "lite0-0.25").read(scores=False)
    votes["lite0-alone-0.25"] = whole[np.isin(whole.indices, photographs)]
    rows = []
    for name, each in sorted(votes.items()):
        right = each.counts.argmax(axis=1) == each.labels
        radius = counted_radius(certify(each, alpha=ALPHA), "neyman_pearson")
        rows.append(
            {
                "run": name,
                "sigma": each.sigma,
                "images": len(each),
                "of_an_image": round(float(each.draws.mean())),
                "top1": f"{right.mean():.3f}",
                "at 0.25": f"{(radius >= 0.25).mean():.3f}",
            }
        )
    return [
        "Certified accuracy at radius 0.25 (`neyman_pearson`) of classifiers that "
        "never saw noise; drawn until that was decided, `of_an_image` times on "
        "average. `alone`: without a denoiser.",
        pd.DataFrame(rows),
    ]


def imagenet() -> list[str | pd.DataFrame]:
    """A clean classifier of 1,000 classes."""
    runs = find_runs("imagenet")
    return [
        "Drawn until the two radii of a row were decided.",
        stopped_table(runs),
        "What each mechanism certifies at them, of all images.",
        decided_table(runs),
        "Where the images lie, in per cent: the mechanism of the paper's that has the "
        "largest radius, or `none`; with an exact 95 % interval of `cullen`'s share of "
        "all, and its share `of_certified`; `others` is the median, over these, "
        "of what E0 and E1 leave to all other classes.",
        regions_table(find_runs("cifar10-until") + runs),
    ]


BLOCKS: Mapping[str, Callable[[], Sequence[str | pd.DataFrame]]] = {
    "cifar10": cifar10,
    "until": until,
    "margins": margins,
    "why": why,
    "denoised": denoised,
    "imagenet": imagenet,
}
"""What README.md has between its marks, by their names."""


def block(name: str) -> str:
    """The text of a block, as it stands in README.md."""
    paragraphs = (
        part if isinstance(part, str) else analysis.format_table(part, "markdown")
        for part in BLOCKS[name]()
    )
    return "\n".join(f"{paragraph.rstrip()}\n" for paragraph in paragraphs)


def main() -> None:
    """Replace what stands between the marks in README.md."""
    readme = RESULTS / "README.md"
    text = readme.read_text("utf-8")
    readme.write_text(
        BLOCK.sub(lambda m: f"{m[1]}\n{block(m[2])}{m[3]}", text), "utf-8"
    )


if __name__ == "__main__":
    main()
