"""The anomalies a unit plays itself, one kind a file; see :mod:`coldaisle_sensors.catalogue`."""
