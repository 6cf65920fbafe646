"""Compile all entries ahead of their first use: ``python -m coldaisle_analysis.precompile``."""

from coldaisle_analysis.decoding import kernel, records
from coldaisle_analysis.earliness.policies import kernels as policies
from coldaisle_analysis.features import history, traffic
from coldaisle_analysis.forecast import kalman

kernel.load()
for scan in records.SCANS:
    records.load(scan)
history.load()
kalman.load()
traffic.load()
policies.load()
