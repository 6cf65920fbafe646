"""Weeks on many machines: a dealer that hands out weeks to workers, and Dask distributed, which carries them there."""
