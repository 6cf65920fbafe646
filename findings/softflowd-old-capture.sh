#!/usr/bin/env bash
# Behaviour: softflowd that turns a capture into NetFlow moves old flows by whole multiples of 2^32 ms (49.7 days). Packets, bytes
#   and durations stay right, so nothing looks wrong. With NetFlow 5, its default, a capture that spans 49.7 days before now is torn:
#   the flow that came first is now the last. With NetFlow 9 every flow of the capture lies in the future.
# Version: softflowd 1.1.0 into nfcapd and nfdump 1.7.1 (Debian 12). It needs no root. Flow records go to 127.0.0.1 alone.
# Source: met when frames of March 2026 were given to both tools in November, and came out as flows of November. The times in these
#   records are milliseconds since the exporter started, in 32 bits. A frame of a capture is older than the exporter: its time is below
#   zero and wraps, and the collector cannot tell how often. With "-A milli" softflowd sends whole dates, and they are right.
# The guess: softflowd has an option to read captures (-r), so that the flows have the times of the frames.
set -euo pipefail
export LC_ALL=C TZ=UTC LD_LIBRARY_PATH
folder=$(mktemp -d)
collector=
trap '[[ -z $collector ]] || kill "$collector" 2>/dev/null || true; rm -rf "$folder"' EXIT
(cd "$folder" && chmod 755 . && timeout 120 apt-get -qq download softflowd nfdump libpcap0.8 2>/dev/null) || { echo 'needs Debian 12 and apt-get'; exit 2; }
for package in "$folder"/*.deb; do dpkg -x "$package" "$folder/debian"; done
LD_LIBRARY_PATH=$(echo "$folder"/debian/usr/lib/*-linux-gnu)
now=$(date +%s)
python3 - "$folder/x.pcap" "$now" <<'PY'
import struct
import sys

now = int(sys.argv[2])
frame = bytes.fromhex("020000000001020000000002" "0800" "4500001c000100004011" "0000" "0a000001" "0a000002")
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for port, days in ((1060, 60), (1040, 40)):  # a flow of 30 s each: two datagrams
        for second in (0, 30):
            whole = frame + struct.pack(">HHHH", port, 123, 8, 0)
            file.write(struct.pack("<IIII", now - days * 86400 + second, 0, len(whole), len(whole)) + whole)
PY
port=$(python3 -c 'import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
for asked in '5' '9' '9 -A milli'; do
  rm -rf "$folder/flows"
  mkdir "$folder/flows"
  timeout 60 "$folder/debian/usr/bin/nfcapd" -p "$port" -b 127.0.0.1 -w "$folder/flows" -t 3600 >"$folder/log" 2>&1 &
  collector=$!
  for _ in {1..100}; do
    grep -q '^Startup' "$folder/log" && break
    sleep 0.1
  done
  # shellcheck disable=SC2086 # one or three words
  timeout 30 "$folder/debian/usr/sbin/softflowd" -r "$folder/x.pcap" -n "127.0.0.1:$port" -d -v $asked >"$folder/exporter" 2>&1
  sleep 2
  kill "$collector"
  wait "$collector" || true
  collector=
  timeout 30 "$folder/debian/usr/bin/nfdump" -R "$folder/flows" -o 'fmt:%ts,%te,%sp' | grep '^20' | sed "s/^/$asked,/" >>"$folder/seen"
done
python3 - "$folder/seen" "$now" <<'PY' || { echo 'changed: softflowd dates the flows of a capture otherwise now'; exit 1; }
import datetime
import sys

now, wrap = int(sys.argv[2]), 2**32 / 1000
turns = {}
for line in open(sys.argv[1]):
    asked, first, last, port = (part.strip() for part in line.split(","))
    first, last = (datetime.datetime.fromisoformat(part + "+00:00").timestamp() for part in (first, last))
    days = int(port) - 1000
    shift = first - (now - days * 86400)
    turns[asked, days] = round(shift / wrap)
    assert abs(shift - turns[asked, days] * wrap) < 3 and abs(last - first - 30) < 0.01
    print(f"NetFlow {asked:10}: the flow of {days} days ago is dated {(first - now) / 86400:+.1f} days from now, 2^32 ms x {turns[asked, days]}")
sys.exit(turns != {("5", 60): 1, ("5", 40): 0, ("9", 60): 2, ("9", 40): 1, ("9 -A milli", 60): 0, ("9 -A milli", 40): 0})
PY
