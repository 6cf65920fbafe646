"""Clock step: the unit's own clock jumps, so it wakes early or late until NTP corrects the clock."""

from coldaisle_contracts.clock import SECOND
from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.catalogue import Played


class Anomaly(Played):
    """One jump; the unit's next regular NTP query may end it before the plan does."""

    _jumped = False

    def play(self) -> Script:
        """Make the clock jump; at the end query the time, and correct the clock even without an answer."""
        start, stop = self.episode.acts
        yield at(start.times_ns[0])
        self.gear.notes.act(self.episode, start)
        self.gear.timesync.ahead_ns = round(start.amount * SECOND)
        self._jumped = True
        yield at(stop.times_ns[0])
        self.gear.notes.act(self.episode, stop)
        self.gear.timesync.query(stop.slot)
        self.gear.timesync.ahead_ns = 0
        self._jumped = False

    def covers(self, slot: int) -> bool:
        """Tell whether the unit's clock was wrong when it woke."""
        del slot
        return self._jumped and self.gear.timesync.ahead_ns != 0
