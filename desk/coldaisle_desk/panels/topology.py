"""The network as the plan lays it out, and who is on the path at the moment."""

from typing import Any

from coldaisle_contracts.addressing import BROKER, INJECTOR
from coldaisle_contracts.plan import Episode
from coldaisle_desk.view import View

_MOST_UNITS = 16
"""Most units that are drawn."""


def context(view: View) -> dict[str, Any]:
    """Return the values of the panel."""
    active = _active(view)
    names = view.plan.scenario.units
    units = [_unit(view, name, place, active) for place, name in enumerate(names[:_MOST_UNITS])]
    on_path = [episode for episode in active if episode.row.on_path]
    return {
        "units": units,
        "left_out": max(0, len(names) - _MOST_UNITS),
        "height": 40 + 62 * len(units),
        "broker": BROKER,
        "injector": INJECTOR,
        "active": active,
        "on_path": {episode.unit for episode in on_path},
        "direct": [
            episode for episode in active if episode.row.actor == "injector" and not episode.row.on_path
        ],
    }


def _active(view: View) -> list[Episode]:
    """Return the episodes that are under way at the moment: that have begun to be prepared, and whose actor has not left."""
    active = []
    for episode in view.plan.episodes:
        phases = view.run.record.phases.get(episode.id, {})
        begun = [at for at in phases.values() if at <= view.until_ns]
        last = phases.get("off_path") if "on_path" in phases or "approach" in phases else phases.get("end")
        over = last is not None and last <= view.until_ns
        if begun and not over and (view.is_replay or view.run.is_live):
            active.append(episode)
    return active


def _unit(view: View, name: str, place: int, active: list[Episode]) -> dict[str, Any]:
    names = view.run.record.names.get(name) or set(view.plan.units[name].clients)
    mine = [episode for episode in active if episode.unit == name]
    return {
        "name": name,
        "ip": view.plan.units[name].host.ip,
        "mac": view.plan.units[name].host.mac,
        "y": 20 + 62 * place,
        "clients": ", ".join(sorted(names)[:6]),
        "episodes": mine,
    }
