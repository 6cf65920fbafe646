"""A replay: recorded values are published at their times."""

from coldaisle_contracts.clock import DAY, SECOND
from coldaisle_contracts.plan import FIRST_READING
from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.devices.base import BaseDevice


class Device(BaseDevice):
    """Publishes each record once; those that are due before it connects in the morning, at the day's first reading."""

    def script(self) -> Script:
        """Publish the records of the day; time 0 is the first reading of the run."""
        begin_ns, end_ns = self.plan.day_ns(self.day), self.plan.end_ns(self.day)
        for offset_s, value in self.records("records"):
            due_ns = self.plan.start_ns + FIRST_READING + round(offset_s * SECOND)
            if begin_ns <= due_ns < min(end_ns, begin_ns + DAY):
                yield at(max(due_ns, begin_ns + FIRST_READING))
                self.publish(value.encode())
