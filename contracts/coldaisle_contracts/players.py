"""The class that plays a kind, wherever it lies; as a program, the check that the classes of some kinds can be imported."""

import importlib
import sys
from functools import partial
from typing import Any

from coldaisle_contracts import unforeseen
from coldaisle_contracts.devices import DEVICES, DeviceKind
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.extensions import Origin, Table
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.taxonomy import Kind

CLASSES = {"injector": "Attack", "unit": "Anomaly"}
"""Name of the class that plays a kind, by actor."""
DEVICE = "Device"
"""Name of the class that plays a kind of companion."""


def player_of(kind: Kind) -> Any:
    """Return the class that plays a kind.

    Raises:
        InputError: if its module cannot be imported, or has no such class.
    """
    name = CLASSES[kind.actor]
    place = f"{kind.played_by}, which plays {kind.name}" + _of_package(KINDS, kind.name)
    return _class_in(kind.played_by, name, "script", place)


def player_of_device(kind: DeviceKind) -> Any:
    """Return the class that plays a kind of companion.

    Raises:
        InputError: if its module cannot be imported, or has no such class.
    """
    place = f"{kind.played_by}, which plays {kind.name}" + _of_package(DEVICES, kind.name)
    return _class_in(kind.played_by, DEVICE, "run_day", place)


def added(plan: Plan) -> dict[str, Origin]:
    """Return the origin of each kind of a plan, of episodes or of companions, that another package added."""
    return {
        **KINDS.added(episode.kind for episode in plan.episodes),
        **DEVICES.added(companion.kind for companion in plan.companions.values()),
    }


def _of_package(table: Table[Any], name: str) -> str:
    origin = table.added([name]).get(name)
    return f" of {origin.requirement}" if origin else ""


def _class_in(module_name: str, name: str, method: str, place: str) -> Any:
    """Return the class with a name and a method in a module of any package."""
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # a package's own code may raise anything
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise InputError(place, f"it cannot be imported ({reason}): mend it") from error
    player = getattr(module, name, None)
    if not callable(getattr(player, method, None)):
        raise InputError(place, f"it has no class {name} with a method {method}: see docs/extending.md")
    return player


def main(names: list[str]) -> None:
    """Find the class of each of these kinds, of episodes or of companions."""
    for name in names:
        if name in KINDS:
            player_of(KINDS[name])
        if name in DEVICES:
            player_of_device(DEVICES[name])


if __name__ == "__main__":
    unforeseen.run(partial(main, sys.argv[1:]))
