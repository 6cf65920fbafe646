#!/usr/bin/env bash
# Behaviour: ntplib cannot write a time from 2036-02-07 06:28:16 UTC on. NTP counts seconds in 32 bits since 1900; RFC 5905,
#   section 6, lets the count wrap into era 1 then. ntplib keeps the whole number of seconds, and packing it fails. So a client
#   whose clock is there cannot even ask: every request ends in an NTPException that names no time.
# Version: ntplib 0.4.0, the newest.
# Source: met when a network was played in 2040: every unit lost its time server, and nothing else complained.
# The guess: the 64-bit arithmetic of Python has no year 2036, or else reading fails, not asking.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check ntplib==0.4.0
cat >"$folder/ask.py" <<'PY'
import datetime
import sys

import ntplib


def asks(year):
    """Tell what becomes of a request's bytes when the clock is at the beginning of a year."""
    unix = datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc).timestamp()
    packet = ntplib.NTPPacket(mode=3, version=4, tx_timestamp=ntplib.system_to_ntp_time(unix))
    try:
        return f"{len(packet.to_data())} bytes"
    except ntplib.NTPException as error:
        return f"NTPException: {error}"


seen = {year: asks(year) for year in (2026, 2036, 2037)}
for year, what in seen.items():
    print(f"a request on 1 January {year}: {what}")
sys.exit(not (seen[2026] == seen[2036] == "48 bytes" and seen[2037].startswith("NTPException")))
PY
"$folder/venv/bin/python" "$folder/ask.py" || { echo 'changed: ntplib does otherwise now'; exit 1; }
