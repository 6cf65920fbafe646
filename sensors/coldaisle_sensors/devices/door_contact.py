"""A door contact: it says that the door of a rack or room is opened and closed."""

from coldaisle_sensors.devices.state import StateDevice


class Device(StateDevice):
    """Publishes ``open`` and ``closed``."""

    idle, alert = b"closed", b"open"
