"""``simplicert status``: how far a run is, while others draw it."""

import datetime
from dataclasses import asdict
from pathlib import Path

from simplicert.cli.output import print_json
from simplicert.cli.printing import say
from simplicert.interop import check_votes
from simplicert.stopping import rule_in_words
from simplicert.votes.status import RunStatus, run_status


def status_command(
    run: Path,
    /,
    *,
    json: bool = False,
) -> None:
    """Say how far a run is, how fast, and who draws it. Needs no model and no GPU.

    Reads the run's files and changes nothing, so others may draw meanwhile.

        simplicert status runs/s0.50

    Args:
        run: A run directory.
        json: Print all that is known as JSON.
    """
    check_votes(run)
    status = run_status(run)
    if json:
        print_json(_facts(run, status))
        return
    for line in _lines(run, status):
        say(line)


def _lines(run: Path, status: RunStatus) -> list[str]:
    plan, at = status.manifest, status.progress
    damaged = f", {at.damaged} damaged" if at.damaged else ""
    source, means = f"{plan.model.name} on {plan.data.name}", ""
    if plan.device == "imported":  # model and data are the file, the rest not known
        source = plan.model.name
    else:
        means = f", seed {plan.seed}, {plan.precision} on {plan.device}"
    lines = [
        f"{run}: {source}, {plan.noise.name} noise of sigma {plan.sigma:g}{means}",
        *_far(status),
        f"part files: {at.parts:,}{damaged}, last written {_moment(at.flushed)}",
        _pace(status),
    ]
    width = len(str(len(status.shares)))
    lines += [
        f"share {share.number:>{width}}/{len(status.shares)}: "
        f"{_percent(share.draws, share.total)}" + (", drawing" if share.drawing else "")
        for share in status.shares
    ]
    return lines


def _far(status: RunStatus) -> list[str]:
    plan, at = status.manifest, status.progress
    images = f"{at.finished:,} of {at.images:,} images finished"
    if not plan.stops_early:
        return [f"{_percent(at.draws, at.total)} of {at.total:,} draws; {images}"]
    most = at.total - at.draws
    left = "" if plan.total is None else ", or left by the budget"
    return [
        f"an image stops when {rule_in_words(plan.rule)}",
        f"{images} (decided, or at the last look{left}); {at.draws:,} draws so far, "
        + (f"at most {most:,} to come" if most else "none to come"),
    ]


def _pace(status: RunStatus) -> str:
    who = f"processes drawing now: {status.drawing}"
    missing = status.progress.total - status.progress.draws
    most = "at most " if status.manifest.stops_early else ""
    if not missing:
        return f"{who}; the run is whole"
    if not status.speed > 0:
        return f"{who}; {most}{missing:,} draws to go"
    left = datetime.timedelta(seconds=round(status.seconds_left))
    until = "until they end" if status.drawing else "of one process to go"
    pace = f"{status.speed:,.0f} draws/s each so far"
    return f"{who}; {pace}, {most or 'about '}{left} {until}"


def _percent(part: int, whole: int) -> str:
    """Of draws, rounded down: what is not all is not 100 %."""
    return f"{part * 1000 // whole / 10 if whole else 100.0:.1f}%"


def _moment(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    then = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{then:%Y-%m-%d %H:%M:%S} UTC"


def _facts(run: Path, status: RunStatus) -> dict[str, object]:
    plan = status.manifest
    facts = plan.model_dump(mode="json", exclude={"images", "labels"})
    return {
        "run": str(run),
        **asdict(status.progress),
        "held": status.held,
        "drawing": status.drawing,
        "draws_per_second": status.speed,
        "seconds_left": status.seconds_left,
        "shares": [asdict(share) for share in status.shares],
        "manifest": facts,
    }
