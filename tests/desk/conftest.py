"""Fixtures for tests of the desk: a finished run made by hand, and a desk that is served."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from tests.beside import Shared
from tests.testbed import made_finished

from coldaisle_desk.app import application
from coldaisle_desk.desks import Desk
from coldaisle_desk.serve import shelf_of

TOKEN = "of-the-tests"  # noqa: S105 - it opens nothing but a desk of the tests
NAME = 7
"""Number in the name of the cookie, which is elsewhere the port."""
Call = Callable[..., tuple[int, dict[str, str], str]]


@dataclass(frozen=True)
class Served:
    """A desk that is served.

    Attributes:
        port: its port.
        desk: what it shows.
    """

    port: int
    desk: Desk

    def ask(
        self, path: str, *, method: str = "GET", known: bool = True, body: str | None = None, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Ask for an address; return status, headers and text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        cookie = {"Cookie": f"coldaisle-desk-{NAME}={TOKEN}"} if known else {}
        try:
            connection.request(method, path, body, cookie | headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read().decode()
        finally:
            connection.close()

    def panel(self, run: str, name: str, query: str = "") -> str:
        """Return the HTML of a panel."""
        status, _, text = self.ask(f"/run/{run}/panel/{name}{query}")
        assert status == 200, text
        return text


@contextmanager
def serving(
    runs: Path, run: Path | None = None, held: Callable[[Path], bool] = lambda _: False
) -> Iterator[Served]:
    """Serve a desk within the block."""
    desk = Desk(shelf_of(run, runs, held), time.time_ns)
    config = uvicorn.Config(application(desk, TOKEN, NAME), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield Served(port, desk)
    finally:
        desk.stop.set()
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="session")
def finished(shared: Shared) -> Path:
    """A finished run made by hand, audited but without models. It is read only."""
    return shared.once("desk", made_finished.make)


@pytest.fixture(scope="session")
def served(finished: Path) -> Iterator[Served]:
    """A desk that shows the finished run."""
    with serving(finished.parent) as desk:
        yield desk
