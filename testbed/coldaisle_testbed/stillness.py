"""Stillness: what the kernel and the programs of a shard still have to do on its network, asked of the kernel itself.

TCP leaves things to be done later: it delays an ACK, and repeats what is not acknowledged. Both depend on numbers that the kernel keeps
for each socket and tells (sock_diag(7), tcp(7)). So nobody has to guess how long a network must rest until nothing more comes.
"""

import math
import os
import socket
import struct
import time
from collections.abc import Sequence

from coldaisle_testbed.namespaces import inside, small_tables
from coldaisle_testbed.rest import MOMENT_S, Outlook

_COARSE = 6
"""CLOCK_MONOTONIC_COARSE: the time of the last timer tick, clock_getres(2)."""
TICK_S = time.clock_getres(_COARSE)
"""Timer tick of the kernel, in s: it counts delays in ticks, and a timer fires up to one tick late."""
_AFTER_TICK_S = 0.0002
"""Time after a tick at which its timers have fired, in s."""
_SOCK_DIAG, _BY_FAMILY, _DUMP, _INFO = 4, 20, 0x301, 2
"""NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, INET_DIAG_INFO (linux/inet_diag.h)."""
_ERROR, _DONE = 2, 3
_TIME_WAIT, _CLOSED, _LISTENS = 6, 7, 10
_UNFINISHED = frozenset((2, 3, 4, 9, 11, 12))
"""States of a connection that is being opened or closed: a SYN or FIN of it is not acknowledged."""
_STATES = 0x1FFF & ~(1 << _TIME_WAIT | 1 << _CLOSED | 1 << _LISTENS | 1)
_REQUEST = struct.pack("=IHHII", 72, _BY_FAMILY, _DUMP, 1, 0) + struct.pack(
    "=BBBBI48x", socket.AF_INET, socket.IPPROTO_TCP, 1 << (_INFO - 1), 0, _STATES
)
_HEADER, _ATTRIBUTE = struct.Struct("=IH10x"), struct.Struct("=HH")
_SOCKET = struct.Struct("=xB54xII8x")
"""State of a socket, and lengths of its queues, in ``struct inet_diag_msg``."""
_BUFFER = 1 << 16
_BACKLOG = 11
"""Field of ``/proc/net/softnet_stat`` with the frames that a processor has yet to deliver (Linux 5.10)."""


class Stillness:
    """What is under way on the network of a shard.

    Args:
        spaces: descriptors of the network namespaces of all hosts, the broker's first: it has an end of nearly every connection.
    """

    def __init__(self, spaces: Sequence[int]) -> None:
        self._queries: list[socket.socket] = []
        for space in spaces if small_tables() else ():
            with inside(space):
                query = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _SOCK_DIAG)
            self._queries.append(query)
        self._backlog = os.open("/proc/net/softnet_stat", os.O_RDONLY | os.O_CLOEXEC)
        self._programs: list[int] = []
        self._told = _told(_SOCKET.size)
        self._tick = _a_tick()

    def watch(self, pid: int) -> None:
        """Watch a program that acts on what it hears, and is under way unless it sleeps."""
        self._programs.append(os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC))

    def close(self) -> None:
        """Close everything that was opened."""
        for query in self._queries:
            query.close()
        for file in (self._backlog, *self._programs):
            os.close(file)

    def is_busy(self) -> bool:
        """Tell whether a frame is on its way through the kernel, or a watched program is awake."""
        return not (self._delivered() and self._asleep())

    def look(self) -> Outlook:
        """Look whether everything is still.

        A kernel that has all sockets of the machine in one table is not asked: an answer takes it milliseconds.
        Everything is still when nothing is busy, no connection has anything unread or unacknowledged, and each has received nothing for as
        long as it may delay an ACK and takes what it sends for a reply. Where only the last is not so, it is sure when it will be.
        """
        if not self._queries:
            return Outlook(math.inf, surely=False)
        wait_s = 0.0
        for query in self._queries:
            wait_s = max(wait_s, self._connections(query))
            if wait_s == math.inf:
                return Outlook(TICK_S, surely=False)
        is_busy = self.is_busy()
        if wait_s:
            since_tick_s = (time.monotonic() - self._tick) % TICK_S
            return Outlook(max(MOMENT_S, wait_s - since_tick_s + _AFTER_TICK_S), surely=not is_busy)
        return Outlook(MOMENT_S if is_busy else 0.0, surely=False)

    def _connections(self, query: socket.socket) -> float:
        """Return the longest wait for a connection of one host, infinite where something is unread or unacknowledged, or not told."""
        wait_s = 0.0
        query.send(_REQUEST)
        while True:
            data, at = query.recv(_BUFFER), 0
            while at < len(data):
                length, kind = _HEADER.unpack_from(data, at)
                if kind == _DONE:
                    return wait_s
                if kind == _ERROR:
                    return math.inf  # a kernel that does not tell
                wait_s = max(wait_s, self._connection(data, at + _HEADER.size, at + length))
                at += (length + 3) & ~3

    def _connection(self, data: bytes, at: int, end: int) -> float:
        if at + self._told.size > end or (told := self._told.unpack_from(data, at))[3] != _INFO:
            place = _attribute(data, at + _SOCKET.size, end)
            if place == end:  # closed, and only waits for its peer
                state, *queues = _SOCKET.unpack_from(data, at)
                return math.inf if state in _UNFINISHED or any(queues) else 0.0
            self._told = _told(place - at)
            told = self._told.unpack_from(data, at)
        state, unread, unacknowledged, _, delay_us, since_ms = told
        if state in _UNFINISHED or unread or unacknowledged:
            return math.inf
        return max(0.0, delay_us / 1e6 + TICK_S - since_ms / 1e3) if delay_us else 0.0

    def _delivered(self) -> bool:
        lines = os.pread(self._backlog, _BUFFER, 0).splitlines()
        return not any(int(field, 16) for line in lines for field in line.split()[_BACKLOG : _BACKLOG + 1])

    def _asleep(self) -> bool:
        return all(map(_sleeps, self._programs))


def _a_tick() -> float:
    """Return the time of a timer tick, in s of the monotonic clock; all others come whole ticks later."""
    last, before = time.clock_gettime(_COARSE), time.monotonic()
    while True:
        now, after = time.clock_gettime(_COARSE), time.monotonic()
        if now != last and after - before < _AFTER_TICK_S:  # else this program was interrupted
            return after
        last, before = now, after


def _sleeps(file: int) -> bool:
    """Tell whether a program sleeps, by its ``/proc`` entry, or has ended or was stopped, which is noticed elsewhere."""
    try:
        return os.pread(file, 512, 0).rpartition(b")")[2][1:2] in b"SZTt"
    except ProcessLookupError:
        return True


def _told(info_at: int) -> struct.Struct:
    """Return the layout of what the kernel tells of a socket: state, lengths of its queues, kind of attribute, and two numbers of TCP.

    They are ``tcpi_ato`` (in µs) and ``tcpi_last_data_recv`` (in ms) in ``struct tcp_info``.

    Args:
        info_at: offset of the attribute with ``struct tcp_info`` in the message.
    """
    return struct.Struct(f"{_SOCKET.format}{info_at - _SOCKET.size}x2xH12xI36xI")


def _attribute(data: bytes, at: int, end: int) -> int:
    """Return the offset of the attribute with the numbers of TCP, or ``end``."""
    while at + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(data, at)
        if kind == _INFO:
            return at
        at += max(4, (length + 3) & ~3)
    return end
