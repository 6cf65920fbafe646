"""Sent and received: what each sensor measured against what the broker got."""

from collections import defaultdict
from typing import Any

from starlette.responses import JSONResponse

from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.topics import SENSOR_MEANING
from coldaisle_desk.record import Sensor
from coldaisle_desk.view import View

MOST_UNITS, MOST_SLOTS = 8, 2016
"""Most units, and most slots of a sensor, that are drawn: a week at five minutes."""


def context(view: View) -> dict[str, Any]:
    """Return the values of the panel; the curves come with :func:`answer`."""
    units = view.plan.scenario.units
    changed = {sensor for sensor, _, _ in view.run.record.received(view.until_ns)}
    return {
        "units": units[:MOST_UNITS],
        "left_out": max(0, len(units) - MOST_UNITS),
        "meanings": SENSOR_MEANING,
        "client": lambda unit, sensor: view.plan.units[unit].client(sensor),
        "changed": changed,
    }


def nothing() -> JSONResponse:
    """Return the curves of a run that has not begun."""
    return JSONResponse({"begin": 0, "end": 0, "sensors": {}})


def answer(view: View) -> JSONResponse:
    """Return the curves: for each sensor the times in s, the values sent, and the values received.

    A value that was not received is ``null``; where nothing was changed, only ``differs`` names no slot. ``every`` and ``first`` say in
    which of the slots the unit reports.
    """
    plan, record = view.plan, view.run.record
    slots = _slots(view)
    received = defaultdict[Sensor, dict[int, float | None]](dict)
    for sensor, slot, value in record.received(view.until_ns):
        received[sensor][slot] = value
    curves = {}
    for unit in list(plan.units.values())[:MOST_UNITS]:
        rhythm = {"every": unit.rhythm.every, "first": unit.rhythm.next(slots.start) - slots.start}
        for number, client in enumerate(unit.clients, 1):
            sent, got = record.sent.get((unit.name, number), {}), received[unit.name, number]
            curves[client] = {
                "sent": [sent.get(slot) for slot in slots],
                "differs": {slot - slots.start: got[slot] for slot in slots if slot in got},
                **rhythm,
            }
    interval = plan.scenario.interval_s
    first = view.run.start_ns / SECOND + plan.utc_offset_s
    return JSONResponse({"begin": first + slots.start * interval, "step": interval, "sensors": curves})


def _slots(view: View) -> range:
    """Return the slots to draw: of the day that is shown, or of the run, and the latest where they are too many."""
    plan = view.plan
    slots = range(plan.scenario.slots)
    if view.day is not None:
        slots = plan.day_slots(min(view.day, plan.scenario.days) - 1)
    if view.at_ns is not None:
        passed = (view.at_ns - view.run.start_ns) / SECOND / plan.scenario.interval_s
        slots = range(slots.start, max(slots.start, min(slots.stop, int(passed))))
    return slots[-MOST_SLOTS:]
