"""Write the tables of README.md anew, from the votes committed beside it.

    python results/tables.py

Needs no torch, no data and no weights.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from simplicert import analysis
from simplicert.analysis.accuracy import counted_radius
from simplicert.analysis.procedures import certified_by_procedures
from simplicert.certificates.certify import certify
from simplicert.certificates.record import Certificates
from simplicert.interop import RunEvidence
from simplicert.votes import RunDirectory

RESULTS = Path(__file__).resolve().parent
BEGIN, END = "<!-- tables.py: begin -->\n", "<!-- tables.py: end -->\n"

ALPHA = 0.001
RADII = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0])
PAPER_IMPROVED = {
    "resnet110-0.50": 0.474,
    "resnet20-0.25": 0.261,
    "resnet20-0.50": 0.474,
    "resnet20-1.00": 0.702,
}
"""Table 2 of Cullen et al. 2024, CIFAR-10: proportion improved at the run's sigma, for
networks trained by plain augmentation."""


def find_runs(
    *, stopped: bool = False, margins: bool = False, root: Path = RESULTS
) -> list[Path]:
    """Every run directory below ``root`` of a fixed number of draws; or of none.

    With ``margins`` those that have some, else those that have none. Runs of neighbours
    are ``transitive.py``'s.
    """
    found = []
    for path in sorted(manifest.parent for manifest in root.rglob("manifest.json")):
        manifest = RunDirectory(path).manifest
        has = manifest.margins is not None
        if manifest.data.neighbours is not None:
            continue
        if (manifest.stops_early, has) == (stopped, margins):
            found.append(path)
    return found


def certified(runs: Sequence[Path]) -> dict[str, Certificates]:
    """Each run's certificates, by its name."""
    votes = {path.name: RunDirectory(path).read(scores=False) for path in runs}
    return {name: certify(each, alpha=ALPHA) for name, each in votes.items()}


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
        printed = PAPER_IMPROVED.get(name, np.nan)
        paper = np.where(table["mechanism"] == "ensemble", printed, np.nan)
        table = table.drop(columns=["baseline", "sigma", "statistic"])
        table.insert(0, "run", name)
        table.insert(table.columns.get_loc("improved"), "in_the_paper", paper)
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


def tables_markdown(runs: Sequence[Path]) -> str:
    """All tables, as they stand in README.md."""
    certificates = certified(runs)
    paragraphs = [
        f"Certified at alpha = {ALPHA:g}, hard votes. `top1` is the share of "
        "images whose most frequent class is the label; `named` how many classes are "
        "the most frequent of any image; `seconds_per_image` the time of its draws; "
        "`votes` the beginning of the votes' digest.",
        analysis.format_table(runs_table(runs), "markdown"),
        "`at r` is the certified accuracy at radius r, of all images.",
        analysis.format_table(radii_table(certificates), "markdown"),
        "Against `cohen`, over the `images` that it certifies: `improved` is the share "
        "of them with a larger radius.",
        analysis.format_table(improvement_table(certificates), "markdown"),
        "Average certified radii after other training methods, less those of `plain` "
        "augmentation: `gain`, `plus_minus` 1.96 standard errors over the images.",
        analysis.format_table(methods_table(certificates), "markdown"),
        "Images that were drawn until the radii of the row were decided, at most "
        "100,000 times (`simplicert sample --until`): draws `of_an_image` on average, "
        "`fewer_by` how many times fewer than a fixed 100,000, `minutes` on one thread "
        "of a busy machine, `at r` the certified accuracy of `neyman_pearson`.",
        analysis.format_table(stopped_table(find_runs(stopped=True)), "markdown"),
        "What each procedure certifies of the same 10,000 forward passes of an image, "
        "by `neyman_pearson`: of hard votes (`multinomial`) and of soft scores at "
        "temperature 1 (`softmax`), which are two smoothed classifiers. `two_stage` "
        "and `margins` spend a thousand of them on choosing the class.",
        analysis.format_table(procedures_table(find_runs(margins=True)), "markdown"),
    ]
    return "\n".join(f"{paragraph.rstrip()}\n" for paragraph in paragraphs)


def main() -> None:
    """Replace what stands between the two marks in README.md."""
    readme = RESULTS / "README.md"
    before, rest = readme.read_text("utf-8").split(BEGIN)
    _, after = rest.split(END)
    tables = tables_markdown(find_runs())
    readme.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
