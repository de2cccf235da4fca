"""A service at a URL: asked again where it was busy, by several connections at once."""

import queue
import random
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeAlias, TypeVar
from urllib.parse import SplitResult, urlsplit

from simplicert.errors import InputError

__all__ = ["TOKEN", "Answer", "Patience", "Service", "Together", "is_url", "plain_url"]

TOKEN = "SIMPLICERT_HTTP_TOKEN"
"""The environment variable with what a service wants as a bearer token."""

_BUSY = {429, 502, 503, 504}
_HERE = {"localhost", "127.0.0.1", "::1"}

T = TypeVar("T")
R = TypeVar("R")
_Jobs: TypeAlias = "queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]"


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a service that is busy or away is asked again.

    Attributes:
        retries: Most attempts after the first.
        first: Seconds before the first of them; each waits about twice as long.
        longest: Most seconds before one.
        total: Most seconds from the first attempt to the beginning of the last.
    """

    retries: int = 10
    first: float = 0.1
    longest: float = 30.0
    total: float = 300.0


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        status: 200, or what the caller says that it can use.
        headers: By their names, in any case.
        content: The body.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes


def is_url(text: str) -> bool:
    """Whether a model's name is meant as a URL.

    Example:
        >>> is_url("http://127.0.0.1:8000"), is_url("timm:resnet50")
        (True, False)
    """
    return "://" in text


def plain_url(text: str) -> str:
    """The URL without a slash at its end, if it can be stored and shown to anybody.

    Raises:
        InputError: It is no http or https URL, or has room for credentials.

    Example:
        >>> plain_url("http://127.0.0.1:8000/")
        'http://127.0.0.1:8000'
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise InputError(f"the URL of a model is broken: {error}") from error
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise InputError(
            f"the URL of a model at {host} has a user, a password or a query, and URLs "
            f"are stored and shown: leave it out, and put a token into {TOKEN}"
        )
    if parts.scheme not in {"http", "https"} or not host or port == 0:
        raise InputError(
            f"{text} is no service: expected http://HOST:PORT/PATH or https://…"
        )
    if not text.isprintable() or " " in text:
        raise InputError("the URL of a model has spaces or what cannot be printed")
    return parts.geturl().rstrip("/")


class Service:
    """A service that answers requests.

    Args:
        url: Checked by ``plain_url``.
        timeout: Most seconds from a request to the end of its answer.
        connections: Most at once.
        token: Sent as a bearer token, and never shown.

    Raises:
        InputError: httpx is not installed.
    """

    def __init__(
        self, url: str, *, timeout: float, connections: int, token: str | None
    ) -> None:
        try:
            import httpx  # noqa: PLC0415 (an extra)
        except ImportError as error:
            raise InputError(
                f"{url} needs httpx: pip install 'simplicert[http]'"
            ) from error
        self._httpx, self.url = httpx, url
        self._timeout, self._token = timeout, token
        host = urlsplit(url).hostname
        self.sends_token_in_the_clear = bool(token) and not (
            url.startswith("https:") or host in _HERE
        )
        headers = {"Accept-Encoding": "identity"}  # whose size is known
        if token:
            if not (token.isascii() and token.isprintable()):
                raise InputError(f"{TOKEN} holds what no header can")
            headers["Authorization"] = f"Bearer {token}"
        self._client = httpx.Client(
            headers=headers,
            timeout=httpx.Timeout(timeout, pool=None),
            limits=httpx.Limits(max_connections=connections),
            follow_redirects=False,  # to where the token would go, too
            trust_env=host not in _HERE,
        )
        self._random = random.Random()
        weakref.finalize(self, self._client.close)

    def ask(
        self,
        path: str,
        *,
        most: int,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        patience: Patience,
        usable: Sequence[int] = (200,),
        stop: threading.Event | None = None,
    ) -> Answer:
        """Get ``path``, or post ``content`` to it, again and again if need be.

        Args:
            path: Behind the URL.
            most: Bytes of the answer.
            content: What to post.
            headers: Of the request.
            patience: How often.
            usable: Statuses that are answers.
            stop: Set where nobody waits for the answer any more.

        Raises:
            InputError: It does not answer in time or in size, or refuses.
        """
        stop = stop or threading.Event()
        began, attempt = time.monotonic(), 0
        while True:
            attempt += 1
            try:
                answer = self._once(path, content, headers or {}, most)
                trouble = f"answered {answer.status}"
                if answer.status not in _BUSY:
                    return self._checked(answer, path, usable)
                delay = _asked_for(answer.headers)
            except self._httpx.TransportError as error:
                trouble, delay = self._trouble(error), None
            if delay is None:
                delay = min(patience.longest, patience.first * 2 ** (attempt - 1))
                delay *= self._random.uniform(0.5, 1.0)  # not all at the same time
            past = time.monotonic() - began
            often = f"{attempt} attempts in {past:.1f} s"
            if attempt > patience.retries:
                raise InputError(f"{self.url}{path} {trouble} after {often}")
            if past + delay > patience.total:
                raise InputError(
                    f"{self.url}{path} {trouble} after {often}, and the next would be "
                    f"in {delay:.0f} s, later than {patience.total:g} s in all"
                )
            if stop.wait(delay):
                raise InputError(f"{self.url}{path} is not asked any more")

    def _once(
        self, path: str, content: bytes | None, headers: Mapping[str, str], most: int
    ) -> Answer:
        began = time.monotonic()
        method = "GET" if content is None else "POST"
        body = bytearray()
        with self._client.stream(
            method, self.url + path, content=content, headers=dict(headers)
        ) as response:
            coding = response.headers.get("Content-Encoding", "identity")
            if coding != "identity":
                raise InputError(
                    f"{self.url}{path} answered in Content-Encoding {coding[:40]!r}, "
                    "which was not asked for"
                )
            for piece in response.iter_raw():
                body += piece
                if len(body) > most:
                    raise InputError(
                        f"{self.url}{path} answered more than {most:,} bytes, more "
                        "than such an answer can have"
                    )
                if time.monotonic() - began > self._timeout:
                    raise self._slow(path)
            return Answer(response.status_code, response.headers, bytes(body))

    def _trouble(self, error: Exception) -> str:
        """What to say of an error that may pass.

        Raises:
            InputError: It will not.
        """
        httpx = self._httpx
        if isinstance(error, httpx.TimeoutException) and not isinstance(
            error, httpx.ConnectTimeout
        ):
            raise self._slow("") from error
        cause: BaseException | None = error
        while cause is not None and not isinstance(cause, ssl.SSLError):
            cause = cause.__cause__ or cause.__context__
        text = str(error) or type(error).__name__
        if cause is not None or isinstance(
            error, httpx.UnsupportedProtocol | httpx.LocalProtocolError
        ):
            raise InputError(f"{self.url} cannot be reached: {text}") from error
        return f"cannot be reached ({text})"

    def _slow(self, path: str) -> InputError:
        return InputError(
            f"{self.url}{path} did not answer in {self._timeout:g} s: is it stuck? If "
            "it needs longer, give it fewer draws a pass (--batch), or say timeout=…"
        )

    def _checked(self, answer: Answer, path: str, usable: Sequence[int]) -> Answer:
        where, status = f"{self.url}{path}", answer.status
        if status in usable:
            return answer
        if 300 <= status < 400:
            to = _origin(urlsplit(answer.headers.get("Location", "")))
            raise InputError(
                f"{where} redirects{to}, and redirects are not followed: name the URL "
                "of the service itself"
            )
        if status in {401, 403}:
            cure = f"put a token into {TOKEN}"
            if self._token:
                cure = f"it does not take the token in {TOKEN}"
            raise InputError(f"{where} answered {status}: {cure}")
        if status == 413:
            raise InputError(
                f"{where} answered 413, too much at once: give it fewer draws a "
                "request, by max_batch in its metadata or --batch"
            )
        said = " ".join(answer.content[:300].decode("utf-8", "replace").split())
        if self._token:
            said = said.replace(self._token, "…")
        raise InputError(f"{where} answered {status}: {said!r}")


def _origin(parts: SplitResult) -> str:
    """Where a redirect leads to, without what may be secret."""
    return f" to {parts.scheme}://{parts.hostname}" if parts.hostname else ""


def _asked_for(headers: Mapping[str, str]) -> float | None:
    """Seconds of Retry-After, which may be a date."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


class Together:
    """Some threads for what waits for others most of the time.

    They end with it, and nothing waits for them where the process ends: one may hang.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._jobs: _Jobs = queue.SimpleQueue()
        self._lock, self._started = threading.Lock(), False

    def map(
        self, function: Callable[[T, threading.Event], R], items: Sequence[T]
    ) -> list[R]:
        """``function(item, stop)`` of each, in order; ``stop`` is set if one fails."""
        self._start()
        stop = threading.Event()
        futures: list[Future[R]] = []
        for item in items:
            future: Future[R] = Future()
            self._jobs.put((future, partial(function, item, stop)))
            futures.append(future)
        try:
            ended, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in ended:
                future.result()
            return [future.result() for future in futures]
        finally:
            stop.set()
            for future in futures:
                future.cancel()

    def _start(self) -> None:
        with self._lock:
            if self._started:
                return
            self._started = True
        for _ in range(self._threads):
            threading.Thread(target=_work, args=(self._jobs,), daemon=True).start()
            weakref.finalize(self, self._jobs.put, None)


def _work(jobs: _Jobs) -> None:
    while _do(jobs.get()):
        pass  # and nothing of a job is kept while the next is waited for


def _do(job: tuple[Future[Any], Callable[[], Any]] | None) -> bool:
    if job is None:
        return False
    future, call = job
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(call())
        except BaseException as error:  # noqa: BLE001 (whoever waits for it gets it)
            future.set_exception(error)
    return True
