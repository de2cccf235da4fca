"""An audit as one HTML page, in the report's style."""

from collections.abc import Iterator
from importlib.resources import files

import pandas as pd
from markupsafe import Markup

from simplicert import __version__
from simplicert.audit.finding import Audit
from simplicert.report.page import asset, page_environment, page_policy

__all__ = ["render_audit"]

_MOST_ROWS = 100


def render_audit(audit: Audit) -> str:
    """One self-contained page: the verdict, what was audited, and every finding.

    It has no script, fetches nothing, and its policy forbids both.
    """
    folder = files("simplicert.audit") / "assets"
    template = (folder / "audit.html.jinja").read_text("utf-8")
    style = (folder / "audit.css").read_text("utf-8")
    return (
        page_environment()
        .from_string(template)
        .render(
            title=f"Audit of {audit.subject}",
            policy=page_policy(()),
            css=Markup(asset("report.css") + style),  # ours, both
            audit=audit,
            shown=_shown,
            most_rows=_MOST_ROWS,
            version=__version__,
        )
    )


def _shown(table: pd.DataFrame) -> Iterator[list[str]]:
    """The first rows' cells as text; numbers to four digits, for people."""
    for row in table.head(_MOST_ROWS).itertuples(index=False):
        yield [f"{each:.4g}" if isinstance(each, float) else f"{each}" for each in row]
