"""The testbed: command line, timekeeper, engines, and shards joined to one run."""
