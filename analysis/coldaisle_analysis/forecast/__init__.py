"""Forecasts: what a model of the site expects of each reading, and how far the reading is from it."""
