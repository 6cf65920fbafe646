"""Fit of the model of the units to a real site: observations, estimates, and the TOML file that a scenario names."""
