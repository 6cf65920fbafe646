"""Actions: a run is started or stopped from the page, if that was allowed when the desk was started."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import parse_qs

from starlette.exceptions import HTTPException
from starlette.requests import Request

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.scenario import BROKER

Number = TypeVar("Number", int, float)
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

    def inject(self, run: Path, wish: Mapping[str, Any], day: int | None) -> str:
        """Put an episode into a run that is being played, and return a sentence on it.

        Args:
            run: the folder that the run has when it is finished.
            wish: keys of the episode, as in a scenario.
            day: the day, from 1; ``None`` where nobody names one.

        Raises:
            InputError: if it cannot be put in.
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


async def injected(player: Player, run: Path, fields: dict[str, str]) -> str:
    """Put the episode into a run that a form asks for, and return a sentence on it.

    Raises:
        InputError: if the form is not valid, or the episode cannot be put in.
    """
    kind = fields.get("kind", "")
    wish = {
        "kind": kind,
        "unit": None if kind in KINDS and KINDS[kind].target == BROKER else fields.get("unit"),
        "readings": _number(fields, "readings", int, "a whole number from 1 on"),
        "intensity": _number(fields, "intensity", float, "a number from 0 to 1"),
    }
    named = {key: value for key, value in wish.items() if value is not None}
    day = _number(fields, "day", int, "a whole number from 1 on")
    return await asyncio.to_thread(player.inject, run, named, day)


def _number(fields: Mapping[str, str], name: str, read: Callable[[str], Number], meant: str) -> Number | None:
    """Return the number in a field; ``None`` for an empty one."""
    text = fields.get(name, "").strip()
    try:
        return read(text) if text else None
    except ValueError as error:
        raise InputError(name, f"write {meant}", text) from error
