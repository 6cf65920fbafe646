"""Levels that follow from packets and readings: a row a flow, a row a window; nothing is read from a capture again."""
