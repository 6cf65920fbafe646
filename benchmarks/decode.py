"""How fast captures become tables: coldaisle beside tshark with the same columns, and pyshark."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from coldaisle_analysis import columns, packets

REPEATS = 3
PYSHARK_FRAMES = 2000


def tshark_fields() -> list[str]:
    """Return the tshark fields our columns equal."""
    return sorted(
        {column.tshark for column in columns.COLUMNS if column.level == "packets" and column.tshark}
    )


def with_tshark(files: list[Path]) -> int:
    """Write the same fields with tshark and return the number of frames."""
    fields = [part for field in tshark_fields() for part in ("-e", field)]
    count = 0
    for file in files:
        command = [
            "tshark",
            "-n",
            "-o",
            "tcp.reassemble_out_of_order:TRUE",
            "-r",
            str(file),
            "-T",
            "fields",
            *fields,
        ]
        count += subprocess.run(command, capture_output=True, check=True).stdout.count(b"\n")
    return count


def with_pyshark(files: list[Path]) -> int:
    """Read the first frames with pyshark, as a notebook would, and return how many."""
    import pyshark  # noqa: PLC0415 - slow to import

    count = 0
    with pyshark.FileCapture(str(files[0]), keep_packets=False) as capture:
        for packet in capture:
            count += bool(packet.layers)
            if count == PYSHARK_FRAMES:
                break
    return count


def fastest(read: Callable[[list[Path]], int], files: list[Path], repeats: int) -> float:
    """Return the best of some repeats, frames/s."""
    best = 0.0
    for _ in range(repeats):
        began = time.perf_counter()
        count = read(files)
        best = max(best, count / (time.perf_counter() - began))
    return best


def main() -> None:
    """Decode the captures named on the command line."""
    files = [Path(name) for name in sys.argv[1:]]
    if not files:
        sys.exit("decode.py PCAP…: name captures")
    speeds = {
        "coldaisle": fastest(lambda given: len(packets.decode(given)), files, REPEATS),
        "tshark -T fields, same columns": fastest(with_tshark, files, REPEATS),
        f"pyshark (first {PYSHARK_FRAMES:,} frames)": fastest(with_pyshark, files, 1),
    }
    for name, speed in speeds.items():
        print(f"  {name:36} {speed:12,.0f} packets/s")


if __name__ == "__main__":
    main()
