"""A workstation: a host beside the units that looks names up, renews its lease, asks for the time and polls a page."""
