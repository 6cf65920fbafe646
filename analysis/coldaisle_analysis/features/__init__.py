"""Features of frames, messages and readings, each computed from the past alone."""
