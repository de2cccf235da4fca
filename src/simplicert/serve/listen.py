"""A server that listens until it is told to stop, and then ends in order."""

import ipaddress
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import uvicorn

from simplicert.errors import InputError
from simplicert.serve.app import TIMEOUT, app_of
from simplicert.serve.connections import AT_ONCE, MOST, Connection, files_for
from simplicert.serve.desk import Desk
from simplicert.serve.hosts import OnlyAs
from simplicert.serve.metrics import Metrics
from simplicert.serve.service import SHIFT, Service
from simplicert.serve.shift import Log

__all__ = ["PLACES", "bound", "known_as", "serve"]

PLACES = 256
"""Inputs that may wait, where nothing else is said."""

_GRACE = 20


class _Server(uvicorn.Server):
    """Refuses who waits as soon as it is told to stop."""

    def __init__(self, config: uvicorn.Config, desk: Desk) -> None:
        super().__init__(config)
        self._desk = desk

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A signal came."""
        self._desk.closing = True
        super().handle_exit(sig, frame)


@contextmanager
def bound(host: str, port: int) -> Iterator[socket.socket]:
    """A socket of this address, had before anything takes long.

    Raises:
        InputError: It cannot be had, and why.
    """
    there = None
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        there = socket.socket(family, socket.SOCK_STREAM)
        there.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        there.bind((host, port))
    except (OSError, OverflowError) as error:
        if there is not None:
            there.close()
        raise _taken(host, port, error) from error
    with there:
        yield there


def _taken(host: str, port: int, error: Exception) -> InputError:
    why = getattr(error, "strerror", None) or error
    return InputError(
        f"cannot listen at {host}, port {port}: {why}. Choose another --port"
    )


def known_as(host: str, names: Sequence[str]) -> frozenset[str]:
    """By which names a service may be asked; empty: by any.

    One that is for this machine alone is asked by its own names. A page elsewhere whose
    name leads here for once (DNS rebinding) would read answers otherwise.

    Example:
        >>> sorted(known_as("127.0.0.1", ["models.test"]))
        ['127.0.0.1', 'localhost', 'models.test']
        >>> known_as("0.0.0.0", [])
        frozenset()
    """
    ours = {"localhost", host} if _is_here(host) else set()
    return frozenset(ours | {name.lower() for name in names})


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def serve(
    service: Service,
    there: socket.socket,
    *,
    folder: Path | None = None,
    inputs: bool = False,
    places: int = PLACES,
    size: int = SHIFT,
    timeout: float = TIMEOUT,
    names: Sequence[str] = (),
    said: Callable[[str], None] = print,
) -> None:
    """Serve until a signal says to stop; then all is answered or refused, and written.

    Args:
        service: What.
        there: Where.
        folder: Of the log, if there is to be one.
        inputs: Whether inputs are kept in it, too.
        places: Inputs that may wait at a time.
        size: Inputs of a shift.
        timeout: Seconds that a request may take.
        names: By which it may be asked, beside its address (``known_as``).
        said: Told where it listens.
    """
    sampler = service.sampler
    host, port = there.getsockname()[:2]
    with Log(
        folder,
        service.plan,
        inputs=inputs,
        size=size,
        probed=lambda dataset, plan: sampler.on(dataset).probe(plan),
    ) as log:
        metrics = Metrics(service)
        desk = Desk(
            service, log, places=places, patience=timeout / 2, told=metrics.told
        )
        app = app_of(service, desk, metrics, timeout=timeout, lifespan=desk.stop)
        config = uvicorn.Config(
            OnlyAs(app, known_as(host, names)),
            log_level="warning",
            access_log=False,
            http=Connection,
            limit_concurrency=files_for(MOST),
            backlog=AT_ONCE,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=_GRACE,
            server_header=False,
        )
        server = _Server(config, desk)
        try:  # two may have bound the same port before either listens
            there.listen(AT_ONCE)
        except OSError as error:
            raise _taken(host, port, error) from error
        desk.start()
        said(f"listening at http://{f'[{host}]' if ':' in host else host}:{port}")
        with suppress(KeyboardInterrupt):  # which it raises again when it has ended
            server.run([there])
        desk.stop()
        if desk.broken is not None:
            raise InputError(desk.broken)
