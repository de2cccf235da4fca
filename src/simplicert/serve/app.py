"""The HTTP side: requests in, answers out. Nothing here draws or certifies."""

import asyncio
import functools
import math
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from simplicert import __version__
from simplicert.errors import InputError
from simplicert.serve.answers import Answer, Answers, Conditions
from simplicert.serve.bodies import ARRAYS, IMAGES, JSON, Bodies, UnknownBodyError
from simplicert.serve.desk import ClosedError, Desk, FailedError, FullError, Waiting
from simplicert.serve.metrics import CONTENT_TYPE, Metrics
from simplicert.serve.page import render_page
from simplicert.serve.service import Service

__all__ = ["TIMEOUT", "Refusal", "app_of"]

TIMEOUT = 30.0
"""Seconds that a request may take."""

_BODIES_AT_ONCE = 16
"""Whose bytes are held at a time, of the largest; of small ones as many more."""

_STEP = 0.25
"""Seconds after which the first answers leave, where radii are hidden."""

_GONE = 499  # nginx's number; nobody reads it

ABOUT = (
    "Each answer is a certificate of the *smoothed* classifier: with probability at "
    "least 1 − alpha over the noise it has the class `predicted` on the whole open "
    "ball of `radius` around the input. It says nothing about whether the input was "
    "attacked or is like what the model knows, and nothing about the model without "
    "noise."
)


class Refusal(BaseModel):
    """Why there is no answer."""

    request: str = Field(description="By which the service's log knows it.")
    error: str = Field(description="What, where, why, and what to do.")


class Health(Conditions):
    """Whether the service answers."""

    ready: bool
    why: str | None = Field(default=None, description="Why it does not.")
    version: str


class _RefusedError(Exception):
    def __init__(
        self, status: int, error: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(error)
        self.status, self.error, self.headers = status, error, headers or {}


class _Room:
    """Bytes of bodies that are held, of all requests together."""

    def __init__(self, most: int) -> None:
        self._left = most

    @contextmanager
    def part(self) -> Iterator[Callable[[int], None]]:
        """What takes room for bytes of one body, until the block ends."""
        taken = 0

        def take(size: int) -> None:
            nonlocal taken
            if size > self._left:
                raise FullError("too many bodies come at a time: try later", seconds=5)
            self._left -= size
            taken += size

        try:
            yield take
        finally:
            self._left += taken


def app_of(
    service: Service,
    desk: Desk,
    metrics: Metrics,
    *,
    timeout: float = TIMEOUT,
    lifespan: Callable[[], None] | None = None,
) -> FastAPI:
    """The application.

    Args:
        service: What is served.
        desk: Where inputs wait; started and stopped by the caller.
        metrics: Counts.
        timeout: Seconds that a request may take.
        lifespan: Called when the server stops.
    """

    @asynccontextmanager
    async def living(_: FastAPI) -> AsyncIterator[None]:
        yield
        if lifespan is not None:
            await asyncio.to_thread(lifespan)

    app = FastAPI(
        title=f"Certified {service.plan.model.name}",
        description=ABOUT,
        version=__version__,
        docs_url=None,  # their pages fetch scripts from elsewhere
        redoc_url=None,
        lifespan=living,
    )
    room = _Room(_BODIES_AT_ONCE * service.bodies.most_bytes)
    rendered = functools.cache(partial(render_page, service))

    @app.post(
        "/certify",
        response_model=Answers,
        responses={
            status: {"model": Refusal, "description": said}
            for status, said in _REFUSALS.items()
        },
        openapi_extra={"requestBody": _request_body(service.bodies)},
    )
    async def certify(request: Request) -> Response:
        """The smoothed classifier's class of each input, and its certified radius."""
        name, began = uuid.uuid4().hex, time.monotonic()
        try:
            answer = await _certify(
                request, name, service, desk, room, until=began + timeout
            )
        except _RefusedError as refused:
            outcome = "gone" if refused.status == _GONE else str(refused.status)
            metrics.ended(outcome, time.monotonic() - began)
            said = Refusal(request=name, error=refused.error)
            return JSONResponse(
                said.model_dump(),
                refused.status,
                {"Connection": "close", **refused.headers},
            )
        if service.hide:
            passed = time.monotonic() - began
            await asyncio.sleep(full_step(passed) - passed)
        metrics.ended("200", time.monotonic() - began)
        told = Answer.DECISION if service.hide else None
        return JSONResponse(answer.model_dump(include=_told(answer, told)))

    @app.get("/healthz", response_model=Health, response_model_exclude_none=True)
    async def healthz() -> Response:
        """Whether inputs are answered; 503 where not."""
        why = desk.broken or ("it is being stopped" if desk.closing else None)
        health = Health(
            ready=why is None, why=why, version=__version__, **service.conditions()
        )
        return JSONResponse(
            health.model_dump(exclude_none=True), 503 if why is not None else 200
        )

    @app.get("/metrics", include_in_schema=False)
    async def numbers() -> Response:
        return Response(metrics.text(desk), media_type=CONTENT_TYPE)

    @app.get("/", include_in_schema=False)
    async def front() -> Response:
        page, policy = await asyncio.to_thread(rendered)
        return Response(
            page,
            media_type="text/html; charset=utf-8",
            headers={"Content-Security-Policy": policy, "X-Frame-Options": "DENY"},
        )

    return app


def full_step(seconds: float) -> float:
    """When an answer leaves that is ready after so long, where radii are hidden.

    How long it took tells how many draws it needed, and these tell how clear it was. So
    answers leave after one of a few times, each twice the one before.

    Example:
        >>> [full_step(seconds) for seconds in (0.01, 0.2, 0.3, 3.0)]
        [0.25, 0.25, 0.5, 4.0]
    """
    return float(
        _STEP * 2.0 ** max(0, math.ceil(math.log2(max(seconds, _STEP) / _STEP)))
    )


def _told(answers: Answers, fields: frozenset[str] | None) -> Any:
    """What is left in of answers, as pydantic has it."""
    if fields is None:
        return None
    whole: dict[str, Any] = dict.fromkeys(type(answers).model_fields, True)
    return whole | {"answers": {"__all__": set(fields)}}


_REFUSALS = {
    408: "The body did not come in time.",
    413: "The body is too large.",
    415: "The body is of a kind that is not read.",
    422: "The body is not such inputs; says what it is.",
    500: "The model failed at an input.",
    503: "There is no place now, or the service stops: see Retry-After.",
    504: "There was no time for all draws. Those made are in the log.",
}


async def _certify(
    request: Request,
    name: str,
    service: Service,
    desk: Desk,
    room: _Room,
    *,
    until: float,
) -> Answers:
    try:
        desk.check_open()
        with room.part() as part:
            async with asyncio.timeout_at(_at(until)):
                content = await _body(request, part, most=service.bodies.most_bytes)
                kind = request.headers.get("content-type", "")
                inputs = await asyncio.to_thread(service.bodies.read, content, kind)
            del content
        waiting = desk.submit(list(inputs), name)
    except TimeoutError:
        raise _RefusedError(408, "the body did not come in time") from None
    except UnknownBodyError as error:
        raise _RefusedError(415, str(error)) from None
    except (ClosedError, FullError) as error:
        raise _busy(error) from None
    except InputError as error:
        raise _RefusedError(422, str(error)) from None
    return await _answers(request, name, service, waiting, until=until)


async def _answers(
    request: Request,
    name: str,
    service: Service,
    waiting: list[Waiting],
    *,
    until: float,
) -> Answers:
    """Wait for all answers, as long as somebody wants them."""
    together = asyncio.gather(*(asyncio.wrap_future(each.answer) for each in waiting))
    together.add_done_callback(_seen)
    left = asyncio.ensure_future(_left(request))
    why = "gone"
    try:
        done, _ = await asyncio.wait(
            (together, left),
            timeout=until - time.monotonic(),
            return_when=asyncio.FIRST_COMPLETED,
        )
        if together in done:
            return Answers(
                request=name, answers=together.result(), **service.conditions()
            )
        if left in done:
            raise _RefusedError(_GONE, "nobody waits any more")
        why = "late"
        raise _RefusedError(
            504,
            "there was no time for all draws: send fewer inputs at once, or try again "
            "later",
        )
    except (ClosedError, FullError) as error:
        raise _busy(error) from None
    except FailedError as error:
        raise _RefusedError(500, str(error)) from None
    finally:
        left.cancel()
        for each in waiting:
            each.give_up(why)
        together.cancel()


def _seen(future: asyncio.Future[Any]) -> None:
    """Of whoever has left, nobody looks at the error."""
    if not future.cancelled():
        future.exception()


def _busy(error: ClosedError | FullError) -> _RefusedError:
    seconds = error.seconds if isinstance(error, FullError) else 5.0
    after = {"Retry-After": str(math.ceil(seconds))}
    return _RefusedError(503, str(error), headers=after)


def _at(until: float) -> float:
    return asyncio.get_running_loop().time() + until - time.monotonic()


async def _body(request: Request, take: Callable[[int], None], *, most: int) -> bytes:
    """What was sent, of which no more is read than is allowed.

    Raises:
        _RefusedError: It is larger; or its sender has left.
    """
    too_large = _RefusedError(
        413, f"a body has at most {most:,} bytes here: send fewer inputs at once"
    )
    said = request.headers.get("content-length", "0")
    if not said.isdecimal() or len(said) > 18 or int(said) > most:
        raise too_large
    content = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise _RefusedError(_GONE, "nobody waits any more")
        part = message.get("body", b"")
        if len(content) + len(part) > most:
            raise too_large
        take(len(part))
        content += part
        if not message.get("more_body", False):
            return bytes(content)


async def _left(request: Request) -> None:
    """Return when whoever sent the request has left."""
    receive: Callable[[], Awaitable[Any]] = request.receive
    while (await receive())["type"] != "http.disconnect":
        pass


def _request_body(bodies: Bodies) -> dict[str, Any]:
    """What ``/certify`` takes, for OpenAPI."""
    shape = bodies.like.shape
    array = f"nested lists of shape {shape}"
    fields = {
        "input": {"type": "array", "description": f"One input: {array}.", "items": {}},
        "inputs": {
            "type": "array",
            "description": f"1 to {bodies.most} inputs, each {array}.",
            "items": {},
        },
    }
    examples: dict[str, Any] = {}
    value: Any = 0.5
    for size in reversed(shape):
        value = [value] * min(size, 4)
    examples["one input (cut short here)"] = {"value": {"input": value}}
    if bodies.takes_images:
        fields["image"] = {
            "type": "string",
            "format": "byte",
            "description": "One PNG or JPEG in base64.",
        }
        fields["images"] = {
            "type": "array",
            "description": f"1 to {bodies.most} of them.",
            "items": {"type": "string", "format": "byte"},
        }
        examples["one image"] = {"value": {"image": "iVBORw0KGgo…"}}
    schema = {
        "type": "object",
        "properties": fields,
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
    binary = {"schema": {"type": "string", "format": "binary"}}
    content: dict[str, Any] = {JSON: {"schema": schema, "examples": examples}}
    content |= {kind: binary for kind in (ARRAYS, *IMAGES) if kind in bodies.kinds}
    return {"required": True, "content": content}
