"""The application: which address answers what."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_desk import acting, files, overview, stream
from coldaisle_desk.access import Guard
from coldaisle_desk.alarms import LIVE, judged
from coldaisle_desk.desks import Desk, desk_of
from coldaisle_desk.faults import Sentences, answer
from coldaisle_desk.matching import Matched
from coldaisle_desk.pages import STATIC, page
from coldaisle_desk.panels import PANELS, sensors
from coldaisle_desk.view import View
from coldaisle_desk.watched import Watched

EMPTY: Mapping[str, str] = MappingProxyType({})
"""The fields of a form that nobody has sent."""


def application(desk: Desk, token: str, port: int) -> Starlette:
    """Return the application.

    Args:
        desk: what it shows.
        token: the token that callers need.
        port: the port it is served on.
    """
    app = Starlette(
        routes=[
            Route("/", overview.home),
            Route("/events", overview.home_events),
            Route("/panel/list", overview.list_panel),
            Route("/compare", overview.compare),
            Route("/campaign/{name}/", overview.campaign),
            Route("/campaign/{name}/events", overview.campaign_events),
            Route("/campaign/{name}/panel/weeks", overview.weeks_panel),
            Route("/run/{name}/", _run),
            Route("/run/{name}/events", _run_events),
            Route("/run/{name}/panel/{panel}", _panel),
            Route("/run/{name}/sensors.json", _sensors),
            Route("/run/{name}/file/{path:path}", _file),
            Route("/run/{name}/inject", _injection),
            Route("/run/{name}/inject", _inject, methods=["POST"]),
            Route("/play/start", _start, methods=["POST"]),
            Route("/play/stop", _stop, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Guard, token=token, port=port), Middleware(Sentences)],
        exception_handlers={HTTPException: _failed, InputError: _refused},
    )
    app.state.desk = desk
    return app


def _failed(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these
    return answer(request, error.status_code, error.detail)


def _refused(request: Request, error: Exception) -> Response:
    return _failed(request, HTTPException(400, str(error)))


def _run(request: Request) -> Response:
    desk, name = desk_of(request), request.path_params["name"]
    place = desk.shelf.place(name)
    if place is None:
        raise HTTPException(404, "No run has this name.")
    playable = desk.player is not None
    return page("run", up="../../", title=name, only=desk.shelf.only, panels=PANELS, playable=playable)


async def _run_events(request: Request) -> Response:
    desk, name = desk_of(request), request.path_params["name"]
    if desk.shelf.place(name) is None:
        raise HTTPException(404, "No run has this name.")

    def look() -> stream.Versions:
        run, _ = desk.run(name)
        with run.lock:
            return run.versions

    return stream.response(look, request.headers.get("last-event-id", ""), desk.stop)


def _panel(request: Request) -> Response:
    run, matched = desk_of(request).run(request.path_params["name"])
    panel = PANELS.get(request.path_params["panel"])
    if panel is None:
        raise HTTPException(404, "No panel has this name.")
    with run.lock:
        if run.plan is None:
            return page("panels/waiting", problem=run.problem)
        view = _view(request, run, matched)
        player = desk_of(request).player
        stoppable = player is not None and player.playing == run.place.name
        return page(f"panels/{panel.name}", view=view, stoppable=stoppable, **panel.context(view))


def _sensors(request: Request) -> Response:
    run, matched = desk_of(request).run(request.path_params["name"])
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
    run, _ = desk_of(request).run(request.path_params["name"])
    if run.folder is None:
        raise HTTPException(404, "This run is not there.")
    return files.answer(run.folder, Path(request.path_params["path"]), request.url.path)


async def _start(request: Request) -> Response:
    desk = desk_of(request)
    name = await acting.started(_player(desk), desk.shelf.folder, await acting.form(request))
    return RedirectResponse(f"../run/{name}/", 303)


def _injection(
    request: Request, status: int = 200, sentence: str = "", fields: Mapping[str, str] = EMPTY
) -> Response:
    """Answer with the form for an episode, and what became of the last one; the form is empty while the run takes none."""
    run, _ = desk_of(request).run(request.path_params["name"])
    with run.lock:
        plan = run.plan if run.takes_episodes else None
        return page("inject", status, plan=plan, kinds=KINDS, sentence=sentence, fields=fields)


async def _inject(request: Request) -> Response:
    desk = desk_of(request)
    player, place = _player(desk), desk.shelf.place(request.path_params["name"])
    if place is None:
        raise HTTPException(404, "No run has this name.")
    fields = await acting.form(request)
    try:
        status, sentence = 200, await acting.injected(player, place.final, fields)
    except InputError as error:
        status, sentence = 400, str(error)
    return await run_in_threadpool(_injection, request, status, sentence, fields)


async def _stop(request: Request) -> Response:
    player = _player(desk_of(request))
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
