"""Firmware: an update that changes keepalive and client ids; it is reverted at the end."""

from coldaisle_contracts.plan import Act
from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.catalogue import Played
from coldaisle_sensors.connections import Firmware

SUFFIX = "-v2"
"""Suffix of the client ids with the new firmware."""


class Anomaly(Played):
    """One update and its reversal; the unit restarts for both."""

    _updated = False

    def play(self) -> Script:
        """Restart with the new firmware, then with the old one."""
        start, stop = self.episode.acts
        yield at(start.times_ns[0])
        self._restart(start, Firmware(round(self.episode.parameters["keepalive_s"]), SUFFIX))
        self._updated = True
        yield at(stop.times_ns[0])
        self._restart(stop, self.gear.firmware)
        self._updated = False

    def covers(self, slot: int) -> bool:
        """Tell whether the new firmware runs."""
        del slot
        return self._updated

    def _restart(self, act: Act, firmware: Firmware) -> None:
        self.gear.notes.act(self.episode, act)
        self.gear.connections.drop(self.cause)
        self.gear.connections.open(self.cause, firmware)
