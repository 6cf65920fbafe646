"""What readings so close together leave room for: named parameters beyond it are refused, drawn ones cut; pure."""

import math

from coldaisle_contracts.acts import ROOM_S, span_s
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.scenario import EpisodeSpec, Scenario

SLACK_S = 5.0
"""What an act does before and after it waits takes no longer than this, s."""


def room_s(scenario: Scenario) -> float:
    """Return how long what is done between two readings may take, s."""
    return scenario.interval_s - ROOM_S - 1


def limits(scenario: Scenario, kind: str) -> dict[str, tuple[float, float]]:
    """Return the least and most of those parameters of a kind that the interval bounds."""
    interval, room = scenario.interval_s, room_s(scenario) - SLACK_S
    special = {
        "slow-denial": {"keepalive_s": (0.0, float(int(room / 1.5)))},  # the broker waits half as long again
        "clock-step": {"size": (-interval / 4, interval / 4)},
        "firmware": {"keepalive_s": (interval + 1, math.inf)},  # no PINGREQ is due
        "delay": {"delay_s": (0.0, 2 * interval - SLACK_S)},
    }
    own = {row.name for row in KINDS[kind].parameters}
    waits = {name: (0.0, room) for name in ("hold_s", "outage_s") if name in own}
    return waits | special.get(kind, {})


def fitted(scenario: Scenario, spec: EpisodeSpec, parameters: dict[str, float]) -> dict[str, float]:
    """Return an episode's parameters with those that were drawn cut to what the interval leaves room for."""
    bounds = {name: each for name, each in limits(scenario, spec.kind).items() if name not in spec.named}
    return parameters | {
        name: min(max(parameters[name], least), most)
        for name, (least, most) in bounds.items()
        if name in parameters
    }


def refuse_haste(scenario: Scenario, kind: str, key: str) -> None:
    """Refuse a kind that cannot be played at all between readings so close together."""
    for row in KINDS[kind].parameters:
        if limits(scenario, kind).get(row.name, (0.0, math.inf))[1] < row.least:
            remedy = (
                f"needs a longer interval_s than {scenario.interval_s:g}: lengthen it, or leave the kind out"
            )
            raise InputError(key, remedy, kind)


def refuse_crowd(scenario: Scenario, spec: EpisodeSpec, place: str) -> None:
    """Refuse what would not be over before the next reading, or reaches further than its kind allows."""
    for name, (least, most) in limits(scenario, spec.kind).items():
        value = spec.named.get(name, least)
        if not least <= value <= most:
            fault = f"at most {most:g}" if value > most else f"at least {least:g}"
            raise InputError(
                f"{place}.{name}", f"for readings every {scenario.interval_s:g} s give {fault}", value
            )
    _refuse_spread(scenario, spec, place)
    _refuse_flood(scenario, spec, place)


def _refuse_spread(scenario: Scenario, spec: EpisodeSpec, place: str) -> None:
    """Refuse copies of a burst so far apart that the last ones would come after the next reading."""
    if "gap_s" not in spec.named:
        return
    count, room = round(_worst(spec)["count"]), room_s(scenario)
    if (count - 1) * spec.named["gap_s"] > room:
        most = f"at most {room / (count - 1):.3g} s"
        remedy = f"{count} copies so far apart do not fit before the next reading: {most}"
        raise InputError(f"{place}.gap_s", remedy, spec.named["gap_s"])


def _refuse_flood(scenario: Scenario, spec: EpisodeSpec, place: str) -> None:
    """Refuse so many of something, or so few a second, that the last ones would come after the next reading."""
    asked = [name for name in ("count", "rate") if name in spec.named]
    worst = _worst(spec)
    lasts = span_s(spec.kind, worst) if "rate" in worst else 0.0
    if asked and lasts > room_s(scenario):
        remedy = f"it takes {lasts:.0f} s, {room_s(scenario):g} s are left before the next reading: ask for fewer, or faster"
        raise InputError(f"{place}.{asked[0]}", remedy, spec.named[asked[0]])


def _worst(spec: EpisodeSpec) -> dict[str, float]:
    """Return the parameters of an episode that take longest: named ones, and whichever end of what is drawn."""
    ends = {row.name: (row.faint, row.blatant) for row in spec.row.parameters}
    drawn = {name: min(each) if name == "rate" else max(each) for name, each in ends.items()}
    return drawn | spec.named
