"""How far a run is, from its files alone: no model, no data, no lock."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """What a run holds at one moment; others may be drawing into it.

    Attributes:
        draws: On disk, each block counted once.
        total: Of the whole run, if none of the images that are not decided yet stops
            before the last look.
        finished: Images with all their draws.
        images: Of the whole run.
        parts: Files that hold the draws.
        damaged: Parts that cannot be read, with those set aside earlier: the same
            `simplicert sample` draws again what they held.
        flushed: When the newest part was written, in seconds since 1970 by the clock
            of its disk; ``None`` where there is none.
        seconds: Time that the draws took one process, all together; NaN where some
            part does not say. ``draws / seconds`` is the speed of one process.
    """

    draws: int
    total: int
    finished: int
    images: int
    parts: int
    damaged: int
    flushed: float | None
    seconds: float
