"""Offset sensor: it measures too much or too little, always by the same amount."""

from coldaisle_sensors.faults import Wrong


class Anomaly(Wrong):
    """A sensor that is badly calibrated."""
