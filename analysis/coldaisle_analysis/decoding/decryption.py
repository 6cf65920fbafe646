"""What is within TLS, decrypted by tshark with the secrets of a key log; the only module of the analysis that calls tshark.

tshark is told to take what port 8883 carries for plain bytes, so that it returns them as they are and this package's own decoder
reads the MQTT in them.
"""

import struct
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from coldaisle_contracts.addressing import TLS_PORT
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError

_PCAP = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, 1)
"""Header of a pcap file with nanoseconds, of Ethernet frames."""
_RECORD = struct.Struct("<IIII")
_TIMEOUT_S = 1800.0
"""Longest time in which the frames are read, in s."""
_INSTALL = "install it, because what TLS carries is read with it: apt-get install tshark"
_PREFERENCES = ("tcp.reassemble_out_of_order:TRUE", "tls.desegment_ssl_records:TRUE")


def decrypted(frames: Sequence[tuple[int, bytes]], keys: Path) -> dict[int, bytes]:
    """Return what frames carry within TLS: position of the frame that completes them, and bytes.

    Args:
        frames: time, in ns since the epoch, and bytes of each frame of a stretch that was recorded together.
        keys: the key log.

    Raises:
        InputError: if there is no tshark, or it cannot read the key log.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tls.pcap"
        write(path, frames)
        command = ["tshark", "-n", "-r", str(path), "-o", f"tls.keylog_file:{keys}"]
        command += [word for preference in _PREFERENCES for word in ("-o", preference)]
        command += ["-d", f"tls.port=={TLS_PORT},data", "-Y", "tls && data"]
        command += ["-T", "fields", "-e", "frame.number", "-e", "data.data"]
        try:
            done = subprocess.run(  # noqa: S603 - our own arguments
                command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
            )
        except FileNotFoundError as error:
            raise InputError("tshark", _INSTALL) from error
    if done.returncode:
        raise InputError("tshark", f"it failed on {keys}: {done.stderr.strip().splitlines()[-1:]}")
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return {int(number) - 1: bytes.fromhex(data.replace(",", "")) for number, data in lines}


def write(path: Path, frames: Iterable[tuple[int, bytes]]) -> None:
    """Write frames, each with its time in ns since the epoch, as a capture."""
    with path.open("wb") as out:
        out.write(_PCAP)
        for time_ns, data in frames:
            out.write(_RECORD.pack(time_ns // SECOND, time_ns % SECOND, len(data), len(data)))
            out.write(data)
