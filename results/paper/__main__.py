"""Every figure, table and claim of the paper, from the votes committed below results/.

    python results/paper -o paper            # the page, and the figures beside it
    python results/paper --only table-2
    python results/paper --docs              # also docs/paper.md's table

Needs no torch, no data, no weights and no network.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import claims
import on_data
import over_simplex
import pandas as pd
from committed import Committed, find
from page import render
from published import PLACES, Place
from shares import cells, turned
from studio import Derived, Studio

from simplicert import analysis
from simplicert.errors import InputError
from simplicert.report import write_report

RESULTS = Path(__file__).resolve().parents[1]
DOCS = RESULTS.parent / "docs" / "paper.md"
BEGIN, END = "<!-- results/paper: begin -->\n", "<!-- results/paper: end -->\n"
COMMAND = "python results/paper"

DERIVE = over_simplex.PLACES | on_data.PLACES | claims.PLACES


def derive(studio: Studio, only: Sequence[str] = ()) -> dict[Place, Derived]:
    """Ours for every place of the paper, or for those that are asked for.

    Raises:
        InputError: A place that the paper does not have.
    """
    keys = [place.key for place in PLACES]
    wrong = [key for key in only if key not in keys]
    if wrong:
        raise InputError(
            f"there is no place {wrong[0]!r} on the page: take one of {', '.join(keys)}"
        )
    return {
        place: DERIVE[place.key](studio)
        for place in PLACES
        if not only or place.key in only
    }


def make(
    out: Path, *, root: Path = RESULTS, only: Sequence[str] = (), resolution: int = 400
) -> Path:
    """Derive everything and write it into ``out``; return the page."""
    runs, left = find(root)
    studio = Studio(runs=runs, folder=out / "figures", root=root, resolution=resolution)
    derived = derive(studio, only)
    for place, ours in derived.items():
        for number, table in enumerate(ours.tables, 1):
            path = out / "tables" / f"{place.key}-{number}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            table.frame.to_csv(path, index=False)
    html = render(derived, runs, left, command=COMMAND)
    return write_report(html, out / "index.html")


def write_docs(root: Path = RESULTS, page: Path = DOCS) -> None:
    """Replace what stands between the two marks in docs/paper.md."""
    before, rest = page.read_text("utf-8").split(BEGIN)
    _, after = rest.split(END)
    shown = docs_tables(find(root)[0])
    page.write_text(f"{before}{BEGIN}\n{shown}\n{END}{after}", "utf-8")


def docs_tables(runs: Sequence[Committed]) -> str:
    """Table 2 beside the paper's, and what stopping makes of it, in Markdown."""
    own = Studio(runs=runs, folder=Path()).own
    tables = [claims.improvement_table(own)]
    stopping = claims.stopping_table(own)
    if len(stopping):
        tables.append(turned(stopping))
    return "\n".join(markdown(table) for table in tables)


def markdown(table: pd.DataFrame) -> str:
    """A table as on the page: shares in per cent."""
    shown = pd.DataFrame(cells(table), columns=table.columns)
    return analysis.format_table(shown, "markdown")


def main() -> None:
    """Parse, make, say where it is."""
    parser = argparse.ArgumentParser(
        prog=COMMAND,
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-o", "--out", type=Path, default=Path("paper"))
    parser.add_argument("--only", action="append", default=[], metavar="PLACE")
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--resolution", type=int, default=400)
    asked = parser.parse_args()
    try:
        page = make(asked.out, only=asked.only, resolution=asked.resolution)
    except InputError as error:
        parser.error(str(error))
    if asked.docs:
        write_docs()
    print(f"page: {page}")  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
