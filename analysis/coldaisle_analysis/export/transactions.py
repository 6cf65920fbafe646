"""MQTT transactions as Suricata 7 makes events of them: a request with all that answers it is one event.

A CONNECT is answered by a CONNACK, a PUBLISH with QoS 1 or 2, a SUBSCRIBE and an UNSUBSCRIBE by packets with the same packet identifier. The
event has the frame that completes it, and the addresses of the one who sent its first packet. A packet that answers nothing, or needs no
answer, is an event of its own. What breaks the grammar is an event without a packet, and its connection is not followed any further.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from coldaisle_analysis.decoding.mqtt import (
    CONNACK,
    CONNECT,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBACK,
    SUBSCRIBE,
    UNSUBACK,
    UNSUBSCRIBE,
)
from coldaisle_analysis.export.control_packets import ControlPacket

_OF_CONNECT = -1
"""What stands for the packet identifier of a CONNECT."""
_COMPLETES = (CONNACK, PUBACK, PUBCOMP, SUBACK, UNSUBACK)
_ANSWERS = (*_COMPLETES, PUBREC, PUBREL)
_REQUESTS = (PUBLISH, SUBSCRIBE, UNSUBSCRIBE)
_HIGHEST_QOS = 2


@dataclass
class Transaction:
    """A transaction.

    Attributes:
        first: row of the frame that completes its first packet.
        last: row of the frame that completes its last packet.
        packets: its packets.
        waits_for: packet identifier of the answer that it waits for; ``None`` where it is complete.
    """

    first: int
    last: int
    packets: list[ControlPacket] = field(default_factory=list)
    waits_for: int | None = None


@dataclass
class _Connection:
    """A connection that is followed: its open transactions, and whether it was given up."""

    waiting: list[Transaction] = field(default_factory=list)
    is_given_up: bool = False


def transactions(packets: Iterable[tuple[int, int, ControlPacket | None]]) -> Iterator[Transaction]:
    """Yield transactions in the order of their completion; at the end those that nobody answered.

    Args:
        packets: for each control packet in order the row of its frame, the number of its flow, and the packet itself, ``None`` for one that
            breaks the grammar.
    """
    connections: dict[int, _Connection] = {}
    for row, flow, packet in packets:
        connection = connections.setdefault(flow, _Connection())
        if connection.is_given_up:
            continue
        if packet is None:
            connection.is_given_up = True
            yield Transaction(row, row)
        elif (transaction := _taken(connection, row, packet)) is not None:
            yield transaction
    for connection in connections.values():
        yield from connection.waiting


def _taken(connection: _Connection, row: int, packet: ControlPacket) -> Transaction | None:
    """Add a packet to the transactions of its connection; return the one that it completes."""
    if packet.kind in _ANSWERS:
        wanted = _OF_CONNECT if packet.kind == CONNACK else packet.msgid
        answered = next((waiting for waiting in connection.waiting if waiting.waits_for == wanted), None)
        if answered is None:
            return Transaction(row, row, [packet])
        answered.packets.append(packet)
        answered.last = row
        if packet.kind not in _COMPLETES:
            return None
        connection.waiting.remove(answered)
        answered.waits_for = None
        return answered
    begun = Transaction(row, row, [packet])
    if packet.kind == CONNECT:
        begun.waits_for = _OF_CONNECT
    elif packet.kind in _REQUESTS and packet.qos:
        begun.waits_for = packet.msgid if packet.qos <= _HIGHEST_QOS else _OF_CONNECT - 1
    else:
        return begun
    connection.waiting.append(begun)
    return None
