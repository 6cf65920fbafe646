"""Drifting sensor: its error grows from reading to reading."""

from coldaisle_sensors.faults import Wrong


class Anomaly(Wrong):
    """A sensor that ages fast."""
