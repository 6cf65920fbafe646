"""The stream of events: what has changed, at most once a second; the page then asks for what it shows."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

PAUSE_S = 1.0
"""Pause between two looks, in s, so at most one event a second."""
BEAT_S = 15.0
"""Time after which a stream without an event sends a comment, so that both sides notice a broken connection, in s."""
RETRY_MS = 1000
"""Time after which a browser connects again, in ms."""
Versions = dict[str, str]


def id_of(versions: Versions) -> str:
    """Return the id of an event: it follows from the versions alone, so it means the same to a server that was started again."""
    return hashlib.sha256(json.dumps(versions, sort_keys=True).encode()).hexdigest()[:16]


async def events(look: Callable[[], Versions], last_id: str, stop: asyncio.Event) -> AsyncIterator[str]:
    """Yield an event for each change, until the server stops.

    Args:
        look: returns the version of each source.
        last_id: id of the last event that the browser has; what it knows is not sent again.
        stop: set when the server stops.
    """
    quiet = 0.0
    yield f"retry: {RETRY_MS}\n\n"
    while not stop.is_set():
        versions = await run_in_threadpool(look)
        if (fresh := id_of(versions)) != last_id:
            last_id, quiet = fresh, 0.0
            yield f"id: {fresh}\ndata: {json.dumps(versions)}\n\n"
        elif quiet >= BEAT_S:
            quiet = 0.0
            yield ": still here\n\n"
        quiet += PAUSE_S
        try:
            await asyncio.wait_for(stop.wait(), PAUSE_S)
        except TimeoutError:
            continue


def response(look: Callable[[], Versions], last_id: str, stop: asyncio.Event) -> StreamingResponse:
    """Return the response of a stream."""
    headers = {"X-Accel-Buffering": "no"}
    return StreamingResponse(events(look, last_id, stop), media_type="text/event-stream", headers=headers)
