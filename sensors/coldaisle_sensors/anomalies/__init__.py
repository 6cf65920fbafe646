"""The anomalies that a unit plays itself, one file per kind; see :mod:`coldaisle_sensors.catalogue`."""
