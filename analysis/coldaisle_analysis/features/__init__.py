"""Features of frames, messages and readings: what was known at the time, computed from the past alone."""
