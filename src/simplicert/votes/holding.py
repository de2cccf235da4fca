"""Who draws into a run.

Who draws all of it holds the run's lock alone, also for workers that it launched; who
draws a share of it, with others who do. Each share has a lock of its own besides, by
whose name others see how the run is divided and who is there.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simplicert.errors import InputError
from simplicert.machine.locks import Claims, HeldError, held, is_held

_RUN = ".lock"
_CLAIMS = ".claims"
_SHARE = re.compile(r"\.lock-([1-9][0-9]{0,8})-of-([1-9][0-9]{0,8})")


@contextmanager
def holding_run(path: Path | str, *, among_others: bool = False) -> Iterator[None]:
    """Nobody else draws into the run, or joins its parts.

    Args:
        path: The run.
        among_others: But those who draw a share of it.

    Raises:
        InputError: Somebody does.
    """
    try:
        with held(Path(path, _RUN), shared=among_others):
            if not among_others:
                for lock in _shares(path):  # of a division that has ended
                    lock.unlink(missing_ok=True)
                Path(path, _CLAIMS).unlink(missing_ok=True)
            yield
    except HeldError:
        raise InputError(
            f"another process is drawing into {path}: wait for it, or stop it first"
        ) from None


@contextmanager
def holding_share(path: Path | str, share: tuple[int, int]) -> Iterator[None]:
    """Nobody else draws this share, ``(rank, world)``, of the run.

    Raises:
        InputError: Somebody does; or draws a share of another division, so that both
            would draw the same.
    """
    number, world = share[0] + 1, share[1]
    try:
        with held(Path(path, f".lock-{number}-of-{world}")):
            for (_, parts), there in shares_of(path).items():
                if there and parts != world:
                    raise InputError(
                        f"others are drawing {path} in {parts} shares, not {world}: "
                        "wait for them, or stop them first"
                    )
            yield
    except HeldError:
        raise InputError(
            f"another process is drawing share {number}/{world} of {path}: wait for "
            "it, or stop it first"
        ) from None


@contextmanager
def claiming(path: Path | str, images: int) -> Iterator[Claims]:
    """Images of the run, by position, that one process at a time goes on with."""
    claims = Claims(Path(path, _CLAIMS), images)
    try:
        yield claims
    finally:
        claims.close()


def is_run_held(path: Path | str) -> bool:
    """Whether somebody draws into the run, or joins its parts."""
    return is_held(Path(path, _RUN))


def shares_of(path: Path | str) -> dict[tuple[int, int], bool]:
    """The shares, ``(rank, world)``, that were drawn since all parts were joined.

    Returns:
        Of each, whether a process is drawing it now.
    """
    return {share: is_held(lock) for lock, share in sorted(_shares(path).items())}


def _shares(path: Path | str) -> dict[Path, tuple[int, int]]:
    """The locks of shares, as far as they are such: anybody may have made others."""
    found = {}
    for lock in Path(path).glob(".lock-*"):
        match = _SHARE.fullmatch(lock.name)
        if match and int(match[1]) <= int(match[2]) and lock.is_file():
            found[lock] = (int(match[1]) - 1, int(match[2]))
    return found
