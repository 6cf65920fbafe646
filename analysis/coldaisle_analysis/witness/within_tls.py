"""What units and broker say to each other within TLS, for the witness: Wireshark's own reading of MQTT in the raw captures.

The labeller asks tshark for bytes and reads MQTT itself. Here tshark's dissector of MQTT says where each control packet is, so that
the two ways have the key log in common and nothing else.
"""

import json
import struct
import subprocess
from collections.abc import Iterable
from pathlib import Path

from coldaisle_analysis.witness.frames import TCP, Frame
from coldaisle_contracts.addressing import TLS_PORT
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError

_HEADER = bytes.fromhex("4d3cb2a1020004000000000000000000") + struct.pack("<II", 1 << 18, 1)
_TIMEOUT_S = 1800.0
"""Longest time in which a shard is read, in s."""
Place = tuple[str, int, str, int, int]
"""Sender, receiver and the sequence number behind a segment."""


class WithinTls:
    """The MQTT control packets that frames of a shard carry within TLS.

    Args:
        frames: the frames of the shard, in order.
        keys: the key log.

    Raises:
        InputError: if tshark is missing or fails.
    """

    def __init__(self, frames: Iterable[Frame], keys: Path) -> None:
        chosen = [frame for frame in frames if is_encrypted(frame)]
        self._carried = _carried(chosen, keys)
        self._behind: dict[Place, bytes] = {}

    def say(self, frame: Frame) -> None:
        """Store in a frame what it says within TLS; where it was sent again, what it said at first."""
        if not is_encrypted(frame):
            return
        behind = (frame.seq + len(frame.payload)) & 0xFFFFFFFF
        place = frame.source, frame.sport, frame.target, frame.dport, behind
        said = self._carried.get(frame.data)
        if said:
            self._behind[place] = said
        frame.said = said or (self._behind.get(place, b"") if frame.payload else b"")


def is_encrypted(frame: Frame) -> bool:
    """Tell whether a frame is one of a connection to the port of MQTT within TLS."""
    return frame.protocol == TCP and TLS_PORT in (frame.sport, frame.dport)


def _carried(frames: Iterable[Frame], keys: Path) -> dict[bytes, bytes]:
    """Return the control packets that frames complete, by the bytes of the frame."""
    command = [
        "tshark",
        "-n",
        "-r",
        "-",
        "-o",
        f"tls.keylog_file:{keys}",
        "-o",
        "tcp.reassemble_out_of_order:TRUE",
    ]
    command += ["-Y", "tls && mqtt", "-T", "ek", "-x", "-j", "mqtt"]
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            command, input=_capture(frames), capture_output=True, check=False, timeout=_TIMEOUT_S
        )
    except FileNotFoundError as error:
        raise InputError("tshark", "install it: apt-get install tshark") from error
    if done.returncode:
        raise InputError("tshark", f"it failed on {keys}: {done.stderr.decode(errors='replace')[-200:]}")
    carried: dict[bytes, bytes] = {}
    for line in done.stdout.splitlines():
        layers = json.loads(line).get("layers")
        if layers is not None:
            packets = layers["mqtt_raw"]
            said = "".join(packets) if isinstance(packets, list) else packets
            carried[bytes.fromhex(layers["frame_raw"])] = bytes.fromhex(said)
    return carried


def _capture(frames: Iterable[Frame]) -> bytes:
    """Return frames as a capture."""
    records = (
        struct.pack("<IIII", frame.at_ns // SECOND, frame.at_ns % SECOND, len(frame.data), len(frame.data))
        + frame.data
        for frame in frames
    )
    return b"".join([_HEADER, *records])
