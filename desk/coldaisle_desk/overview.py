"""The pages over runs: the list, two runs compared, a campaign."""

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from coldaisle_desk import listing, stream
from coldaisle_desk.desks import desk_of
from coldaisle_desk.pages import page


def home(request: Request) -> Response:
    """Answer with the list of all runs, or lead to the one thing that is shown."""
    shelf = desk_of(request).shelf
    if shelf.only:
        kind = "campaign" if shelf.campaign(shelf.only) else "run"
        return RedirectResponse(f"{kind}/{shelf.only}/", 303)
    return page("home", up="", title="Runs", player=desk_of(request).player, **listing.context(shelf))


def list_panel(request: Request) -> Response:
    """Answer with the list alone."""
    return page("panels/list", up="", **listing.context(desk_of(request).shelf))


async def home_events(request: Request) -> Response:
    """Answer with the stream of the list."""
    desk = desk_of(request)
    last = request.headers.get("last-event-id", "")
    return stream.response(lambda: listing.version_of(listing.context(desk.shelf)), last, desk.stop)


def compare(request: Request) -> Response:
    """Answer with two runs side by side."""
    shelf = desk_of(request).shelf
    names = [request.query_params.get(key, "") for key in ("a", "b")]
    return page("compare", up="", title="Two runs compared", **listing.compared(shelf, names))


def campaign(request: Request) -> Response:
    """Answer with the page of a campaign."""
    name = request.path_params["name"]
    return page("campaign", up="../../", title=name, **_weeks(request))


def weeks_panel(request: Request) -> Response:
    """Answer with the weeks of a campaign alone."""
    return page("panels/weeks", up="../../", **_weeks(request))


def _weeks(request: Request) -> dict[str, object]:
    """Return the weeks of the campaign that a request names.

    Raises:
        HTTPException: if there is none.
    """
    shelf, name = desk_of(request).shelf, request.path_params["name"]
    campaign = shelf.campaign(name)
    if campaign is None:
        raise HTTPException(404, "No campaign has this name.")
    return listing.campaign(shelf, name, campaign)


async def campaign_events(request: Request) -> Response:
    """Answer with the stream of a campaign."""
    desk, last = desk_of(request), request.headers.get("last-event-id", "")
    await run_in_threadpool(_weeks, request)  # refuses a campaign that is none
    return stream.response(lambda: listing.version_of(_weeks(request)), last, desk.stop)
