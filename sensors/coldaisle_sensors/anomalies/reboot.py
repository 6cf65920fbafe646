"""Reboot: the unit closes its connections without DISCONNECT and comes back as new clients."""

from coldaisle_contracts.clock import SECOND
from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.catalogue import Played


class Anomaly(Played):
    """One reboot, between two readings."""

    def play(self) -> Script:
        """Drop every connection, and connect again after the outage."""
        (act,) = self.episode.acts
        down_ns = act.times_ns[0]
        yield at(down_ns)
        self.gear.notes.act(self.episode, act)
        self.gear.connections.drop(self.cause)
        yield at(down_ns + round(self.episode.parameters["outage_s"] * SECOND))
        self.gear.connections.open(self.cause, self.gear.firmware)
