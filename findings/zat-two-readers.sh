#!/usr/bin/env bash
# Behaviour: zat has two readers for Zeek's logs, and they read one conn.log as two different tables. Where Zeek wrote "-", because it
#   did not measure, ZeekLogReader says 0 bytes, 0 seconds and False, and LogToDataFrame says missing. ZeekLogReader's ts is local time,
#   LogToDataFrame's is UTC; both are without a time zone. And LogToDataFrame's ts passes through a float: microseconds gain digits.
#   So an unanswered SYN looks like a connection that was measured and was empty, and tables of both cannot be joined by time.
# Version: zat 0.4.9 (2026) with pandas 3.1.1, Python 3.11.
# Source: met when a conn.log was read with both to see that they agree.
# The guess: the readers of one package differ in the container; what is not there is None in a dict and NA in a frame.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
timeout 540 "$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  zat==0.4.9 pandas==3.1.1 numpy==2.4.6 scikit-learn==1.9.1 scipy==1.17.1
cat >"$folder/read.py" <<'PY'
import sys

from zat.log_to_dataframe import LogToDataFrame
from zat.zeek_log_reader import ZeekLogReader

COLUMNS = {"ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr", "id.resp_p": "port",
           "proto": "enum", "duration": "interval", "orig_bytes": "count", "conn_state": "string", "local_orig": "bool"}
ANSWERED = ("1772406002.500123", "C1", "10.0.0.2", "40000", "10.0.0.1", "1883", "tcp", "2.500000", "400", "SF", "T")
UNANSWERED = ("1772406003.123457", "C2", "10.0.0.3", "40001", "10.0.0.1", "1883", "tcp", "-", "-", "S0", "-")
path = sys.argv[1]
with open(path, "w") as log:
    log.write("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2026-03-01-23-00-00\n")
    log.write("\t".join(["#fields", *COLUMNS]) + "\n" + "\t".join(["#types", *COLUMNS.values()]) + "\n")
    log.write("\t".join(ANSWERED) + "\n" + "\t".join(UNANSWERED) + "\n#close\t2026-03-01-23-00-05\n")
rows = list(ZeekLogReader(path).readrows())
frame = LogToDataFrame().create_dataframe(path)
NAMES = ["duration", "orig_bytes", "local_orig"]
print("the unanswered SYN:  ", "duration -, orig_bytes -, local_orig -")
print("  by ZeekLogReader:  ", *(f"{name} {rows[1][name]}," for name in NAMES))
print("  by LogToDataFrame: ", *(f"{name} {frame.iloc[1][name]}," for name in NAMES))
mean = sum(row["duration"].total_seconds() for row in rows) / 2, frame["duration"].mean().total_seconds()
print("mean duration:       ", mean[0], "s and", mean[1], "s")
times = str(rows[0]["ts"]), str(frame.index[0])
print("ts 1772406002.500123:", *times)
zero = [rows[1]["duration"].total_seconds(), rows[1]["orig_bytes"], rows[1]["local_orig"]] == [0, 0, False]
missing = bool(frame.iloc[1][NAMES].isna().all())
clocks = times == ("2026-03-02 00:00:02.500123", "2026-03-01 23:00:02.500123024")
sys.exit(not (zero and missing and mean == (1.25, 2.5) and clocks))
PY
TZ=CET-1 timeout 120 "$folder/venv/bin/python" "$folder/read.py" "$folder/conn.log" || { echo 'changed: zat does otherwise now'; exit 1; }
