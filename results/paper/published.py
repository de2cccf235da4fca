"""What the paper says, place by place, as far as it is known here. Facts only.

Cullen, Montague, Liu, Erfani, Rubinstein: "It's Simplex! Disaggregating Measures to
Improve Certified Robustness", IEEE S&P 2024, arXiv:2309.11005. A number that is not on
record is said to be unknown, and never estimated.
"""

from dataclasses import dataclass

from simplicert import paper

__all__ = ["PLACES", "SETTING", "UNKNOWN", "Place"]

UNKNOWN = "No number of this place is on record here."

NAMED = ", ".join(f"{100 * share:.1f}" for share in paper.IMPROVED.values())


@dataclass(frozen=True, kw_only=True)
class Place:
    """A figure, a table, a section or a claim of the paper.

    Attributes:
        key: Its name on the page and on the command line.
        title: As the paper numbers it.
        shows: What it is about.
        theirs: What it says, in numbers where they are known.
        command: Of the command line, which shows the same of a run.
    """

    key: str
    title: str
    shows: str
    theirs: str = UNKNOWN
    command: str = ""


SETTING = {
    "run": "the paper",
    "network": "ResNet-110; ResNet-50",
    "data": "CIFAR-10; ImageNet",
    "classes": "10; 1,000",
    "training": "noise at each sigma, 90 epochs",
    "sigma": "0.12 to 1; 0.25 to 5",
    "images": "not on record",
    "n, draws an image": "100,000",
    "precision": "not on record",
    "alpha (of both bounds)": "not on record",
    "votes": "not public",
}
"""The paper's conditions, beside those of ``Committed.differs``."""

_FIGURES = (
    Place(
        key="figure-1",
        title="Figure 1",
        shows="The simplex of what a smoothed classifier can answer.",
        theirs="What exactly it draws is not on record here; it has no number that "
        "could be compared.",
        command="simplicert simplex fig3-multinomial",
    ),
    Place(
        key="figure-2",
        title="Figure 2",
        shows="Cohen's radius less Li's, over the whole simplex.",
        theirs=f"{UNKNOWN} Its text has Cohen's best only near E0 + E1 = 1, and Li's "
        "near (1, 0).",
        command="simplicert simplex fig2",
    ),
    Place(
        key="figure-3",
        title="Figure 3",
        shows="The paper's mechanism over the best of the others, over the whole "
        "simplex: soft votes and hard.",
        theirs="Up to five-fold for soft votes, more than two-fold for hard votes.",
        command="simplicert simplex fig3-multinomial",
    ),
    Place(
        key="figure-4",
        title="Figure 4",
        shows="Certified accuracy against the radius, a curve a sigma.",
        command="simplicert report RUN… --figures DIR --figure fig4-runs",
    ),
    Place(
        key="figure-5",
        title="Figure 5",
        shows="How densely a data set's images lie where on the simplex.",
        command="simplicert report RUN --figures DIR --figure fig5-density",
    ),
    Place(
        key="figure-6a",
        title="Figure 6a",
        shows="The share of images with a radius above 0.05, against the draws.",
        command="simplicert report RUN --figures DIR --figure fig6a-draws",
    ),
    Place(
        key="figure-6b",
        title="Figure 6b",
        shows="The time of a mechanism against that of the draws.",
        theirs="About 0.1 s a mechanism an image.",
        command="simplicert report RUN --figures DIR --figure fig6b-times",
    ),
    Place(
        key="figure-7",
        title="Figure 7",
        shows="The share of images whose radius grows by more than x %.",
        command="simplicert report RUN --figures DIR --figure fig7-improvement",
    ),
    Place(
        key="figure-8",
        title="Figure 8",
        shows="Certified accuracy against the radius, a curve a mechanism.",
        command="simplicert report RUN --figures DIR --figure fig4-accuracy",
    ),
    Place(
        key="figure-9",
        title="Figure 9",
        shows="Where a data set's images lie on the simplex: hard votes.",
        theirs=f"{UNKNOWN} Which panel is Figure 9 and which Figure 10 is not either.",
        command="simplicert report RUN --figures DIR --figure fig5-images",
    ),
    Place(
        key="figure-10",
        title="Figure 10",
        shows="Where a data set's images lie on the simplex: soft votes.",
        theirs=f"{UNKNOWN} Which panel is Figure 9 and which Figure 10 is not either.",
        command="simplicert report RUN --figures DIR --figure fig5-images",
    ),
)

_TABLES = (
    Place(
        key="table-1",
        title="Table 1",
        shows="Each mechanism: top-1, median radius (M), share of images on which it "
        "is the largest (L), share above 0.05.",
        command="simplicert certify RUN",
    ),
    Place(
        key="table-2",
        title="Table 2",
        shows="Of the images that Cohen's mechanism certifies, the share whose radius "
        "the ensemble enlarges.",
        theirs=f"CIFAR-10: {NAMED} % at sigma "
        f"{', '.join(f'{sigma:g}' for sigma in paper.IMPROVED)}. "
        "Of its other columns, and of ImageNet, no number is on record here.",
        command="simplicert compare RUN",
    ),
)

_CLAIMS = (
    Place(
        key="claim-double",
        title="More than double",
        shows="The paper's radius against the best of the others, hard votes.",
        theirs="“The potential to more than double the achievable radius” (abstract).",
        command="simplicert simplex fig3-multinomial",
    ),
    Place(
        key="claim-five",
        title="Up to five-fold",
        shows="The paper's radius against Lecuyer's, soft votes.",
        theirs="Up to five-fold.",
        command="simplicert simplex fig3-softmax",
    ),
    Place(
        key="claim-lecuyer",
        title="Lecuyer is outperformed everywhere",
        shows="The paper's radius against Lecuyer's at every point of the simplex.",
        theirs="Lecuyer's mechanism is best nowhere.",
        command="simplicert simplex fig3-softmax",
    ),
    Place(
        key="claim-cohen",
        title="Cohen is best only near E0 + E1 = 1",
        shows="The region that Cohen's mechanism wins.",
        theirs="Near E0 + E1 = 1 only.",
        command="simplicert simplex fig3-multinomial",
    ),
    Place(
        key="claim-li",
        title="Li is best near (1, 0)",
        shows="The region that Li's mechanism wins.",
        theirs="Near (E0, E1) = (1, 0).",
        command="simplicert simplex fig3-multinomial",
    ),
    Place(
        key="claim-nine",
        title="9 % more certified at sigma 1",
        shows="What the ensemble certifies and Cohen's mechanism does not.",
        theirs="“Can certify 9 % more samples at noise scale sigma = 1” (abstract). Of "
        "which data, and whether points or per cent, is not on record here.",
        command="simplicert certify RUN",
    ),
    Place(
        key="claim-difficulty",
        title="More to gain where the task is harder",
        shows="Table 2's share, as sigma grows.",
        theirs="“Greater relative improvements as the difficulty of the predictive "
        "task increases” (abstract); Table 2's share grows with sigma.",
        command="simplicert compare RUN",
    ),
    Place(
        key="claim-shift",
        title="From CIFAR-10 to ImageNet, towards cullen's region",
        shows="The share of images in each mechanism's region, of 10 and of 1,000 "
        "classes (Figures 5, 9, 10).",
        theirs="The shift from CIFAR-10 to ImageNet favours the region of the paper's "
        "mechanism. The shares are not on record here.",
        command="simplicert report RUN… --tables DIR",
    ),
)

_REST = (
    Place(
        key="section-6.4",
        title="Section 6.4: MACER",
        shows="The ensemble's gain after other training methods.",
        command="simplicert compare RUN",
    ),
    Place(
        key="reference-4",
        title="Reference [4]: denoised smoothing",
        shows="A classifier that never saw noise, behind a denoiser.",
        command="simplicert certify RUN",
    ),
    Place(
        key="reference-7",
        title="Reference [7]: transitive certificates",
        shows="An image's certificate from those of its neighbours.",
        command="python results/transitive.py",
    ),
)

PLACES = (*_FIGURES, *_TABLES, *_CLAIMS, *_REST)
"""In the order of the page."""
