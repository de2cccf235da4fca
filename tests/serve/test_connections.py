"""Who may ask, by which name, and how many connections there are at a time."""

import asyncio
from types import SimpleNamespace
from unittest.mock import Mock

import httpx
import pytest
from served import asked, grey, ran, running

from simplicert.serve import connections
from simplicert.serve.connections import Connection, files_for
from simplicert.serve.hosts import OnlyAs
from simplicert.serve.listen import known_as


def asking(app, host):
    async def ask():
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport) as client:
            headers = [("Host", name) for name in host]
            request = client.build_request(
                **asked(grey(1.0)) | {"url": "http://here/certify"}, headers=headers
            )
            return await client.send(request)

    return ran(ask()).status_code


def test_a_page_elsewhere_cannot_ask_by_a_name_of_its_own(service):
    """As it could if its name led here for once, and its browser let it read then."""
    with running(service) as there:
        app = OnlyAs(there.app, known_as("127.0.0.1", ["models.test"]))
        for host in ("127.0.0.1:8000", "LOCALHOST", "models.test:443"):
            assert asking(app, [host]) == 200
        for host in (
            "evil.test",
            "evil.test:8000",
            "127.0.0.1.evil.test",
            "a@localhost",
        ):
            assert asking(app, [host]) == 421
        assert asking(app, ["localhost", "evil.test"]) == 421
        others = OnlyAs(there.app, known_as("0.0.0.0", []))
        assert asking(others, ["any.test"]) == 200


class Transport(asyncio.Transport):
    """One to nobody."""

    def __init__(self, left=0):
        super().__init__()
        self.left, self.ended = left, False

    def close(self):
        """Nothing is behind it."""

    def abort(self):
        self.ended = True

    def get_write_buffer_size(self):
        return self.left

    def get_extra_info(self, name, default=None):
        return {}.get(name, default)


@pytest.fixture
def connect(monkeypatch):
    """Connections of one server, of which the timer is ours."""
    import uvicorn
    from uvicorn.server import ServerState

    async def app(scope, receive, send):
        await asyncio.Event().wait()

    config = uvicorn.Config(app, limit_concurrency=4, http=Connection)
    config.load()
    state, timers = ServerState(), []
    loop = SimpleNamespace(
        call_later=lambda _, call: timers.append(call),
        create_task=lambda coroutine, **_: (coroutine.close(), Mock())[1],
    )

    def one(**given):
        made = Connection(config, state, {}, loop)
        transport = Transport(**given)
        made.connection_made(transport)
        return made, transport

    def look():
        due, timers[:] = [*timers], []
        for call in due:
            call()

    one.look = look
    return one


def test_there_are_so_many_connections_and_no_more(connect):
    made = [connect() for _ in range(5)]
    assert [transport.ended for _, transport in made] == [False] * 4 + [True]
    made[4][0].connection_lost(None)
    made[0][0].connection_lost(OSError())
    assert not connect()[1].ended


def test_whoever_neither_asks_nor_takes_an_answer_is_left(connect):
    (slow, its), (waits, ours), (_, full) = connect(), connect(), connect(left=9)
    slow.data_received(b"GET / HTTP/1.1\r\nHost: he")
    waits.data_received(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
    connect.look()
    assert (its.ended, ours.ended, full.ended) == (True, False, True)


@pytest.mark.parametrize(
    ("soft", "hard", "most", "then"),
    [
        (256, 4096, 1024, 1344),
        (256, 900, 580, 900),
        (100, 200, 100, 200),
        (9999, 9999, 1024, 9999),
    ],
)
def test_connections_leave_files_to_the_log(monkeypatch, soft, hard, most, then):
    resource = pytest.importorskip("resource")
    now = [(soft, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: now[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: now.append(limits))
    assert files_for(connections.MOST) == most
    assert now[-1] == (then, hard)
