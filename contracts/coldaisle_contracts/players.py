"""The class that plays a kind, wherever it lies; as a program, the check that the classes of some kinds can be imported."""

import importlib
import sys
from functools import partial
from typing import Any

from coldaisle_contracts import unforeseen
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.taxonomy import Kind

CLASSES = {"injector": "Attack", "unit": "Anomaly"}
"""Name of the class that plays a kind, by actor."""


def player_of(kind: Kind) -> Any:
    """Return the class that plays a kind.

    Raises:
        InputError: if its module cannot be imported, or has no such class.
    """
    name = CLASSES[kind.actor]
    place = f"{kind.played_by}, which plays {kind.name}"
    if origin := KINDS.added([kind.name]).get(kind.name):
        place += f" of {origin.requirement}"
    try:
        module = importlib.import_module(kind.played_by)
    except (Exception, SystemExit) as error:  # a package's own code may raise anything
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise InputError(place, f"it cannot be imported ({reason}): mend it") from error
    player = getattr(module, name, None)
    if not callable(getattr(player, "script", None)):
        raise InputError(place, f"it has no class {name} with a method script: see docs/extending.md")
    return player


def main(names: list[str]) -> None:
    """Find the class of each of these kinds."""
    for name in names:
        player_of(KINDS[name])


if __name__ == "__main__":
    unforeseen.run(partial(main, sys.argv[1:]))
