"""``simplicert report``: run directories → one HTML page."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from simplicert.certificates import Framework
from simplicert.certification import DEFAULT_MECHANISM


def report_command(
    runs: list[Path],
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")] = Path("report.html"),
    alpha: float = 0.001,
    framework: Framework | None = None,
    mechanism: str = DEFAULT_MECHANISM,
    data: str | None = None,
    split: str = "test",
) -> None:
    """Write one self-contained HTML page about one or more runs.

    Needs no model and no GPU, and the page no network: it opens from disk.

        simplicert report runs/s0.25 runs/s0.50 --data digits -o report.html

    Args:
        runs: Run directories, in the order of the page.
        output: The file to write.
        alpha: Failure probability of each image's certificate.
        framework: Certify one framework only. Default: each that the votes allow.
        mechanism: The mechanism that the page opens with.
        data: The dataset that was sampled, to show its pictures.
        split: The part of it that was sampled.
    """
    from simplicert.report import load_runs, render_report, write_report  # noqa: PLC0415

    dataset = None
    if data is not None:
        from simplicert.data import load_dataset  # noqa: PLC0415 (only for pictures)

        dataset = load_dataset(data, split=split)
    loaded = load_runs(
        runs, alpha=alpha, framework=framework, mechanism=mechanism, dataset=dataset
    )
    path = write_report(render_report(loaded), output)
    print(f"wrote {path}: open it in a browser")
