"""Stuck sensors of units that a controller governs: they do not follow the set point either."""

from collections.abc import Iterable

from coldaisle_contracts.episodes import Episode

_STUCK = "stuck-sensor"


def frozen_at(episodes: Iterable[Episode], unit: str) -> dict[tuple[int, int], int]:
    """Return the slot whose temperature a stuck sensor of a unit shows, by slot and sensor of its reading."""
    stuck = [episode for episode in episodes if episode.kind == _STUCK and episode.unit == unit]
    return {(act.slot, act.sensor): episode.onset - 1 for episode in stuck for act in episode.acts}
