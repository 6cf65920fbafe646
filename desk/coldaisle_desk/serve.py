"""Serving the desk on this machine's loopback address."""

import asyncio
import contextlib
import errno
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from coldaisle_contracts.clock import WallClock
from coldaisle_contracts.errors import InputError
from coldaisle_desk.acting import Player
from coldaisle_desk.app import application
from coldaisle_desk.desks import Desk
from coldaisle_desk.shelf import Shelf, is_run

ADDRESS = "127.0.0.1"
NICE = 10
"""Niceness: what plays a run comes first."""


def shelf_of(run: Path | None, runs: Path, is_held: Callable[[Path], bool]) -> Shelf:
    """Return the folder to show.

    Args:
        run: a run, finished or in the making, or a campaign; ``None`` for all in ``runs``.
        runs: folder of runs.
        is_held: tells whether a process works in a folder.

    Raises:
        InputError: if the run is none, or there is no such folder.
    """
    if run is None:
        if not runs.is_dir():
            raise InputError("--runs", "name a folder that exists", str(runs))
        return Shelf(runs.resolve(), "", is_held)
    final = run.absolute() if not run.is_symlink() else run.resolve()
    final = final.with_name(final.name.removeprefix("."))
    shelf = Shelf(final.parent, final.name, is_held)
    if shelf.campaign(final.name) is None and not any(
        is_run(folder) for folder in (final, final.with_name(f".{final.name}"))
    ):
        raise InputError(
            run, "it is neither a run nor a campaign: name its folder, or a folder of runs with --runs"
        )
    return shelf


def serve(
    shelf: Shelf,
    port: int,
    token: str,
    say: Callable[[str], None],
    player: Player | None = None,
    host: str = ADDRESS,
    shown: int = 0,
) -> None:
    """Serve the desk until it is interrupted.

    Args:
        shelf: the folder of runs.
        port: the port; 0 for a free one.
        token: the token; a new one where it is empty.
        say: called with the address.
        player: plays runs that the page asks for; ``None`` if it may not.
        host: address to listen on; another one only in a container, whose port Docker publishes on loopback.
        shown: the port at which a browser reaches it, where Docker publishes it as another one.

    Raises:
        InputError: if the port is in use.
    """
    with _listener(host, port) as listener:
        port, token = shown or listener.getsockname()[1], token or secrets.token_urlsafe(24)
        with contextlib.suppress(OSError):  # a system that does not let it be nice
            os.nice(NICE)
        desk = Desk(shelf, WallClock().now_ns, player)
        say(f"http://{ADDRESS}:{port}/?token={token}")
        config = uvicorn.Config(
            application(desk, token, port), log_level="error", access_log=False, lifespan="off"
        )
        asyncio.run(_until_stopped(_Server(config, desk), listener))


class _Server(uvicorn.Server):
    """A server whose streams end with it."""

    def __init__(self, config: uvicorn.Config, desk: Desk) -> None:
        super().__init__(config)
        self._desk = desk

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams, then all else."""
        self._desk.stop.set()
        await super().shutdown(sockets)


async def _until_stopped(server: uvicorn.Server, listener: socket.socket) -> None:
    await server.serve(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            remedy = f"it cannot be used ({error.strerror}): name another one, or 0 for any that is free"
            raise InputError("--port", remedy, port) from error
        raise
    return listener
