"""A server that listens until it is told to stop, and then ends in order."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

import uvicorn

from simplicert.errors import InputError
from simplicert.serve.app import TIMEOUT, app_of
from simplicert.serve.desk import Desk
from simplicert.serve.metrics import Metrics
from simplicert.serve.service import SHIFT, Service
from simplicert.serve.shift import Log

__all__ = ["PLACES", "bound", "serve"]

PLACES = 256
"""Inputs that may wait, where nothing else is said."""

_CONNECTIONS = 1024
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
        why = getattr(error, "strerror", None) or error
        raise InputError(
            f"cannot listen at {host}, port {port}: {why}. Choose another --port"
        ) from error
    with there:
        yield there


def serve(
    service: Service,
    there: socket.socket,
    *,
    folder: Path | None = None,
    inputs: bool = False,
    places: int = PLACES,
    size: int = SHIFT,
    timeout: float = TIMEOUT,
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
        said: Told where it listens.
    """
    sampler = service.sampler
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
        config = uvicorn.Config(
            app_of(service, desk, metrics, timeout=timeout, lifespan=desk.stop),
            log_level="warning",
            access_log=False,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=_GRACE,
            server_header=False,
        )
        server = _Server(config, desk)
        there.listen(512)
        host, port = there.getsockname()[:2]
        desk.start()
        said(f"listening at http://{host}:{port}")
        with suppress(KeyboardInterrupt):  # which it raises again when it has ended
            server.run([there])
        desk.stop()
        if desk.broken is not None:
            raise InputError(desk.broken)
