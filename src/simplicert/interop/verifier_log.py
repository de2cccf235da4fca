"""What alpha-beta-CROWN prints, as a table: a verdict an image, at one epsilon."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd

from simplicert.errors import InputError
from simplicert.interop.table import Table

__all__ = ["log_table"]

_SUMMARY = re.compile(r"^#+ *Summary *#+\s*$", re.MULTILINE)
_GROUP = re.compile(
    r"^([a-z][a-z-]*) \(total ([0-9]+)\), index: \[([0-9, ]*)\]\s*$", re.MULTILINE
)
_TOTAL = re.compile(r"^Final verified acc: .*\(total ([0-9]+) examples\)", re.MULTILINE)
_LABELS = ("verified-acc", "clean-success")
"""``robustness_type`` of runs whose ``safe`` is of the label, against every class."""


def log_table(table: Table) -> Table | None:
    """The table that its summary is, of images of a data set; ``None`` of other files.

    Its ``safe`` is: no input in the ball has another class than the label. So the
    classifier is right where it is safe; elsewhere the log does not say.

    Raises:
        InputError: It does not say its epsilon or norm, proves less than this, is of
            properties of another kind, or was cut.
    """
    text = table.text or ""
    summary = list(_SUMMARY.finditer(text))
    if not summary:
        return None
    if len(summary) > 1:
        raise InputError(f"{table.path} holds {len(summary)} logs: divide it")
    settings = {
        name: _setting(table, text[: summary[0].start()], name)
        for name in ("epsilon", "norm", "robustness_type")
    }
    _check(table, text, settings)
    frames = []
    for group, count, numbers in _GROUP.findall(text, summary[0].end()):
        images = [each.strip() for each in numbers.split(",") if each.strip()]
        if len(images) != int(count):
            raise InputError(
                f"{table.path}: {group} has a total of {count} and lists {len(images)}"
            )
        frames.append(
            pd.DataFrame({"index": np.array(images, object), "status": group})
        )
    listed = sum(map(len, frames))
    total = _TOTAL.search(text, summary[0].end())
    if total is None or int(total[1]) != listed:
        said = f" of {total[1]}" if total else ""
        raise InputError(
            f"{table.path} lists {listed}{said} images in its summary: it was cut, and "
            "what is left out may be what failed"
        )
    frame = pd.concat(frames, ignore_index=True).assign(epsilon=settings["epsilon"])
    frame["correct"] = frame["status"].str.startswith("safe").astype(str)
    stated = {"norm": frozenset([settings["norm"]])}
    return replace(
        table, frame=frame, named=True, odd=(), stated=stated, notes=(), broken=None
    )


def _setting(table: Table, head: str, name: str) -> str:
    found: set[str] = set(re.findall(rf"^\s+{name}: +(\S+)", head, re.MULTILINE))
    if len(found) != 1 or found == {"null"}:
        raise InputError(
            f"{table.path} is a log of alpha-beta-CROWN whose configuration does not "
            f"say one {name}: keep all that was printed, or write a table"
        )
    return found.pop()


def _check(table: Table, text: str, settings: dict[str, str]) -> None:
    if settings["robustness_type"] not in _LABELS:
        raise InputError(
            f"{table.path}: robustness_type {settings['robustness_type']} does not "
            f"hold the label against every class, as {' and '.join(_LABELS)} do"
        )
    for name in ("vnnlib_path", "csv_name", "onnx_path_prefix"):
        found = re.search(rf"^\s+{name}: +(\S+)", text, re.MULTILINE)
        if found and found[1] not in ("null", "''", '""'):
            raise InputError(
                f"{table.path} is of properties in files ({name}: {found[1]}), whose "
                "numbers are not those of images: write a table"
            )
