"""Companions: one file for each kind, with a class ``Device`` derived from :class:`~coldaisle_sensors.devices.base.BaseDevice`."""
