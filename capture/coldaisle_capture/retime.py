"""Conversion of a capture from wall to virtual time: packet times, TCP timestamps and their checksums.

``virtual = wall + offset`` with the offset in force at the packet's wall time. A TCP timestamp (RFC 7323) counts the sender's
milliseconds of wall time. It is increased by the growth of the offset since the first time advance, and its echo (TSecr) by the growth in
force when the echoed TSval was sent. The conversion is monotone, because offsets only grow.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from heapq import heappop, heappush
from itertools import islice
from pathlib import Path

from coldaisle_capture.tcpdump import CaptureError
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.journal import ETHERNET
from coldaisle_contracts.timeline import MILLISECOND, Timeline

NANO_MAGIC = 0xA1B23C4D
GLOBAL_HEADER, RECORD_HEADER = 24, 16
RECORD = struct.Struct("<IIII")
_IPV4, _TCP, _UDP = 0x0800, 6, 17
_TIMESTAMPS = 8
_MASK = 0xFFFFFFFF
_CUT_SHORT = "the capture is cut short: make the run again"
_ONES = 0xFFFF
"""Sum of the 16-bit words over a right checksum in one's complement, RFC 1071."""
DISORDER_NS = SECOND
"""Greatest time by which a packet may reach the capture later than its successors, in ns. The kernel stamps a packet on arrival and
passes it to the capture when a processor is free: 3 µs later in most weeks, 75 ms in one during which the hypervisor had taken the
processor away. The stamp is right all the same; a greater delay means that the machine's clock was set back."""


def records(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield wall time (in ns) and frame of each packet of a little-endian nanosecond pcap.

    Raises:
        InputError: if the file is not one, or is cut.
        CaptureError: if a frame was cut.
    """
    data = path.read_bytes()
    if len(data) < GLOBAL_HEADER or struct.unpack_from("<I", data)[0] != NANO_MAGIC:
        raise InputError(path, "it is not a nanosecond pcap of tcpdump: make the run again")
    at, number = GLOBAL_HEADER, 0
    while at < len(data):
        number += 1
        if at + RECORD_HEADER > len(data):
            raise InputError(f"{path}: frame {number}, byte {at}", _CUT_SHORT)
        seconds, nanos, size, whole = RECORD.unpack_from(data, at)
        if size != whole:
            cut = f"{path}: frame {number} has {whole} bytes, of which {size} were kept"
            raise CaptureError(
                f"{cut}: no frame of the test network is that long, so an offload merged frames"
            )
        at += RECORD_HEADER
        if at + size > len(data):
            raise InputError(f"{path}: frame {number}, byte {at}", _CUT_SHORT)
        yield seconds * SECOND + nanos, data[at : at + size]
        at += size


def in_order(packets: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """Yield packets in the order of their stamps (wall time, in ns); those with equal stamps keep their order.

    Raises:
        InputError: if one comes more than :data:`DISORDER_NS` late.
    """
    held: list[tuple[int, int, bytes]] = []
    latest = 0
    for number, (wall_ns, frame) in enumerate(packets, 1):
        latest = max(latest, wall_ns)
        if latest - wall_ns > DISORDER_NS:
            late = f"{(latest - wall_ns) / MILLISECOND:.0f} ms after its successors"
            raise InputError(
                f"capture: frame {number}", "the machine's clock was set back: make the run again", late
            )
        heappush(held, (wall_ns, number, frame))
        while held[0][0] < latest - DISORDER_NS:
            yield heappop(held)[::2]
    while held:
        yield heappop(held)[::2]


class Retimer:
    """Converts the frames of one shard; it records the offset under which each TSval was sent.

    Args:
        timeline: the shard's timeline.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._growth: dict[tuple[bytes, int], int] = {}

    def time(self, wall_ns: int) -> int:
        """Return the virtual time of a packet, in ns."""
        return wall_ns + self._timeline.offset(wall_ns)

    def frame(self, wall_ns: int, frame: bytes) -> bytes:
        """Return the frame with timestamps in virtual time and right checksums; a malformed frame stays unchanged."""
        if len(frame) < ETHERNET + 20 or frame[12:14] != b"\x08\x00":
            return frame
        out = bytearray(frame)
        header = ETHERNET + (frame[ETHERNET] & 15) * 4
        end = ETHERNET + int.from_bytes(frame[16:18], "big")
        field = {_TCP: header + 16, _UDP: header + 6}.get(frame[23])
        if field is None or field + 2 > end or end > len(frame):
            return frame
        sound = _is_sound(frame, header, end, field)
        if frame[23] == _TCP:
            self._timestamps(wall_ns, out, header, end)
        if sound:
            out[field : field + 2] = b"\0\0"
            out[field : field + 2] = _checksum(out, header, end).to_bytes(2, "big")
        return bytes(out)

    def _timestamps(self, wall_ns: int, out: bytearray, header: int, end: int) -> None:
        at = header + 20
        # a header may claim to be longer than its packet
        stop = min(header + (out[header + 12] >> 4) * 4, end)
        while at + 1 < stop and out[at] != 0:
            if out[at] == 1:
                at += 1
                continue
            size = out[at + 1]
            if out[at] == _TIMESTAMPS and at + 10 <= stop:
                self._shift(wall_ns, out, header, at + 2)
            at += max(2, size)

    def _shift(self, wall_ns: int, out: bytearray, header: int, at: int) -> None:
        there, back = _directions(out, header)
        value, echo = struct.unpack_from("!II", out, at)
        sent = self._growth.setdefault((there, value), self._timeline.growth_ms(wall_ns))
        echoed = self._growth.get((back, echo), 0) if echo else 0
        struct.pack_into("!II", out, at, (value + sent) & _MASK, (echo + echoed) & _MASK)


def _directions(out: bytearray, header: int) -> tuple[bytes, bytes]:
    """Return the 4-tuple of a segment and that of the opposite direction."""
    source, target = out[26:30] + out[header : header + 2], out[30:34] + out[header + 2 : header + 4]
    return bytes(source + target), bytes(target + source)


def _sum(data: bytes | bytearray) -> int:
    """Return the one's complement sum of 16-bit words (RFC 1071): the whole number they make, modulo 0xFFFF."""
    number = int.from_bytes(data, "big") << 8 * (len(data) % 2)
    return number % _ONES or (_ONES if number else 0)


def _pseudo(frame: bytes | bytearray, header: int, end: int) -> bytes:
    return bytes(frame[26:34]) + bytes((0, frame[23])) + (end - header).to_bytes(2, "big")


def _checksum(frame: bytes | bytearray, header: int, end: int) -> int:
    """Return the TCP or UDP checksum (RFC 1071) of a frame whose checksum field is zero; UDP writes 0 as 0xFFFF."""
    value = ~_sum(_pseudo(frame, header, end) + bytes(frame[header:end])) & _ONES
    return _ONES if value == 0 and frame[23] == _UDP else value


def _is_sound(frame: bytes, header: int, end: int, field: int) -> bool:
    """Tell whether the checksum is right, or left empty for the sender's network card."""
    pseudo = _pseudo(frame, header, end)
    is_empty = frame[field : field + 2] == _sum(pseudo).to_bytes(2, "big")
    return is_empty or _sum(pseudo + frame[header:end]) == _ONES


def retimed(raws: Sequence[Path], retimer: Retimer) -> Iterator[tuple[int, bytes]]:
    """Yield for each file of a capture the number of its packets and its retimed copy.

    Args:
        raws: files as tcpdump wrote them, oldest first.
        retimer: converts times and frames.

    Raises:
        InputError: if a file is no such capture, or its packets are out of order.
    """
    captured = [list(records(raw)) for raw in raws]
    packets = in_order(packet for part in captured for packet in part)
    with raws[0].open("rb") as first:
        header = first.read(GLOBAL_HEADER)
    for part in captured:
        content = bytearray(header)
        for wall_ns, frame in islice(packets, len(part)):
            # retiming changes no length
            content += RECORD.pack(*divmod(retimer.time(wall_ns), SECOND), len(frame), len(frame))
            content += retimer.frame(wall_ns, frame)
        yield len(part), bytes(content)
