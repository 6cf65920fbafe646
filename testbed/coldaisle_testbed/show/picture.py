"""The timeline of a plan as a picture: one self-contained SVG file, written by hand."""

from collections.abc import Iterator
from html import escape
from pathlib import Path

from coldaisle_contracts import texts
from coldaisle_contracts.plan import Episode, Plan
from coldaisle_testbed.show import timeline

_LEFT, _RIGHT, _TOP, _BOTTOM = 128, 28, 118, 62
"""Margins in px: names of the lanes, empty, title and hours, legend."""
_WIDTH = 1200
_LANE, _BAR, _GAP = 16, 11, 12
"""Height of a lane, of a bar in it, and of the space between two days, in px."""
_HOLLOW, _PALE = 0.15, 0.55
"""Opacity of the bar of a hidden episode, and of the faintest other one."""
_STYLE = """
  text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #2f3a40 }
  .name { font-size: 22px; font-weight: 600 }
  .small { font-size: 10px; fill: #7a868c }
  .day { font-weight: 600 }
  .lane { fill: #f4f6f5 }
  .hour { stroke: #dde3e1 }
  .bar:hover { stroke: #1d2529; stroke-width: 1.5 }
"""


def write(plan: Plan, path: Path) -> None:
    """Write the picture of a plan into a file, which appears whole or not at all.

    Raises:
        InputError: if the file cannot be written.
    """
    with texts.writable("--svg", "name a file in a folder that exists", str(path)):
        texts.write(path, svg(plan))


def svg(plan: Plan) -> str:
    """Return the timeline as SVG: days as rows, a lane for each target, local hours on top, a bar for each episode."""
    height = _TOP + plan.scenario.days * _day_height(plan) + _BOTTOM
    name = escape(plan.scenario.name)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img">',
            f"<title>{name}: planned episodes</title>",
            f"<style>{_STYLE}</style>",
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text class="name" x="{_LEFT}" y="40">{name}</text>',
            f'<text x="{_LEFT}" y="62">{escape(timeline.sentence(plan))}</text>',
            f'<text x="{_LEFT}" y="80">{escape(timeline.totals(plan))}</text>',
            *_grid(plan, height),
            *(_bar(plan, episode) for episode in plan.episodes),
            *_legend(plan, height - 26),
            "</svg>\n",
        ]
    )


def _day_height(plan: Plan) -> int:
    return len(timeline.targets(plan)) * _LANE + _GAP


def _x(plan: Plan, hour: float) -> float:
    return round(_LEFT + hour / timeline.hours_shown(plan) * (_WIDTH - _LEFT - _RIGHT), 1)


def _y(plan: Plan, day: int, lane: int) -> int:
    return _TOP + day * _day_height(plan) + lane * _LANE


def _grid(plan: Plan, height: int) -> Iterator[str]:
    """Yield the lanes with their names and the hours with their lines."""
    right = _WIDTH - _RIGHT
    for day in range(plan.scenario.days):
        yield f'<text class="day" x="16" y="{_y(plan, day, 0) + 10}">{timeline.day_name(plan, day)}</text>'
        for lane, target in enumerate(timeline.targets(plan)):
            y = _y(plan, day, lane)
            yield f'<text class="small" x="{_LEFT - 8}" y="{y + 9}" text-anchor="end">{target}</text>'
            yield f'<rect class="lane" x="{_LEFT}" y="{y}" width="{right - _LEFT}" height="{_BAR}"/>'
    hours = timeline.hours_shown(plan)
    minutes = range(0, hours * 60 + 1, 60 if hours > 3 else 10)  # noqa: PLR2004 - a short run is drawn finer
    for minute in minutes:
        x = _x(plan, minute / 60)
        label = f"{minute // 60:02d}" if hours > 3 else f"{minute // 60:02d}:{minute % 60:02d}"  # noqa: PLR2004
        yield f'<line class="hour" x1="{x}" x2="{x}" y1="{_TOP - 6}" y2="{height - _BOTTOM - _GAP}"/>'
        yield f'<text class="small" x="{x}" y="{_TOP - 11}" text-anchor="middle">{label}</text>'


def _bar(plan: Plan, episode: Episode) -> str:
    """Return the bar of an episode: paler for a low intensity, an outline for a hidden episode."""
    begin, end = (_x(plan, hour) for hour in timeline.span_h(plan, episode))
    y = _y(plan, episode.onset // plan.scenario.slots_per_day, timeline.targets(plan).index(episode.unit))
    fill = timeline.LOOKS[episode.row.family].fill
    strength = 1.0 if episode.intensity is None else episode.intensity
    opacity = _HOLLOW if episode.stealth else _PALE + (1 - _PALE) * strength
    return (
        f'<rect class="bar" x="{begin}" y="{y}" width="{max(5.0, end - begin):.1f}" height="{_BAR}" rx="2" '
        f'fill="{fill}" fill-opacity="{opacity:.2f}" stroke="{fill}"><title>{escape(description(plan, episode))}</title></rect>'
    )


def description(plan: Plan, episode: Episode) -> str:
    """Return the description of an episode: kind and variant, target and time, parameters, step of a chain."""
    begin, end = timeline.local(plan, episode)
    units = {
        row.name: "" if row.unit == "1" else f" {row.unit}"
        for row in episode.row.parameters
        if row.of(episode.variant)
    }
    sensors = f", sensors {' '.join(map(str, episode.sensors))}" if episode.sensors else ""
    parameters = ", ".join(f"{name} {value:.6g}{units[name]}" for name, value in episode.parameters.items())
    lines = (
        f"{episode.id} {episode.kind} ({episode.variant})",
        f"{episode.unit}{sensors}, {begin:%a %H:%M} to {end:%H:%M}",
        f"{parameters} within normal values and times" if episode.stealth else parameters,
        f"step {episode.step} of chain {episode.chain}" if episode.chain else "",
    )
    return "\n".join(filter(None, lines))


def _legend(plan: Plan, y: int) -> Iterator[str]:
    """Yield the families with their colours and numbers of episodes, and the meaning of pale and hollow bars."""
    x = float(_LEFT)
    for family, look, count in timeline.families(plan):
        yield f'<rect x="{x:.0f}" y="{y - 10}" width="14" height="{_BAR}" rx="2" fill="{look.fill}"/>'
        yield f'<text x="{x + 20:.0f}" y="{y}">{family} ({count})</text>'
        x += 68 + 6.4 * len(family)
    yield f'<text class="small" x="{_WIDTH - _RIGHT}" y="{y}" text-anchor="end">paler: fainter; hollow: hides</text>'
