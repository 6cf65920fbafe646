#!/usr/bin/env bash
# Behaviour: mosquitto_sub -F %J, which puts a JSON payload into its own JSON, does not copy it: it reads every number as a 64-bit float
#   and writes it anew. 1772406002500123457 ns becomes 1.7724060025001234e+18, which reads back 65 ns early; 9007199254740992,
#   which a float holds exactly, becomes 9.00719925474099e+15, which is 2 less; 21.50 becomes 21.5, and 1e400 becomes null.
#   "payloadlen" still counts the bytes that were sent. With %j the same payload is a string, and exact.
# Version: mosquitto_sub 2.0.11 with cJSON 1.7.15 (Debian 12), against the broker of the same packages on 127.0.0.1.
# Source: met when times in nanoseconds were published in JSON, logged with %J, and compared with what had been sent.
#   cJSON tries 15 digits first, and takes them if they read back nearly equal: within one part in 2^52, not equal.
# The guess: a tool that prints what was received prints its digits, or at least the double nearest to them.
set -euo pipefail
export LC_ALL=C LD_LIBRARY_PATH
folder=$(mktemp -d)
broker=
trap '[[ -z $broker ]] || kill "$broker" 2>/dev/null || true; rm -rf "$folder"' EXIT
(cd "$folder" && chmod 755 . && timeout 120 apt-get -qq download mosquitto mosquitto-clients libmosquitto1 libcjson1 2>/dev/null) ||
  { echo 'needs Debian 12 and apt-get'; exit 2; }
for package in "$folder"/*.deb; do dpkg -x "$package" "$folder/debian"; done
LD_LIBRARY_PATH=$(echo "$folder"/debian/usr/lib/*-linux-gnu)
bin=$folder/debian/usr/bin
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'listener %s 127.0.0.1\nallow_anonymous true\n' "$port" >"$folder/conf"
timeout 60 "$folder/debian/usr/sbin/mosquitto" -c "$folder/conf" >"$folder/log" 2>&1 &
broker=$!
sent='{"ns": 1772406002500123457, "exact": 9007199254740992, "celsius": 21.50, "far": 1e400}'
for _ in {1..50}; do # retained, so that nobody has to wait for whom
  timeout 5 "$bin/mosquitto_pub" -h 127.0.0.1 -p "$port" -q 1 -r -t t -m "$sent" 2>/dev/null && break
  sleep 0.1
done
for form in %J %j; do
  timeout 10 "$bin/mosquitto_sub" -h 127.0.0.1 -p "$port" -t t -C 1 -F "$form" >"$folder/$form"
done
python3 - "$sent" "$folder/%J" "$folder/%j" <<'PY' || { echo 'changed: mosquitto_sub writes numbers otherwise now'; exit 1; }
import json
import sys

sent = sys.argv[1]
parsed, text = (open(name).read() for name in sys.argv[2:])
payload = parsed.split('"payload":', 1)[1].strip().removesuffix("}")
print("sent:   ", sent)
print("with %J:", payload)
read = json.loads(payload)
print("off by: ", int(read["ns"]) - 1772406002500123457, "ns, and", int(read["exact"]) - 9007199254740992)
numbers = (int(read["ns"]) - 1772406002500123457, int(read["exact"]) - 9007199254740992, '"celsius":21.5,' in payload, read["far"])
length = json.loads(parsed)["payloadlen"]
sys.exit((numbers, length, json.loads(text)["payload"]) != ((-65, -2, True, None), len(sent), sent))
PY
