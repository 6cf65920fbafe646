"""Compile everything ahead of its first use: ``python -m coldaisle_analysis.compiled``."""

from coldaisle_analysis.decoding import kernel, records
from coldaisle_analysis.following import forecast, history, traffic
from coldaisle_analysis.policies import kernels as policies

kernel.load()
for scan in records.SCANS:
    records.load(scan)
history.load()
forecast.load()
traffic.load()
policies.load()
