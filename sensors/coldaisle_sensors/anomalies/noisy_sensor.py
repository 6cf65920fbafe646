"""Noisy sensor: a random error is added to each of its readings."""

from coldaisle_sensors.faults import Wrong


class Anomaly(Wrong):
    """A sensor with a bad contact."""
