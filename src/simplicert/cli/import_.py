"""``simplicert import``: other people's counts and logs in, a run directory out."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from simplicert.cli.output import print_json
from simplicert.cli.printing import note, say
from simplicert.cli.types import NoiseName, Whole
from simplicert.interop import ImportKind, import_file


def import_command(
    file: Path,
    /,
    *,
    out: Annotated[Path, Parameter(alias="-o")],
    sigma: float | None = None,
    draws: Whole | None = None,
    alpha: float | None = None,
    noise: NoiseName = "gaussian",
    kind: ImportKind | None = None,
    label_column: str = "label",
    json: Annotated[bool, Parameter(negative=())] = False,
) -> None:
    """Turn other people's counts or certification logs into a run directory.

        simplicert import counts.csv --sigma 0.25 -o runs/theirs

    Args:
        file: A counts table (.txt, .csv, .tsv, .npy, .npz, .parquet), a log in Cohen's
            layout (idx label predict radius correct time), or a DSRS sampling log.
        out: The directory to write.
        sigma: Noise standard deviation, where the file does not say it.
        draws: Draws an image. Of a counts table, by default what each row sums to.
        alpha: A Cohen log's failure probability.
        noise: What was added when a counts table was drawn.
        kind: What the file is. Default: what it looks like.
        label_column: The label's column in a counts table: its name or, where columns
            have no names, its position (-1 is the last).
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
        label_column=label_column,
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
