"""A site as a picture: one self-contained SVG file with the network's switch, the broker, the attacker, workstations, every unit and every companion."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from coldaisle_contracts import texts
from coldaisle_contracts.addressing import BROKER, INJECTOR, NETWORK, Host
from coldaisle_contracts.companions import Companion
from coldaisle_contracts.site_parameters import Site
from coldaisle_contracts.units import Unit
from coldaisle_testbed.show import sites

_WIDTH, _MARGIN, _TOP = 1200, 32, 196
"""Width of the picture, its margin, and the place of the first row of units, in px."""
_CELL, _HEIGHT = 142, 58
"""Width and height of a unit with the space around it, in px."""
_STYLE = """
  text { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif; fill: #2f3a40 }
  .name { font-size: 22px; font-weight: 600 }
  .small { font-size: 10px; fill: #5d6970 }
  .host { fill: #f4f6f5; stroke: #7a868c }
  .attacker { fill: #fbeceb; stroke: #c2413b }
  .wire { stroke: #7a868c; stroke-width: 1.5; fill: none }
"""


def write(site: Site, name: str, path: Path) -> None:
    """Write the picture of a site into a file, which appears whole or not at all.

    Raises:
        InputError: if the file cannot be written.
    """
    with texts.writable("--svg", "name a file in a folder that exists", str(path)):
        texts.write(path, svg(site, name))


def svg(site: Site, name: str) -> str:
    """Return the site as SVG: broker, attacker and workstations above the switch, units and then companions below it."""
    boxes = [*map(_unit, site.units.values()), *map(_companion, site.companions.values())]
    per_row = (_WIDTH - 2 * _MARGIN) // _CELL
    rows = -(-len(boxes) // per_row)
    height = _TOP + rows * _HEIGHT + _MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img">',
            f"<title>{escape(name)}: hosts of the site</title>",
            f"<style>{_STYLE}</style>",
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            f'<text class="name" x="{_MARGIN}" y="40">{escape(name)}</text>',
            f'<text x="{_MARGIN}" y="62">{escape(sites.sentence(site))}</text>',
            *_upper(BROKER, _MARGIN, "MQTT, NTP, capture", "host"),
            *_upper(INJECTOR, _MARGIN + 2 * _CELL, "gets on the path", "attacker"),
            *_workstations(site),
            f'<path class="wire" d="M{_MARGIN} 164H{_WIDTH - _MARGIN}"/>',
            f'<text class="small" x="{_WIDTH - _MARGIN}" y="156" text-anchor="end">switch of {NETWORK}, no way out</text>',
            *(part for place, box in enumerate(boxes) for part in _lower(box, *divmod(place, per_row))),
            "</svg>\n",
        ]
    )


def _workstations(site: Site) -> Iterator[str]:
    """Yield one host for all workstations, under the first one's address."""
    if site.background:
        first, count = next(site.background.hosts()), site.background.workstations
        name = first.name if count == 1 else f"{count} workstations"
        yield from _upper(replace(first, name=name), _MARGIN + 4 * _CELL, "background traffic", "host")


def _upper(host: Host, x: int, role: str, look: str) -> Iterator[str]:
    """Yield a host above the switch."""
    yield f'<path class="wire" d="M{x + 60} 132V164"/>'
    yield f'<rect class="{look}" x="{x}" y="84" width="120" height="48" rx="4"/>'
    yield f'<text x="{x + 8}" y="102">{host.name}</text>'
    yield f'<text class="small" x="{x + 8}" y="115">{host.ip}</text>'
    yield f'<text class="small" x="{x + 8}" y="127">{role}</text>'


@dataclass(frozen=True)
class _Box:
    """A host below the switch: what stands in its box, and what the pointer shows."""

    host: Host
    line: str
    more: str


def _unit(unit: Unit) -> _Box:
    clients = f"{unit.clients[0]} to {unit.clients[-1]}"
    values = ", ".join(f"{median:.2f}" for median in unit.medians)
    return _Box(unit.host, clients, f"clients {clients}, medians {values} °C")


def _companion(companion: Companion) -> _Box:
    return _Box(companion.host, companion.kind, f"client {companion.client}, publishes to {companion.topic}")


def _lower(box: _Box, row: int, column: int) -> Iterator[str]:
    """Yield a host below the switch."""
    x, y, host = _MARGIN + column * _CELL, _TOP + row * _HEIGHT, box.host
    if row == 0:
        yield f'<path class="wire" d="M{x + 60} 164V{y}"/>'
    yield f'<rect class="host" x="{x}" y="{y}" width="128" height="46" rx="4">'
    yield f"<title>{escape(host.name)}, {host.mac}, {escape(box.more)}</title></rect>"
    yield f'<text x="{x + 8}" y="{y + 16}">{escape(host.name)}</text>'
    yield f'<text class="small" x="{x + 8}" y="{y + 29}">{host.ip}</text>'
    yield f'<text class="small" x="{x + 8}" y="{y + 40}">{escape(box.line)}</text>'
