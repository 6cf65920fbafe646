"""Timeline of a plan for the terminal: one row per day and target."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rich.text import Text

from coldaisle_contracts.plan import Episode, Plan
from coldaisle_contracts.scenario import BROKER
from coldaisle_contracts.taxonomy import Family

_LABEL = 16
"""Width of day and target before the hours, in columns."""
_PER_HOUR = (60, 30, 20, 12, 6, 4, 3, 2, 1)
_STEPS_H = (1 / 6, 1 / 2, 1, 2, 3, 6)


@dataclass(frozen=True)
class Look:
    """Look of a family, which differs from the others even without colour.

    Attributes:
        glyph: character in a terminal.
        ascii: character in a terminal with ASCII only.
        style: colour in a terminal.
        fill: colour in a picture.
    """

    glyph: str
    ascii: str
    style: str
    fill: str


LOOKS: dict[Family, Look] = {
    "on the path": Look("█", "#", "red", "#c2413b"),
    "rogue client": Look("▲", "A", "magenta", "#7a4fb0"),
    "denial of service": Look("◆", "X", "yellow", "#d98a1f"),
    "reconnaissance and time": Look("●", "o", "cyan", "#2b7bb9"),
    "benign": Look("░", "~", "green", "#8aa892"),
}


def sentence(plan: Plan) -> str:
    """Return one line on a plan: length, start, units, readings and seed, without its name."""
    scenario = plan.scenario
    return (
        f"{scenario.duration_h:g} h from {scenario.start:%a %Y-%m-%d %H:%M %z} "
        f"({scenario.time_zone}), {len(scenario.units)} unit{'s' * (len(scenario.units) != 1)}, {scenario.slots:,} slots, "
        f"{plan.readings_on(range(scenario.days)):,} readings, seed {scenario.seed}"
    )


def totals(plan: Plan) -> str:
    """Return one line of totals: episodes, kinds, acts, greatest number of the attacker's frames, and real time in s."""
    episodes, cost_ms = plan.episodes, Counter[int]()
    for episode in episodes:
        cost_ms[episode.onset // plan.scenario.slots_per_day] += round(episode.cost_s * 1000)
    frames = sum(episode.packets for episode in episodes if episode.row.actor == "injector")
    return (
        f"{len(episodes)} episodes, {len({episode.kind for episode in episodes})} kinds, "
        f"{sum(len(episode.acts) for episode in episodes):,} acts, at most {frames:,} frames, "
        f"about {cost_ms.total() / 1000:.0f} s of real time ({max(cost_ms.values(), default=0) / 1000:.0f} s on the busiest day)"
    )


def chains(plan: Plan) -> Iterator[str]:
    """Yield a line for each chain: its name, and its steps with number, kind, id and local time."""
    for name in dict.fromkeys(episode.chain for episode in plan.episodes if episode.chain):
        steps = (
            f"{episode.step} {episode.kind} ({episode.id}, {local(plan, episode)[0]:%a %H:%M})"
            for episode in plan.episodes
            if episode.chain == name
        )
        yield f"chain {name}: {', '.join(steps)}"


def targets(plan: Plan) -> tuple[str, ...]:
    """Return the lanes of a day: the units of the scenario, then the broker."""
    return (*plan.scenario.units, BROKER)


def hours_shown(plan: Plan) -> int:
    """Return the number of hours in a row: 24, or fewer for a shorter run."""
    return min(24, math.ceil(plan.scenario.duration_h))


def span_h(plan: Plan, episode: Episode) -> tuple[float, float]:
    """Return begin and end of an episode, in h after local midnight of its day."""
    interval, per_day = plan.scenario.interval_s / 3600, plan.scenario.slots_per_day
    begin = episode.onset % per_day * interval
    return begin, begin + episode.readings * plan.scenario.rhythm_of(episode.unit).every * interval


def local(plan: Plan, episode: Episode) -> tuple[datetime, datetime]:
    """Return begin and end of an episode in local time."""
    begin, end = (timedelta(hours=hours) for hours in span_h(plan, episode))
    midnight = plan.scenario.start + timedelta(days=episode.onset // plan.scenario.slots_per_day)
    return midnight + begin, midnight + end


def level(episode: Episode) -> str:
    """Return the intensity of an episode, ``hides`` for a hidden one, or an empty text where its kind has no intensity."""
    if episode.stealth:
        return "hides"
    return "" if episode.intensity is None else f"{episode.intensity:.2f}"


def day_name(plan: Plan, day: int) -> str:
    """Return weekday and day of the month of a day, counted from 0."""
    return f"{plan.scenario.start + timedelta(days=day):%a %d}"


def drawn(plan: Plan, width: int = 80, *, plain: bool = False) -> Text:
    """Return the timeline as text: hours on top, a row for each day and target, the families below.

    Args:
        plan: the plan.
        width: width of the terminal, in columns.
        plain: whether only ASCII is used.
    """
    hours = hours_shown(plan)
    per_hour = next((size for size in _PER_HOUR if hours * size <= width - _LABEL), 1)
    step = next((size for size in _STEPS_H if size * per_hour >= 6), 6) * per_hour  # noqa: PLR2004 - "00:00 "
    text = Text(
        " " * _LABEL + _axis(hours * per_hour, round(step), per_hour) + "\n", style="bold", no_wrap=True
    )
    for day in range(plan.scenario.days):
        for lane, target in enumerate(targets(plan)):
            text.append(f"{'' if lane else day_name(plan, day):<7}{target:<9}", style="" if lane else "bold")
            _row(text, plan, (day, target), (hours, per_hour, round(step)), plain=plain)
    return text.append_text(_legend(plan, width, plain=plain))


def _axis(cells: int, step: int, per_hour: int) -> str:
    """Return the hours over every ``step``-th cell."""
    marks = (
        f"{cell // per_hour:02d}:{cell % per_hour * 60 // per_hour:02d}" for cell in range(0, cells, step)
    )
    return "".join(mark.ljust(step) for mark in marks)[:cells].rstrip()


def _row(text: Text, plan: Plan, row: tuple[int, str], scale: tuple[int, int, int], *, plain: bool) -> None:
    """Append the cells of a day and target; episodes that share a cell are put side by side, so that all are visible."""
    hours, per_hour, step = scale
    cells: dict[int, Look] = {}
    for episode in plan.episodes_on(range(row[0], row[0] + 1)):
        if episode.unit == row[1]:
            begin, end = (hour * per_hour for hour in span_h(plan, episode))
            first = min(max(int(begin + 1e-9), max(cells, default=-1) + 1), hours * per_hour - 1)
            for cell in range(first, max(first + 1, math.ceil(end - 1e-9))):
                cells[cell] = LOOKS[episode.row.family]
    empty = "." if plain else "·"
    for cell in range(hours * per_hour):
        if look := cells.get(cell):
            text.append(look.ascii if plain else look.glyph, style=look.style)
        else:
            text.append(" " if cell % step else empty, style="dim")
    text.append("\n")


def families(plan: Plan) -> Iterator[tuple[Family, Look, int]]:
    """Yield the families in a plan, with their looks and numbers of episodes."""
    counts = Counter(episode.row.family for episode in plan.episodes)
    return ((family, look, counts[family]) for family, look in LOOKS.items() if counts[family])


def _legend(plan: Plan, width: int, *, plain: bool) -> Text:
    """Return the families in as many lines as they need, without a break inside a family."""
    text, used = Text(), 0
    for family, look, count in families(plan):
        label = f" {family} {count}"
        needed = 1 + len(label)
        if fits := used + 2 + needed <= width:
            text.append("  " if used else "")
        else:
            text.append("\n")
        text.append(look.ascii if plain else look.glyph, style=look.style).append(label)
        used = (used + 2 if fits else 0) + needed
    return text
