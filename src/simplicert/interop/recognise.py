"""The one place that decides what a file is, or looks most like and lacks."""

from dataclasses import replace

from simplicert.errors import InputError
from simplicert.interop.format import Asked, Format
from simplicert.interop.formats import FORMATS
from simplicert.interop.table import Table, shown

__all__ = ["recognised"]


def recognised(table: Table, asked: Asked, kind: Format | None = None) -> Format:
    """The format that a table fits best, or the one that it is said to be.

    Raises:
        InputError: It looks most like one of which something is missing; or like none.
    """
    formats = FORMATS.built_in.values() if kind is None else [kind]
    # Of two columns of one name the first; reading refuses both.
    once = table.frame.loc[:, ~table.frame.columns.duplicated()]
    seen = replace(table, frame=once)
    matches = [(each, each.match(seen, asked)) for each in formats]
    # Of equally sure ones that which lacks least; then the first in the registry.
    # One that does not take what was said of the file is not what is meant.
    best, match = max(
        matches,
        key=lambda m: (
            m[1].sure - 2 * (not asked.given <= m[0].options),
            -len(m[1].lacks),
        ),
    )
    if not match.lacks:
        return best
    table.check_whole()
    columns = shown(table.names) if table.named else f"{len(table.names)}, unnamed"
    if kind is not None:
        raise InputError(
            f"{table.path} is not {best.title}: it has no "
            f"{' and no '.join(match.lacks)}. Its columns: {columns}"
        )
    raise InputError(
        f"{table.path} looks most like {best.title}, but has no "
        f"{' and no '.join(match.lacks)}. Its columns: {columns}. "
        f"If it is something else, say which with --kind: {', '.join(FORMATS.names)}"
    )
