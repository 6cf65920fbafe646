"""Limits that the reading interval puts on the parameters of episodes: named values beyond them are refused, drawn ones clipped."""

import math

from coldaisle_contracts.acts import QUIET_S, span_s
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.scenario import EpisodeSpec, Scenario

SLACK_S = 5.0
"""Longest time that an act needs before and after it waits, in s."""


def free_s(scenario: Scenario, unit: str | None = None) -> float:
    """Return how long an act between two slots may take, in s, on a unit or on the broker; wakings may come late by their jitter."""
    return scenario.least_s(unit) - QUIET_S - 1


def patience_s(scenario: Scenario, unit: str | None) -> float:
    """Return after how long a broker drops a silent client of a unit, in s: 1.5 keepalives (MQTT 3.1, section 3.1)."""
    return 1.5 * scenario.keepalive_of(unit)


def limits(scenario: Scenario, kind: str, unit: str | None = None) -> dict[str, tuple[float, float]]:
    """Return least and greatest value of each parameter of a kind that the interval bounds, on a unit or on the broker."""
    interval, room = scenario.interval_s, free_s(scenario, unit) - SLACK_S
    apart = scenario.interval_of(unit)
    special = {
        "slow-denial": {"keepalive_s": (0.0, float(int(room / 1.5)))},  # the broker waits half as long again
        "clock-step": {"size": (-interval / 4, interval / 4)},
        "firmware": {"keepalive_s": (math.ceil(apart) + 1.0, math.inf)},  # no PINGREQ is due
    }
    names = {row.name for row in KINDS[kind].parameters}
    silence = patience_s(scenario, unit) - apart  # a client whose reading is held sends nothing else
    most = {"hold_s": room, "outage_s": room, "delay_s": min(2 * interval, silence) - SLACK_S}
    return {name: (0.0, most[name]) for name in names & set(most)} | special.get(kind, {})


def clipped(scenario: Scenario, spec: EpisodeSpec, parameters: dict[str, float]) -> dict[str, float]:
    """Return the parameters of an episode, those that were drawn clipped to the limits of the interval."""
    every = limits(scenario, spec.kind, spec.unit)
    bounds = {name: limit for name, limit in every.items() if name not in spec.named}
    return parameters | {
        name: min(max(parameters[name], least), most)
        for name, (least, most) in bounds.items()
        if name in parameters
    }


def refuse_short_interval(scenario: Scenario, kind: str, key: str) -> None:
    """Refuse a kind that cannot be played at all within the reading interval."""
    for row in KINDS[kind].parameters:
        if limits(scenario, kind).get(row.name, (0.0, math.inf))[1] < row.least:
            remedy = f"make interval_s longer than {scenario.interval_s:g}, or leave this kind out"
            raise InputError(key, remedy, kind)


def refuse_overlong(scenario: Scenario, spec: EpisodeSpec, place: str) -> None:
    """Refuse an episode whose acts would not end before the next reading, or whose parameters exceed the limits of its kind."""
    for name, (least, most) in limits(scenario, spec.kind, spec.unit).items():
        value = spec.named.get(name, least)
        if not least <= value <= most:
            limit = f"at most {most:g}" if value > most else f"at least {least:g}"
            remedy = f"give {limit}, because readings come every {scenario.interval_of(spec.unit):g} s and the keepalive is {scenario.keepalive_of(spec.unit)} s"
            raise InputError(f"{place}.{name}", remedy, value)
    _refuse_spread(scenario, spec, place)
    _refuse_flood(scenario, spec, place)


def _refuse_spread(scenario: Scenario, spec: EpisodeSpec, place: str) -> None:
    """Refuse a burst whose last copies would come after the next reading."""
    if "gap_s" not in spec.named:
        return
    count, room = round(_worst(spec)["count"]), free_s(scenario, spec.unit)
    if (count - 1) * spec.named["gap_s"] > room:
        remedy = (
            f"give at most {room / (count - 1):.3g} s, so that {count} copies fit before the next reading"
        )
        raise InputError(f"{place}.gap_s", remedy, spec.named["gap_s"])


def _refuse_flood(scenario: Scenario, spec: EpisodeSpec, place: str) -> None:
    """Refuse a count so great, or a rate so low, that the act would not end before the next reading."""
    named = [name for name in ("count", "rate") if name in spec.named]
    worst = _worst(spec)
    lasts = span_s(spec.kind, worst) if "rate" in worst else 0.0
    if named and lasts > (free := free_s(scenario, spec.unit)):
        room = f"only {free:g} s are left before the next reading"
        remedy = f"the act takes {lasts:.0f} s, but {room}: give a smaller count or a higher rate"
        raise InputError(f"{place}.{named[0]}", remedy, spec.named[named[0]])


def _worst(spec: EpisodeSpec) -> dict[str, float]:
    """Return the parameters with which an act takes longest: the named ones, and the slower end of each drawn range."""
    ends = {row.name: (row.faint, row.blatant) for row in spec.row.parameters}
    drawn = {name: min(pair) if name == "rate" else max(pair) for name, pair in ends.items()}
    return drawn | spec.named
