"""The panels of a run's page: each computes the values that its template shows."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coldaisle_desk.panels import checks, incidents, lanes, models, now, sensors, topology
from coldaisle_desk.view import View


@dataclass(frozen=True)
class Panel:
    """A panel.

    Attributes:
        name: its name in addresses, and that of its template.
        title: its heading.
        needs: the sources on which it depends, see :attr:`~coldaisle_desk.watched.Watched.versions`.
        context: returns the values of its template.
        every_ms: least time between two refreshes, in ms.
    """

    name: str
    title: str
    needs: str
    context: Callable[[View], dict[str, Any]]
    every_ms: int = 500


PANELS = {
    panel.name: panel
    for panel in (
        Panel("now", "Now", "clocks products", now.context, 1000),
        Panel("lanes", "Episodes", "journals clocks alarms products plan", lanes.context, 2000),
        Panel("sensors", "Sent and received", "products", sensors.context, 2000),
        Panel("topology", "Network", "journals products", topology.context, 2000),
        Panel("checks", "Ledger and audit", "journals products", checks.context, 2000),
        Panel("incidents", "Alarms", "alarms products", incidents.context, 2000),
        Panel("models", "Detectors", "products", models.context),
    )
}
"""The panels in the order of the page."""
