"""``simplicert export``: certificates in the words of others."""

import json as text
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from simplicert.analysis.published import usual_radii
from simplicert.certificates import ALPHA
from simplicert.cli.printing import note, say
from simplicert.cli.types import Framework, Radii, a_mechanism, a_procedure
from simplicert.files import check_suffix, replacing
from simplicert.interop import certify_path, leaderboard_record

_WANTED = ("title", "link")


def export_command(
    what: Literal["leaderboard"],
    run: Path,
    /,
    *,
    radius: float,
    out: Annotated[Path, Parameter(alias="-o")],
    radii: Radii | None = None,
    alpha: float = ALPHA,
    framework: Framework | None = None,
    procedure: Annotated[str | None, a_procedure()] = None,
    mechanism: Annotated[
        str | None, a_mechanism("The mechanism that names the class")
    ] = None,
    title: str | None = None,
    link: str | None = None,
    venue: str | None = None,
) -> None:
    """Write a record for the public board of certified robustness, as JSON.

        simplicert export leaderboard runs/s0.50 --radius 0.25 -o record.json

    Logs in Cohen's layout are written by certify -o FILE.tsv.

    Args:
        what: The board's record.
        run: A run directory, or an imported log.
        radius: Of the board's setting: its score is the certified accuracy there.
        out: The file to write, .json.
        radii: At which to say it in the comment, too.
        alpha: Failure probability of each image's certificate: 0.001 at most.
        framework: Hard votes (multinomial) or soft scores (softmax), by the paper's
            procedure of each. Default: multinomial.
        procedure: How the expectations are bounded, in place of a framework.
        mechanism: What names the class.
        title: Of the paper that reports it.
        link: To the paper.
        venue: Where it was published. Without one it is shown as a preprint.
    """
    check_suffix(out, (".json",))
    certificates = certify_path(
        run, alpha=alpha, framework=framework, procedure=procedure, mechanism=mechanism
    )
    found = leaderboard_record(
        certificates,
        radius=radius,
        also=usual_radii(certificates).tolist() if radii is None else radii,
        title=title,
        link=link,
        venue=venue,
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as file:
        file.write_text(
            text.dumps([found], indent=2, ensure_ascii=False) + "\n", "utf-8"
        )
    [record] = found["records"]
    lacking = [name for name in _WANTED if record[name] is None]
    if lacking:
        note(f"the board wants {' and '.join(lacking)}: --{' --'.join(lacking)}")
    say(f"{out}: {record['score']} of {what} setting {radius:g}")
