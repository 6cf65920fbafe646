"""Levels computed from packets and readings, without reading a capture again: one row per flow, one row per window."""
