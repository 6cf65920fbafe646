"""A scenario in which every variant of some kinds is played once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from coldaisle_contracts.scenario import BROKER, Scenario
from coldaisle_contracts.site_parameters import Site
from coldaisle_contracts.taxonomy import Kind

UNITS = tuple(Site().units)
"""The units of the published site, which the scenario runs."""
INTERVAL_S = 300
ENCRYPTED = {
    "broker": {"tls": "1.3"},
    "devices": [
        {
            "name": name,
            "address": unit.host.number,
            "client": f"{unit.stem}{{sensor}}",
            "tls": True,
            "fallback": True,
        }
        for name, unit in Site().units.items()
    ],
}
"""The same units with TLS, for kinds that need it; they fall back to plaintext."""
_READINGS = 4
_FIRST, _APART = 10, 10
"""First slot of an episode on a day, and the slots between two on the same target."""
_PER_DAY = 19
"""Episodes on one target that fit into a day."""


def site_for(kinds: Iterable[Kind]) -> dict[str, Any]:
    """Return the keys of a scenario that name a site on which kinds can be played: the published one, or one with TLS."""
    needs_tls = any(
        demand.key == "tls" and True in demand.values for kind in kinds for demand in kind.demands
    )
    return {"site": ENCRYPTED} if needs_tls else {}


def scenario(kinds: Iterable[Kind], seed: int = 11, days: int | None = None) -> Scenario:
    """Return a scenario with an episode of every variant of some kinds.

    Args:
        kinds: the kinds.
        seed: its seed.
        days: its length in whole days; by default as many as the episodes need, and the last one ends after them.
    """
    played = list(kinds)
    needed = days or 1 + sum(len(kind.variants) for kind in played) // _PER_DAY
    episodes = list(_laid_out(played, needed))
    return Scenario.model_validate(
        {
            "name": "obedience",
            "seed": seed,
            "first_day": "2026-03-02",
            "time_zone": "Europe/Madrid",
            "duration_h": 24 * days if days else _hours(episodes, needed),
            "interval_s": INTERVAL_S,
            "accounts": {"operator": "coolant-7"},
            **site_for(played),
            "episodes": episodes,
        }
    )


def _hours(episodes: Iterable[dict[str, Any]], days: int) -> int:
    """Return the length of a run that ends after its last episode, in h."""
    ends = [_slot(spec["start"]) + int(spec["readings"]) for spec in episodes if spec["day"] == days]
    return 24 * (days - 1) + -(-(max(ends) + _APART) * INTERVAL_S // 3600)


def _laid_out(kinds: Iterable[Kind], days: int) -> Iterator[dict[str, Any]]:
    """Yield an episode for every variant of every kind, on units and days in turn, at a distance from each other."""
    free: dict[tuple[str, int], int] = defaultdict(lambda: _FIRST)
    turn = 0
    for kind in kinds:
        for variant in kind.variants:
            turn += 1
            lane = BROKER if kind.target == BROKER else UNITS[turn % len(UNITS)]
            day = turn // len(UNITS) % days + 1
            readings = 1 if kind.brief else _READINGS
            slot = free[lane, day]
            free[lane, day] += readings + _APART
            yield {
                "kind": kind.name,
                "variant": variant,
                "day": day,
                "start": _start(slot),
                "readings": readings,
                **({"sensors": (1, 3)} if kind.picks_sensors else {}),
                **({} if lane == BROKER else {"unit": lane}),
            }


def _start(slot: int) -> str:
    minutes = slot * INTERVAL_S // 60
    return f"{minutes // 60:02d}:{minutes % 60:02d}:00"


def _slot(start: str) -> int:
    hours, minutes, _ = map(int, start.split(":"))
    return (hours * 60 + minutes) * 60 // INTERVAL_S
