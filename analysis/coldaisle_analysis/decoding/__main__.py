"""Compile the decoder ahead of its first use: ``python -m coldaisle_analysis.decoding``."""

from coldaisle_analysis.decoding import kernel, records

kernel.load()
for scan in records.SCANS:
    records.load(scan)
