"""Forecasts of readings by a model of the site, and the distance of each reading from its forecast."""
