"""Actions: a run is started or stopped from the page, if that was allowed when the desk was started."""

import asyncio
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

_MOST = 4096
"""Greatest length of what a form sends, in bytes."""


class Player(Protocol):
    """What plays a run: the testbed."""

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Names of the scenarios that can be played."""
        ...

    @property
    def playing(self) -> str:
        """Name of the run that is being made; empty for none."""
        ...

    @property
    def ending(self) -> str:
        """How the last run ended, in a sentence; empty where it ended well, or there was none."""
        ...

    def start(self, runs: Path, scenario: str, seed: int | None) -> str:
        """Begin to make a run in a folder, and return its name.

        Raises:
            InputError: if it cannot be made.
        """
        ...

    def stop(self) -> None:
        """End the run that is being made and clean up."""
        ...


async def form(request: Request) -> dict[str, str]:
    """Return the fields that a form sent.

    Raises:
        HTTPException: if they are too long, or no form.
    """
    sent = b""
    async for part in request.stream():
        sent += part
        if len(sent) > _MOST:
            raise HTTPException(413, "The form is too long.")
    try:
        return {key: values[-1] for key, values in parse_qs(sent.decode()).items()}
    except ValueError as error:
        raise HTTPException(400, "This is no form.") from error


async def started(player: Player, runs: Path, fields: dict[str, str]) -> str:
    """Begin to make the run that a form asks for, and return its name.

    Raises:
        HTTPException: if the form is not valid.
        InputError: if the run cannot be made.
    """
    scenario, seed = fields.get("scenario", ""), fields.get("seed", "").strip()
    if scenario not in player.scenarios:
        raise HTTPException(400, "Choose one of the scenarios.")
    if seed and not (seed.isascii() and seed.isdecimal() and len(seed) < 10):  # noqa: PLR2004 - as a campaign's seeds
        raise HTTPException(400, "Write the seed as a whole number from 0 on.")
    return await asyncio.to_thread(player.start, runs, scenario, int(seed) if seed else None)
