"""The whole catalogue as one scenario: every variant of every kind once, generated from the taxonomy."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario

UNITS = ("inrow-13", "inrow-15", "inrow-23", "inrow-25")
DAYS = 2


def _laid_out() -> Iterator[dict[str, Any]]:
    """Yield an episode for every variant of every kind, on units and days in turn, at a distance from each other."""
    free: dict[tuple[str, int], int] = defaultdict(lambda: 10)
    turn = 0
    for kind in KINDS.values():
        for variant in kind.variants:
            turn += 1
            lane = "broker" if kind.target == "broker" else UNITS[turn % len(UNITS)]
            day = turn // len(UNITS) % DAYS + 1
            readings = 1 if kind.brief else 4
            slot = free[lane, day]
            free[lane, day] += readings + 10
            clock = slot * 300
            spec = {
                "kind": kind.name,
                "variant": variant,
                "day": day,
                "start": f"{clock // 3600:02d}:{clock // 60 % 60:02d}:00",
                "readings": readings,
                **({"sensors": (1, 3)} if kind.picks_sensors else {}),
            }
            yield spec if lane == "broker" else spec | {"unit": lane}


def scenario(seed: int = 11) -> Scenario:
    """Return a scenario of two days with an episode of every variant of every kind."""
    return Scenario.model_validate(
        {
            "name": "obedience",
            "seed": seed,
            "first_day": "2026-03-02",
            "time_zone": "Europe/Madrid",
            "duration_h": 24 * DAYS,
            "accounts": {"operator": "coolant-7"},
            "episodes": list(_laid_out()),
        }
    )


PLAN = build_plan(scenario())
