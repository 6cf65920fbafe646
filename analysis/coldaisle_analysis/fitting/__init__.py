"""Fitting the model of the units to a real site: observations, estimates, and the table that a scenario names."""
