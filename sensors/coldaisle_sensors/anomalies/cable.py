"""Cable: pulled before a reading and plugged in again after it; TCP delivers the reading then."""

from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.catalogue import Played
from coldaisle_sensors.connections import LOST


class Anomaly(Played):
    """One outage around one reading."""

    def script(self) -> Script:
        """Begin, act, end; connections that are lost during the episode name it as their cause, later ones do not."""
        yield from super().script()
        self.gear.connections.because = LOST

    def play(self) -> Script:
        """Pull and plug; the reading may wait for its acknowledgement when the time to plug comes."""
        (act,) = self.episode.acts
        pull_ns, plug_ns = act.times_ns
        yield at(pull_ns)
        self.gear.notes.act(self.episode, act)
        self.gear.connections.because = self.cause
        self.gear.cable.pull()
        yield at(plug_ns, amid=True)
        self.gear.cable.plug()
        yield at(self.episode.end_ns, amid=True)  # virtual time advances for others while TCP retransmits

    def covers(self, slot: int) -> bool:
        """Tell whether this is the reading the outage is around."""
        return slot == self.episode.onset
