"""Requests by a name that is not the service's are refused."""

from collections.abc import Collection

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["OnlyAs"]


class OnlyAs:
    """An application that is asked by these names alone.

    Args:
        app: Of whom.
        names: Without ports; empty: any.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        if scope["type"] == "http" and self._names:
            said = Headers(scope=scope).getlist("host")
            if len(said) != 1 or _without_port(said[0]) not in self._names:
                refused = JSONResponse(
                    {
                        "error": f"this service is not known as {said[0][:80]!r}: "
                        "ask it by its address, or start it with --hosts"
                        if said
                        else "the request has no Host"
                    },
                    421,
                    {"Connection": "close"},
                )
                await refused(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _without_port(host: str) -> str:
    """The name in a ``Host`` header.

    Example:
        >>> [_without_port(host) for host in ("LocalHost:8000", "[::1]:80", "a")]
        ['localhost', '::1', 'a']
    """
    name, colon, port = host.rpartition(":")
    bare = name if colon and port.isdecimal() else host
    return bare.strip("[]").lower()
