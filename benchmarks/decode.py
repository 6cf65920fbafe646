"""Measures how fast a capture becomes tables: coldaisle beside other tools, on the same file.

Each reader is a process of its own on one core, or on as many as ``--cores`` says, so its start counts and its peak memory is measured alone. Slow readers get
only the first frames, and the table has their number. :mod:`traffic` makes the capture in a temporary folder.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import traffic

from coldaisle_analysis.columns import WIRE, columns

_FRAMES_OF_SLOW = 20_000
_FRAMES_OF_TSHARK = 1_000_000


@dataclass(frozen=True)
class Reader:
    """A way to read a capture.

    Attributes:
        name: name of the tool.
        gives: kind of output.
        command: function that returns the command for a capture and an output folder.
        frames: number of frames that it reads; 0 means all.
    """

    name: str
    gives: str
    command: Callable[[Path, Path], list[str]]
    frames: int = 0


def _coldaisle(file: Path, folder: Path) -> list[str]:
    return [str(Path(sys.executable).parent / "coldaisle"), "decode", str(file), "--out", str(folder)]


def _of(checkout: Path) -> Callable[[Path, Path], list[str]]:
    """Return the command of the decoder of another checkout, run by this one's Python."""
    packages = ("contracts", "sensors", "injector", "capture", "analysis", "testbed")
    path = "PYTHONPATH=" + os.pathsep.join(str(checkout.resolve() / name) for name in packages)
    program = [sys.executable, "-m", "coldaisle_testbed", "decode"]
    return lambda file, folder: ["env", path, *program, str(file), "--out", str(folder)]


def _tshark(file: Path, folder: Path) -> list[str]:
    fields = sorted({field for level in WIRE for column in columns(level) for field in column.tshark.split()})
    options = " ".join(f"-e {field}" for field in fields)
    command = (
        f"tshark -n -r {file} -o tcp.reassemble_out_of_order:TRUE -T fields {options} > {folder}/fields.tsv"
    )
    return ["sh", "-c", command]


def _python(program: str) -> Callable[[Path, Path], list[str]]:
    return lambda file, _: [sys.executable, "-c", program, str(file)]


_NFSTREAM = (
    "import sys; from nfstream import NFStreamer; print(sum(1 for _ in NFStreamer(sys.argv[1], n_meters=1)))"
)
_PYSHARK = "import sys, pyshark; print(sum(1 for p in pyshark.FileCapture(sys.argv[1], keep_packets=False) if p.layers))"
_SCAPY = """
import sys
from scapy.all import PcapReader
from scapy.contrib.mqtt import MQTT
print(sum(MQTT in packet for packet in PcapReader(sys.argv[1])))
"""
_DPKT = """
import sys, dpkt
count = 0
for _, data in dpkt.pcap.Reader(open(sys.argv[1], "rb")):
    segment = dpkt.ethernet.Ethernet(data).data.data
    count += isinstance(segment, dpkt.tcp.TCP) and segment.data[:1] == b"2"
print(count)
"""

_TABLES = "packets and messages, streams reassembled, Parquet"
READERS = (
    Reader("coldaisle", _TABLES, _coldaisle),
    Reader("tshark -T fields", "the same fields, streams reassembled, text", _tshark, _FRAMES_OF_TSHARK),
    Reader("NFStream", "flows only", _python(_NFSTREAM)),
    Reader("dpkt", "headers, no reassembly, no MQTT", _python(_DPKT), _FRAMES_OF_SLOW),
    Reader("scapy", "objects, no reassembly", _python(_SCAPY), _FRAMES_OF_SLOW),
    Reader("pyshark", "objects, streams reassembled", _python(_PYSHARK), _FRAMES_OF_SLOW),
)


@dataclass(frozen=True)
class Run:
    """Time and memory of one run of a reader.

    Attributes:
        seconds: time from start to end of its process.
        mebibytes: peak memory of its process, or of one that it started.
    """

    seconds: float
    mebibytes: float


def measure(command: list[str], cores: int = 1) -> Run:
    """Run a command on so many cores and return its time and memory.

    Raises:
        SystemExit: if it fails, because the time of a missing or failing tool is no result.
    """
    began = time.perf_counter()
    chosen = sorted(os.sched_getaffinity(0))[:cores]
    pinned = ["taskset", "-c", ",".join(map(str, chosen)), *command]
    process = subprocess.Popen(pinned, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read() if process.stderr else b""
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        sys.exit(f"{command[0]} failed: {errors.decode(errors='replace').strip()[-300:]}")
    return Run(seconds, used.ru_maxrss / 1024)


def shortened(file: Path, frames: int, folder: Path) -> Path:
    """Return a capture with the first frames of a capture."""
    short = folder / f"first-{frames}.pcap"
    if not short.exists():
        subprocess.run(["editcap", "-F", "nsecpcap", "-r", str(file), str(short), f"1-{frames}"], check=True)
    return short


def rows(
    readers: Sequence[Reader], file: Path, frames: int, folder: Path, repeats: int, cores: int
) -> Iterator[str]:
    """Yield one Markdown row per reader, with the medians of its repeats; the readers take turns."""
    yield "| reader | frames | s | packets/s | peak MiB | gives |\n|---|---|---|---|---|---|"
    out = folder / "out"
    out.mkdir()
    counts = [min(reader.frames or frames, frames) for reader in readers]
    runs: list[list[Run]] = [[] for _ in readers]
    for _ in range(repeats):
        for reader, count, taken in zip(readers, counts, runs, strict=True):
            source = file if count == frames else shortened(file, count, folder)
            taken.append(measure(reader.command(source, out), cores))
    for reader, count, taken in zip(readers, counts, runs, strict=True):
        seconds, mebibytes = median(run.seconds for run in taken), median(run.mebibytes for run in taken)
        speed = f"{count / seconds:,.0f}"
        yield f"| {reader.name} | {count:,} | {seconds:.1f} | {speed} | {mebibytes:,.0f} | {reader.gives} |"


def main() -> None:
    """Make a capture and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packets", type=int, default=10_000_000, help="frames of the capture that is made")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--repeats", type=int, default=1, help="runs of each reader, in turn; the medians count"
    )
    parser.add_argument("--cores", type=int, default=1, help="how many cores each reader has")
    parser.add_argument("--beside", type=Path, help="another checkout, whose decoder is measured, too")
    arguments = parser.parse_args()
    beside = [Reader(arguments.beside.name, _TABLES, _of(arguments.beside))] if arguments.beside else []
    cores = arguments.cores
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "made.pcap"
        traffic.write(file, arguments.packets, arguments.seed)
        size = file.stat().st_size / arguments.packets - 16
        print(
            f"{arguments.packets:,} frames of {size:.0f} bytes (mean), cores: {cores}, each reader a fresh process\n"
        )
        readers = (*beside, *READERS)
        for row in rows(readers, file, arguments.packets, folder, arguments.repeats, cores):
            print(row, flush=True)


if __name__ == "__main__":
    main()
