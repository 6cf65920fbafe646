"""A dashboard: it subscribes and only listens; its session lasts while it is away, so the broker keeps messages for it."""

from coldaisle_contracts.absences import absences_ns
from coldaisle_sensors.agenda import Script, at
from coldaisle_sensors.devices.base import BaseDevice


class Device(BaseDevice):
    """Subscribes at the quality of service of its group; each absence ends with the messages that the broker kept meanwhile."""

    def subscriptions(self) -> list[tuple[str, int]]:
        """Return its one filter."""
        return [(str(self.parameter("filter")), self.companion.qos)]

    def lasting(self) -> bool:
        """Return whether the broker keeps its session while it is away."""
        return bool(self.parameter("persistent"))

    def script(self) -> Script:
        """Leave and come back at the times of the plan."""
        for leave_ns, return_ns in absences_ns(self.plan, self.companion, self.day):
            yield at(leave_ns)
            self.leave()
            yield at(return_ns)
            self.come_back()

    def end(self) -> None:
        """Unsubscribe, so that the broker keeps nothing for it until the next day."""
        if self.lasting():
            self.unsubscribe()
