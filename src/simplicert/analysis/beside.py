"""Certificates of a smoothed classifier beside what is proved of its base classifier.

They are about two classifiers, so nothing here adds, maximises or subtracts them:
``docs/guarantee.md`` has an example of what would be wrong.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from simplicert.analysis.accuracy import Distances, checked_radii, hits
from simplicert.analysis.published import usual_radii
from simplicert.certificates.record import ABSTAIN, Certificates
from simplicert.errors import InputError
from simplicert.interop import Verified
from simplicert.noises import in_norm
from simplicert.units import PIXELS, PLAIN, Unit, in_unit

__all__ = ["Beside", "beside"]

OUTCOMES = ("both", "only smoothed", "only base", "neither")

_WITHIN = {"l1": 0, "l2": 1, "linf": 2}
"""Balls of one radius: each lies within the next."""

_LEVELS = 255.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Beside:
    """Two certificates of each image, about two classifiers.

    Attributes:
        certificates: The smoothed classifier's, of the images that both have.
        verified: The base classifier's, of these in this order, in the same norm and
            unit.
        notes: What a reader should know of how they were laid side by side.
    """

    certificates: Certificates
    verified: Verified
    notes: tuple[str, ...]

    @property
    def about(self) -> dict[str, str]:
        """What each column of radii is about, in words: ``smoothed`` and ``base``."""
        ours, network = self.certificates, self.verified.network
        radii = ours.in_words("radii")
        model = ours.source.get("model", "")
        certainty = f"each with probability at least 1 - {ours.alpha:g} over the draws"
        if ours.asymptotic:
            certainty = f"by {ours.by}"
        return {
            "smoothed": f"the smoothed classifier g{f' of {model}' * bool(model)}, "
            f"{ours.noise.name} noise of sigma {ours.sigma:g}{in_unit(ours.unit)}: "
            f"{radii} by {ours.mechanism}, {certainty}",
            "base": "the base classifier f, "
            f"{network or 'which the file does not name'}, without noise: {radii} that "
            "a verifier proved "
            f"({self.verified.path.name}), as true as the verifier, no draws and no "
            "alpha",
        }

    @property
    def by_label(self) -> bool:
        """Whether it is known on both sides if the class is right."""
        return self.certificates.labels is not None and self._right is not None

    @property
    def quantity(self) -> str:
        """What a share of ``counted`` is called."""
        return "certified accuracy" if self.by_label else "share certified"

    @property
    def _right(self) -> Bool[np.ndarray, " images"] | None:
        """Where the base classifier's class is the run's label."""
        labels, theirs = self.certificates.labels, self.verified
        if labels is not None and theirs.predicted is not None:
            right: np.ndarray = theirs.predicted == labels
            return right
        return theirs.right

    @property
    def base_class(self) -> Int[np.ndarray, " images"] | None:
        """The class of the base classifier where it is known; else ``ABSTAIN``."""
        labels, theirs = self.certificates.labels, self.verified
        if theirs.predicted is not None or labels is None or theirs.right is None:
            return theirs.predicted
        return np.where(theirs.right, labels, ABSTAIN)

    @property
    def counted(self) -> dict[str, Float[np.ndarray, " images"]]:
        """Radii by classifier, and 0 where the class is wrong, if that is known."""
        ours, theirs = self.certificates.radius, self.verified.radius
        if not self.by_label:
            return {"smoothed": ours, "base": theirs}
        right = hits(self.certificates, self.certificates.mechanism)
        return {
            "smoothed": np.where(right, ours, 0.0),
            "base": theirs * np.asarray(self._right),
        }

    def table(self) -> pd.DataFrame:
        """One row an image, and two columns of radii that are not to be mixed.

        Returns:
            ``image``, ``label`` (if known), ``smoothed_class``, ``smoothed_radius``;
            ``base_class`` (if known), ``base_radius``, ``base_verdict``,
            ``base_radius_upper`` (the smallest radius at which the class is known to
            change), ``base_seconds``; and what each side is about.
        """
        ours, theirs = self.certificates, self.verified
        columns: dict[str, np.ndarray | None] = {
            "image": ours.indices,
            "label": ours.labels,
            "smoothed_class": ours.predicted,
            "smoothed_radius": ours.radius,
            "base_class": self.base_class,
            "base_radius": theirs.radius,
            "base_verdict": theirs.verdict,
            "base_radius_upper": theirs.falsified,
            "base_seconds": theirs.seconds,
        }
        if np.isnan(theirs.falsified).all():
            del columns["base_radius_upper"]
        frame = pd.DataFrame({k: v for k, v in columns.items() if v is not None})
        facts = {**ours.facts, "mechanism": ours.mechanism}
        return frame.assign(
            **{f"about_{side}": said for side, said in self.about.items()}, **facts
        )

    def summary(self) -> pd.DataFrame:
        """How many images each certifies, correctly where that is known.

        Returns:
            One row an outcome: ``certified`` (``both``, ``only smoothed``, ``only
            base``, ``neither``), ``images``, ``share``.
        """
        smoothed, base = (radius > 0 for radius in self.counted.values())
        masks = (smoothed & base, smoothed & ~base, base & ~smoothed)
        counts = [int(mask.sum()) for mask in masks]
        counts.append(len(smoothed) - sum(counts))
        shares = [count / max(len(smoothed), 1) for count in counts]
        return pd.DataFrame({"certified": OUTCOMES, "images": counts, "share": shares})

    def accuracy(self, radii: Distances | None = None) -> pd.DataFrame:
        """What each classifier's certificates reach, on the same images.

        Args:
            radii: In the run's unit; by default ``usual_radii``.

        Returns:
            Two rows: ``classifier``, the average radius, and a share for each radius.
        """
        at = usual_radii(self.certificates) if radii is None else checked_radii(radii)
        average = "average_certified_radius" if self.by_label else "average_radius"
        rows: list[dict[str, object]] = []
        for side, radius in self.counted.items():
            row = {"classifier": side, average: float(radius.mean())}
            for least in at:
                name = np.format_float_positional(least, trim="-")
                row[name] = float(((radius > 0) & (radius >= least)).mean())
            rows.append(row)
        return pd.DataFrame(rows)


def beside(certificates: Certificates, verified: Verified) -> Beside:
    """Lay what a verifier proved of the base classifier beside a run's certificates.

    Radii of a larger norm's balls become radii of the run's norm, which are no larger
    for it: a ball of linf holds the ball of l2 of its radius. Levels and pixels are
    turned into each other, and rounded down.

    Raises:
        InputError: The file is of images, labels or classes that the run has not, or
            its radii are of another norm or unit and cannot be converted.
    """
    rows = _rows(certificates, verified)
    ours = certificates[rows]
    theirs, notes = _in_norm_of(ours, verified)
    theirs = _in_unit_of(ours, theirs)
    _check_classes(ours, theirs)
    return Beside(
        certificates=ours,
        verified=theirs,
        notes=(*theirs.notes, *notes, *_notes(certificates, ours, theirs)),
    )


def _rows(certificates: Certificates, verified: Verified) -> Int[np.ndarray, " images"]:
    """Those of the run's rows that are in the file, in the order of its numbers."""
    order = np.argsort(certificates.indices)
    known = certificates.indices[order]
    unknown = np.setdiff1d(verified.indices, known)
    if len(unknown):
        raise InputError(
            f"{verified.path}: image {unknown[0]} is not in the run (of its "
            f"{len(verified):,} images {len(unknown):,} are not). Numbers are those of "
            "the data set, which `simplicert certify RUN -o FILE` writes as image; "
            "leave other images out"
        )
    found: np.ndarray = order[np.searchsorted(known, verified.indices)]
    return found


def _in_norm_of(
    certificates: Certificates, verified: Verified
) -> tuple[Verified, list[str]]:
    """Radii of the run's norm; what they were is in a note."""
    ours, theirs = certificates.norm, verified.norm
    if ours == theirs:
        return verified, []
    if ours not in _WITHIN or _WITHIN[theirs] < _WITHIN[ours]:
        raise InputError(
            f"{verified.path} has radii of {in_norm(theirs, 'balls')}, and the run's "
            f"are of {in_norm(ours, 'balls')}, of which they hold only much smaller "
            "ones: they are no distances of one kind"
        )
    note = (
        f"what was verified are {theirs} balls; each holds the {ours} ball of its "
        f"radius, which is what is shown, and more than that"
    )
    if not np.isnan(verified.falsified).all():
        note += (
            f". Where the class changes in {theirs} balls is left out: it may be "
            f"outside the {ours} ball"
        )
    none = np.full(len(verified), np.nan)
    return replace(verified, norm=ours, falsified=none), [note]


def _in_unit_of(certificates: Certificates, verified: Verified) -> Verified:
    """Radii in the run's unit."""
    unit, said = certificates.unit, verified.unit
    name = PIXELS.name if unit is None else unit.name
    if said == name or (not said and unit in {None, PIXELS, PLAIN}):
        return verified
    levels = unit is not None and _is_levels(unit)
    if unit == PIXELS and said == "levels":
        factor = 1.0 / _LEVELS
    elif levels and said == PIXELS.name:
        factor = _LEVELS
    else:
        says = f"are in {said}" if said else "do not say what they are in"
        ours = "of a log that does not say its unit" if unit is None else f"in {name}"
        raise InputError(
            f"the run's radii are {ours}, and those of {verified.path} {says}: give "
            f"them in {name}, and say so (--verified-unit or a column unit)"
        )
    return replace(
        verified,
        unit=name,
        radius=np.nextafter(verified.radius * factor, 0.0),
        falsified=np.nextafter(verified.falsified * factor, np.inf),
    )


def _is_levels(unit: Unit) -> bool:
    return (unit.name, unit.low, unit.high) == ("levels", 0.0, _LEVELS)


def _check_classes(certificates: Certificates, verified: Verified) -> None:
    labels = certificates.labels
    if labels is not None and verified.labels is not None:
        differ = labels != verified.labels
        if differ.any():
            first = int(np.argmax(differ))
            raise InputError(
                f"{int(differ.sum()):,} images have another label in {verified.path} "
                f"(image {verified.indices[first]}: {verified.labels[first]}, in the "
                f"run {labels[first]}): they are not the same images"
            )
    for name, classes in (("label", verified.labels), ("class", verified.predicted)):
        if classes is not None and classes.max(initial=0) >= certificates.classes:
            first = int(np.argmax(classes >= certificates.classes))
            raise InputError(
                f"{verified.path}: image {verified.indices[first]} has the {name} "
                f"{classes[first]}, and the run has {certificates.classes} classes, "
                "from 0"
            )


def _notes(whole: Certificates, ours: Certificates, verified: Verified) -> list[str]:
    found, inputs = [], ours.inputs
    if len(ours) < len(whole):
        found.append(
            f"{len(whole) - len(ours):,} of the run's {len(whole):,} {inputs} are not "
            f"in {verified.path.name}, and are left out here"
        )
    both = Beside(certificates=ours, verified=verified, notes=())
    if ours.labels is not None and not both.by_label:
        found.append(
            "the file does not say which class was verified, which may be a wrong one: "
            "so shares are of what is certified at all, on both sides. A column "
            "predicted (or correct) would say"
        )
    classes = both.base_class
    if classes is not None:
        named = (ours.radius > 0) & (verified.radius > 0) & (classes != ABSTAIN)
        if differ := int((named & (classes != ours.predicted)).sum()):
            found.append(
                f"{differ:,} {inputs} are certified by both, as another class: no "
                "contradiction, because f and g are two classifiers"
            )
    if ours.unit == PIXELS and ours.data is not None and ours.data.shape:
        size = float(np.prod(ours.data.shape))
        across = {"l1": size, "l2": size**0.5, "linf": 1.0}.get(ours.norm, np.inf)
        if beyond := int((verified.radius > across).sum()):
            found.append(
                f"{beyond:,} verified radii are larger than {across:g}, from one end "
                "of all images to the other: are they in pixels of [0, 1]?"
            )
    return found
