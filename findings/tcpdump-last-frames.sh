#!/usr/bin/env bash
# Behaviour: tcpdump that is ended by SIGINT throws away the frames that still wait in its ring buffer. They are not written, and
#   they are not counted as dropped: "0 packets dropped by kernel". Only "received by filter" gives them away.
# Version: tcpdump 4.99.3 with libpcap 1.10.3 (Debian 12). Run as root: it captures on loopback: 10 datagrams to 127.0.0.1.
# Source: met when a capture whose tcpdump had stood still for three seconds at its end came out empty and was said to be whole.
# The guess: a capture that reports no drop holds every frame that came before it was told to end; a busy machine only delays it.
#   Waiting until SIGUSR1's count stands still before SIGINT is sent keeps them all.
set -euo pipefail
[[ $EUID == 0 ]] || { echo 'run it as root: it captures on loopback'; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && chmod 755 . && apt-get -qq download tcpdump libpcap0.8 2>/dev/null || { echo 'needs Debian 12 and apt-get'; exit 2; })
for package in "$folder"/*.deb; do dpkg -x "$package" "$folder/debian"; done
export LD_LIBRARY_PATH
LD_LIBRARY_PATH=$(echo "$folder"/debian/usr/lib/*-linux-gnu)
"$folder/debian/usr/bin/tcpdump" --version 2>&1 | head -2
"$folder/debian/usr/bin/tcpdump" -Z root -i lo -n -U --immediate-mode -w "$folder/x.pcap" 'udp dst port 45454' 2>"$folder/log" &
pid=$!
until grep -q 'listening on' "$folder/log" 2>/dev/null; do
  kill -0 "$pid" || { cat "$folder/log"; exit 2; }
  sleep 0.05
done
kill -STOP "$pid" # a machine that is busy with something else
python3 - <<'PY'
import socket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(10):
    sock.sendto(b"%04d" % number, ("127.0.0.1", 45454))
PY
kill -INT "$pid"
kill -CONT "$pid"
wait "$pid"
cat "$folder/log"
written=$(($(stat -c %s "$folder/x.pcap") > 24))
grep -q '^0 packets dropped by kernel' "$folder/log" && grep -Eq '^[1-9][0-9]* packets received by filter' "$folder/log" && ((written == 0)) ||
  { echo 'changed: tcpdump writes its last frames, or says that it lost them'; exit 1; }
echo '10 datagrams were sent, none is in the file, and none counts as dropped'
