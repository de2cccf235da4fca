"""``simplicert import``: other people's counts and logs in, a run directory out."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from simplicert.cli.output import print_json
from simplicert.cli.printing import note, say
from simplicert.cli.types import Whole, a_noise, one_of
from simplicert.interop import FORMATS, import_file
from simplicert.noises import Norm

FormatName = Annotated[
    str, one_of(FORMATS.names, "What the file is", "what it looks like")
]


def import_command(
    file: Path,
    /,
    *,
    out: Annotated[Path, Parameter(alias="-o")],
    sigma: float | None = None,
    draws: Whole | None = None,
    alpha: float | None = None,
    noise: Annotated[
        str | None, a_noise("Noise that was added (with --norm by any name)")
    ] = None,
    norm: Norm | None = None,
    certificate: Literal["cohen", "other"] | None = None,
    kind: FormatName | None = None,
    label_column: str | None = None,
    ignore_column: tuple[str, ...] = (),
    invalid_draws: bool = False,
    json: bool = False,
) -> None:
    """Turn other people's counts or certification logs into a run directory.

    Notes say what was left out or converted, and what the evidence allows.

        simplicert import counts.csv --sigma 0.25 -o runs/theirs

    Args:
        file: Counts (a column a class; a row an image and class; the top two and how
            many draws; two stages), a log in Cohen's layout (idx label predict radius
            correct time), or a DSRS sampling log: as text, CSV, JSON, JSON lines, .npy,
            .npz or .parquet, perhaps packed (.gz, .bz2, .xz).
        out: The directory to write.
        sigma: Noise standard deviation, where the file does not say it.
        draws: Draws an image. Of counts, by default what each row sums to.
        alpha: A log's failure probability.
        noise: What was added when the votes were drawn. With --norm any name will do.
        norm: Of the balls that the radii are about. "none": the radii are no distances
            between inputs, but of a translation, a rotation, a blur.
        certificate: What a log's radii are: Cohen's, or another's, which are kept as
            reported. Default: Cohen's for Gaussian noise and l2 balls.
        kind: What the file is.
        label_column: The labels' column: its name or, where columns have no names, its
            position (-1 is the last).
        ignore_column: A column to leave out, likewise; may be given several times.
        invalid_draws: Draws missing from a row's sum were made and gave no class (NaN
            outputs): they count for none.
        json: Print what was found as JSON.
    """
    found = import_file(
        file,
        out,
        kind=kind,
        sigma=sigma,
        draws=draws,
        alpha=alpha,
        noise=noise,
        norm=norm,
        certificate=certificate,
        label_column=label_column,
        ignore_column=ignore_column,
        invalid_draws=invalid_draws,
    )
    if json:
        print_json({"imported": {**asdict(found), "path": str(found.path)}})
        return
    say(
        f"wrote {found.path}: {found.evidence} of {found.images:,} images, "
        f"{found.draws:,} draws each, sigma {found.sigma:g}"
    )
    for each in found.notes:
        note(f"note: {each}")
