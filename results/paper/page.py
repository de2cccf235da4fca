"""Ours beside the paper's, as one HTML page in the report's style."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from committed import Committed
from markupsafe import Markup
from published import SETTING, Place
from shares import cells, heading, turned
from studio import Derived

from simplicert import __version__
from simplicert.report.page import asset, page_environment, page_policy

__all__ = ["render"]

HERE = Path(__file__).parent


def render(
    derived: Mapping[Place, Derived],
    runs: Sequence[Committed],
    left: Mapping[str, str],
    *,
    command: str,
) -> str:
    """One self-contained page: no script, and nothing is fetched.

    Args:
        derived: Ours, by the paper's places, in the order of the page.
        runs: What it rests on.
        left: Runs that it does not show, and why.
        command: What makes the page.
    """
    style = asset("report.css") + (HERE / "paper.css").read_text("utf-8")
    template = (HERE / "paper.html.jinja").read_text("utf-8")
    environment = page_environment()
    environment.filters["curly"] = lambda text: text.replace("'", "’")
    return environment.from_string(template).render(
        title="“It’s Simplex!”, and what the committed votes give",
        policy=page_policy(()),
        css=Markup(style),
        derived=list(derived.items()),
        tally=_tally(derived),
        numbers=[
            (place.key, *each)
            for place, ours in derived.items()
            for each in ours.numbers
        ],
        conditions=[SETTING, *(run.differs() for run in runs)],
        left=left,
        cells=cells,
        heading=heading,
        turned=turned,
        command=command,
        version=__version__,
    )


def _tally(derived: Mapping[Place, Derived]) -> dict[str, int]:
    verdicts = [each.verdict for each in derived.values()]
    return {verdict: verdicts.count(verdict) for verdict in dict.fromkeys(verdicts)}
