"""A power meter of a rack: voltage, current, power and the energy of the day, as JSON."""

import json
import math

from coldaisle_contracts.clock import DAY, HOUR, SECOND
from coldaisle_sensors.devices.base import BaseDevice

_PEAK_H = 15.0
"""Hour of the day at which the power is highest."""
_NOISE, _VOLTAGE = 0.03, 0.006
"""Standard deviations of power and voltage, as shares of their means."""
_POWER_FACTOR = 0.95


class Device(BaseDevice):
    """Publishes what it measures at every interval; its counter of energy starts anew with each day."""

    def begin(self) -> None:
        """Start the counter."""
        self._energy_wh = 0.0

    def on_time(self, number: int) -> None:
        """Measure, add to the counter, and publish."""
        del number
        into_day = (self.due_ns - self.plan.day_ns(self.day)) % DAY
        season = math.cos((into_day / HOUR - _PEAK_H) / 24 * math.tau)
        mean = self.number("watts") * (1 + self.number("swing") * season)
        watts = max(0.0, self.rng.gauss(mean, _NOISE * mean))
        volts = self.rng.gauss(self.number("volts"), _VOLTAGE * self.number("volts"))
        self._energy_wh += watts * self.companion.interval_s / (HOUR / SECOND)
        measured = {
            "voltage": round(volts, 1),
            "current": round(watts / volts / _POWER_FACTOR, 2),
            "power": round(watts, 1),
            "energy_wh": round(self._energy_wh, 1),
        }
        self.publish(json.dumps(measured).encode())
