"""Alerts of other detectors, scored against the labels of frames: formats, matching, and the rows of a model's metrics."""
