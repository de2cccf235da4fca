"""Connections: so many at most, and none for whoever neither asks nor takes."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["AT_ONCE", "MOST", "Connection", "files_for"]

MOST = 1024
"""At a time."""

AT_ONCE = 128
"""That are accepted before the first of them is looked at."""

_FILES = 192 + AT_ONCE
"""That are open beside connections: the log's, the model's."""

_PATIENCE = 15.0
"""Seconds between two looks at a connection that stands still."""


def files_for(connections: int) -> int:
    """For how many of so many connections there are files, of which more are asked for.

    A connection is an open file, and whoever takes all leaves none to the log.
    """
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return connections
    wanted = connections + _FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return connections
    return min(connections, max(soft // 2, soft - _FILES))


class Connection(H11Protocol):
    """Ended where there are too many, or where nothing moves for some time.

    That is a request whose header does not come, or an answer that is not taken.
    """

    _seen: Any = None
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody has come."""
        if len(self.connections) >= (self.limit_concurrency or MOST):
            self.transport = transport
            transport.abort()
            return
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Somebody has left."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        left = self.transport.get_write_buffer_size()
        seen = (self.cycle, left)
        stands = left > 0 or self.conn.their_state is h11.IDLE
        if stands and seen == self._seen:
            self.transport.abort()
            return
        self._seen = seen
        self._timer = self.loop.call_later(_PATIENCE, self._look)
