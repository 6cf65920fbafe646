"""What is remembered between two requests: the folder that is shown, and the runs that were asked for."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.requests import Request

from coldaisle_desk.acting import Player
from coldaisle_desk.matching import Matched
from coldaisle_desk.shelf import Shelf
from coldaisle_desk.watched import Watched

_MOST_WATCHED = 8
"""Most runs that are kept in memory; the one asked for longest ago is forgotten."""


@dataclass
class Desk:
    """What the pages show, and what is remembered between two requests.

    Attributes:
        shelf: the folder of the runs.
        wall_ns: returns the time, in ns since the epoch.
        stop: set when the server stops; the streams then end.
        player: plays runs; ``None`` where that is not allowed.
        watched: the runs that were asked for, the latest last, each with its matched alarms.
    """

    shelf: Shelf
    wall_ns: Callable[[], int]
    player: Player | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    watched: dict[str, tuple[Watched, dict[str, Matched]]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, name: str) -> tuple[Watched, dict[str, Matched]]:
        """Return the run of a name, looked into just now.

        Raises:
            HTTPException: if no run can have this name.
        """
        place = self.shelf.place(name)
        if place is None:
            raise HTTPException(404, "No run has this name.")
        with self._lock:  # requests are answered by threads
            entry = self.watched.pop(name, None) or (Watched(place, self.shelf.is_held, self.wall_ns), {})
            self.watched[name] = entry
            for old in list(self.watched)[:-_MOST_WATCHED]:
                del self.watched[old]
        entry[0].look()
        return entry


def desk_of(request: Request) -> Desk:
    """Return the desk that a request is for."""
    desk: Desk = request.app.state.desk
    return desk
