"""The service notebook in containers: JupyterLab, and connections to the process that makes a run and to the desk.

All three share a network namespace, and with it the names of abstract Unix sockets (unix(7)). The maker of a run connects to the service
and stays connected until it ends. So the service knows how the run ended, even if its maker was killed, and needs no file that may be
stale. In the same way the desk knows when the service ends.
"""

import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ADDRESS, OPEN = "\0coldaisle-notebook", "\0coldaisle-notebook-open"
"""Sockets of the service: one for the maker of a run; one to which others stay connected for as long as the service runs."""
CALLED_S = 20.0
"""Time in which the service answers, in s."""
JUPYTER = (
    "jupyter", "lab", "--allow-root", "--no-browser", "--ip=0.0.0.0", "--port=8888",
    "--log-level=ERROR", "--LabApp.log_level=ERROR", "--ServerApp.root_dir=/lab", "--FileCheckpoints.checkpoint_dir=/tmp/checkpoints",
)  # fmt: skip
"""The owner of /runs may be root, who can do little more than other users in this container. The terminal of `docker compose up` is no
place for the requests of a browser, so only errors are logged."""
FIRST = "notebooks/1-first-look.ipynb"
REPORT = Path("report", "index.html")


@dataclass(frozen=True)
class Address:
    """Address of JupyterLab on the machine.

    Attributes:
        port: port on this machine's loopback address.
        token: JupyterLab's token.
    """

    port: str
    token: str

    def of(self, kind: str, path: str | Path) -> str:
        """Return the URL of a file below JupyterLab's root; ``kind`` is ``lab/tree`` to open it in the lab, ``files`` to view it alone."""
        return f"http://127.0.0.1:{self.port}/{kind}/{path}?token={self.token}"


def serve(address: Address) -> None:
    """Serve JupyterLab until it ends or a run has failed.

    Args:
        address: its address on the machine.
    """
    with _listening(ADDRESS) as listener, _listening(OPEN):
        jupyter = subprocess.Popen(JUPYTER, env={**os.environ, "JUPYTER_TOKEN": address.token})  # noqa: S603 - our own arguments
        _say(f"JupyterLab: {address.of('lab/tree', FIRST)}")
        try:
            while jupyter.poll() is None:
                if select.select([listener], [], [], 1.0)[0] and not _heard_out(listener, address):
                    return
        finally:
            jupyter.kill()  # it would take longer than Compose waits, and say so; it replaces the files that it saves
            jupyter.wait()
    sys.exit(jupyter.returncode)


def _listening(name: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(name)
    listener.listen()
    return listener


def _heard_out(listener: socket.socket, address: Address) -> bool:
    """Serve one connection until it is closed; tell whether its run was finished."""
    caller, _ = listener.accept()
    with caller, caller.makefile(encoding="utf-8") as lines:
        run = lines.readline().strip()
        if run:
            _say(f"report: {address.of('files', Path('runs', run, REPORT))}")
            _say(f"JupyterLab: {address.of('lab/tree', FIRST)}")
            _say(
                "both pages stay open until Ctrl-C; docker compose up notebook desk opens them again, docker compose down removes the containers"
            )
        else:
            _say("the run has failed, so JupyterLab ends, too; docker compose up notebook opens it by itself")
    return bool(run)


def say_desk(address: str) -> None:
    """Print the address of the desk."""
    _say(f"desk, a page to watch the run: {address}")


def _say(text: str) -> None:
    sys.stdout.write(f"coldaisle: {text}\n")
    sys.stdout.flush()


@contextmanager
def called() -> Iterator[Callable[[str], None]]:
    """Connect to the service for the duration of the block; closing the connection without a message means that the run failed.

    Yields:
        A function that reports that the run of a name is finished; without the service, messages are dropped.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        is_there = _connects(connection, ADDRESS)

        def finished(run: str) -> None:
            if is_there:
                connection.sendall(f"{run}\n".encode())

        yield finished


def when_it_ends(act: Callable[[], object]) -> None:
    """Call ``act`` once, in a thread, as soon as the service ends, or if it never answers."""

    def wait() -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, suppress(OSError):
            if _connects(connection, OPEN):
                connection.recv(1)  # nobody writes: it returns at the end
        act()

    threading.Thread(target=wait, daemon=True).start()


def _connects(connection: socket.socket, name: str) -> bool:
    """Connect to the service, which may still be starting; tell whether it answered in time."""
    until = time.monotonic() + CALLED_S
    while True:
        try:
            connection.connect(name)
        except ConnectionRefusedError:
            if time.monotonic() > until:
                return False
            time.sleep(0.1)
        else:
            return True
