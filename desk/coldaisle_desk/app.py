"""The application: which address answers what."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from coldaisle_contracts.errors import InputError
from coldaisle_desk import acting, files, listing, stream
from coldaisle_desk.access import Guard
from coldaisle_desk.alarms import LIVE, judged
from coldaisle_desk.matching import Matched
from coldaisle_desk.pages import STATIC, page
from coldaisle_desk.panels import PANELS, sensors
from coldaisle_desk.shelf import Shelf
from coldaisle_desk.view import View
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
    player: acting.Player | None = None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    watched: dict[str, tuple[Watched, dict[str, Matched]]] = field(default_factory=dict)

    def run(self, name: str) -> tuple[Watched, dict[str, Matched]]:
        """Return the run of a name, looked into just now.

        Raises:
            HTTPException: if no run can have this name.
        """
        place = self.shelf.place(name)
        if place is None:
            raise HTTPException(404, "No run has this name.")
        entry = self.watched.pop(name, None) or (Watched(place, self.shelf.is_held, self.wall_ns), {})
        self.watched[name] = entry
        for old in list(self.watched)[:-_MOST_WATCHED]:
            del self.watched[old]
        entry[0].look()
        return entry


def application(desk: Desk, token: str, port: int) -> Starlette:
    """Return the application.

    Args:
        desk: what it shows.
        token: the token that callers need.
        port: the port it is served on.
    """
    app = Starlette(
        routes=[
            Route("/", _home),
            Route("/events", _home_events),
            Route("/panel/list", _list),
            Route("/compare", _compare),
            Route("/campaign/{name}/", _campaign),
            Route("/run/{name}/", _run),
            Route("/run/{name}/events", _run_events),
            Route("/run/{name}/panel/{panel}", _panel),
            Route("/run/{name}/sensors.json", _sensors),
            Route("/run/{name}/file/{path:path}", _file),
            Route("/play/start", _start, methods=["POST"]),
            Route("/play/stop", _stop, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, token=token, port=port)],
        exception_handlers={HTTPException: _failed, InputError: _refused},
    )
    app.state.desk = desk
    return app


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these
    depth = max(0, request.url.path.count("/") - 1)
    return page("failed", error.status_code, up="../" * depth, sentence=error.detail)


def _refused(request: Request, error: Exception) -> Response:
    return _failed(request, HTTPException(400, str(error)))


def _home(request: Request) -> Response:
    shelf = _desk(request).shelf
    if shelf.only:
        kind = "campaign" if shelf.campaign(shelf.only) else "run"
        return RedirectResponse(f"{kind}/{shelf.only}/", 303)
    return page("home", up="", title="Runs", player=_desk(request).player, **listing.context(shelf))


def _list(request: Request) -> Response:
    return page("panels/list", up="", **listing.context(_desk(request).shelf))


async def _home_events(request: Request) -> Response:
    desk = _desk(request)
    last = request.headers.get("last-event-id", "")
    return stream.response(lambda: listing.versions(desk.shelf), last, desk.stop)


def _compare(request: Request) -> Response:
    shelf = _desk(request).shelf
    names = [request.query_params.get(key, "") for key in ("a", "b")]
    return page("compare", up="", title="Two runs compared", **listing.compared(shelf, names))


def _campaign(request: Request) -> Response:
    shelf, name = _desk(request).shelf, request.path_params["name"]
    campaign = shelf.campaign(name)
    if campaign is None:
        raise HTTPException(404, "No campaign has this name.")
    return page(
        "campaign", up="../../", title=name, only=shelf.only, **listing.campaign(shelf, name, campaign)
    )


def _run(request: Request) -> Response:
    desk, name = _desk(request), request.path_params["name"]
    place = desk.shelf.place(name)
    if place is None:
        raise HTTPException(404, "No run has this name.")
    return page("run", up="../../", title=name, only=desk.shelf.only, panels=PANELS)


async def _run_events(request: Request) -> Response:
    desk, name = _desk(request), request.path_params["name"]
    if desk.shelf.place(name) is None:
        raise HTTPException(404, "No run has this name.")

    def look() -> stream.Versions:
        run, _ = desk.run(name)
        with run.lock:
            return run.versions

    return stream.response(look, request.headers.get("last-event-id", ""), desk.stop)


def _panel(request: Request) -> Response:
    run, matched = _desk(request).run(request.path_params["name"])
    panel = PANELS.get(request.path_params["panel"])
    if panel is None:
        raise HTTPException(404, "No panel has this name.")
    with run.lock:
        if run.plan is None:
            return page("panels/waiting", problem=run.problem)
        view = _view(request, run, matched)
        player = _desk(request).player
        stoppable = player is not None and player.playing == run.place.name
        return page(f"panels/{panel.name}", view=view, stoppable=stoppable, **panel.context(view))


def _sensors(request: Request) -> Response:
    run, matched = _desk(request).run(request.path_params["name"])
    with run.lock:
        if run.plan is None:
            return sensors.nothing()
        return sensors.answer(_view(request, run, matched))


def _view(request: Request, run: Watched, matched: dict[str, Matched]) -> View:
    """Return the moment that a request asks for; what cannot be read in it counts as left out."""
    asked = request.query_params
    at, day, source = (asked.get(key, "") for key in ("at", "day", "source"))
    assert run.plan is not None  # noqa: S101 - asked for before
    share = float(at) / 1000 if at.isdecimal() and len(at) < 5 else None  # noqa: PLR2004 - per mille
    at_ns = None if share is None else run.start_ns + round((run.end_ns - run.start_ns) * min(1, share))
    known = {LIVE, *(judged(run.analysis) if run.analysis else ())}
    number = int(day) if day.isdecimal() and len(day) < 6 and int(day) else None  # noqa: PLR2004
    return View(run, run.plan, matched, source if source in known else LIVE, at_ns, number)


def _file(request: Request) -> Response:
    run, _ = _desk(request).run(request.path_params["name"])
    if run.folder is None:
        raise HTTPException(404, "This run is not there.")
    return files.answer(run.folder, Path(request.path_params["path"]), request.url.path)


async def _start(request: Request) -> Response:
    desk = _desk(request)
    name = await acting.started(_player(desk), desk.shelf.folder, await acting.form(request))
    return RedirectResponse(f"../run/{name}/", 303)


async def _stop(request: Request) -> Response:
    player = _player(_desk(request))
    name = player.playing
    player.stop()
    return RedirectResponse(f"../run/{name}/" if name else "../", 303)


def _player(desk: Desk) -> acting.Player:
    """Return what plays runs.

    Raises:
        HTTPException: if the desk only shows them.
    """
    if desk.player is None:
        raise HTTPException(403, "This desk only shows runs: `coldaisle desk --allow-play` also plays them.")
    return desk.player
