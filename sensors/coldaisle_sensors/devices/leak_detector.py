"""A leak detector under a raised floor: it says that it is wet, and dry again."""

from coldaisle_sensors.devices.state import StateDevice


class Device(StateDevice):
    """Publishes ``wet`` and ``dry``."""

    idle, alert = b"dry", b"wet"
