"""The lines of the journals, one class per event; docs/schemas/journal.json is printed from them."""

from dataclasses import dataclass
from typing import Literal

from coldaisle_contracts.taxonomy import Role

KEYS = {
    "acked_ns": "virtual time at which the readings of every sensor of the unit were acknowledged: by PUBACK, by PUBCOMP at QoS 2, by TCP at QoS 0; of a companion's message, at which it was sent (QoS 0) or acknowledged",
    "act": "what the attacker did with the frame",
    "after": "value that the broker got; null where it got none",
    "anomalous": "whether the frame is part of the anomaly; false where it was merely relayed",
    "answer": "what was answered: the addresses of the name, or the message of the DHCP server; empty for no answer",
    "at_ns": "virtual time of the event, in ns since the epoch",
    "attempts": "2 where the PUBLISH was sent again on a new connection, else 1",
    "before": "value of the reading as it was sent; null where the act concerns no reading, or cannot read it because it is encrypted",
    "client": "client id that names a sensor, or the one that the attacker uses",
    "copy": "number of the copy, from 1; 0 where it is none",
    "delay_ns": "round-trip delay of the NTP query, in ns",
    "digest": "digest of the frame (for an act: of the one that brings the result to the broker), see journal.frame_digest; of a message that of its payload, see journal.payload_digest",
    "episode": "id of the episode; in a unit's own lines the unit's episode that is the cause, empty for none",
    "failed": "why the NTP query had no answer",
    "file": "path of the retimed capture, relative to the run's folder",
    "kernel_drops": "packets of the shard that the kernel dropped, in the line of its first file; 0 in the others",
    "mid": "MQTT message id; 0 for none",
    "name": "client id on the wire",
    "number": "number of the DNS message, or of the DHCP transaction",
    "offset_ns": "how far the NTP server's clock is ahead of the unit's; in the timeline virtual less wall time; in ns",
    "operation": "what was done, such as modify, swallow, copy or the name of a kind",
    "packets": "packets in the capture",
    "path": "path of the page that was requested",
    "phase": "phase that the episode enters",
    "port": "TCP port of the host that opened the connection; 0 for none",
    "qos": "quality of service of the message: as it was published, or as the broker delivered it",
    "question": "the name that was looked up",
    "raw": "path of the raw capture, relative to the run's folder",
    "raw_sha256": "sha256 of the raw capture, hex",
    "reason": "why the connection is opened or closed: start, lost, fallback (lost, and opened without TLS), certificate (the one before was refused), end, absence, or the kind of an episode",
    "retain": "whether the broker was asked to keep the message",
    "role": "role of the frame in the episode",
    "sensor": "number of the sensor; 0 for none",
    "sent_ns": "virtual time at which the PUBLISH was first sent",
    "sha256": "sha256 of the retimed capture, hex",
    "side": "broker where the frame passes the capture, else unit",
    "size": "length of the payload, in bytes",
    "slot": "slot of the plan; -1 for none",
    "stamp_ns": "time at which the reading was taken by the unit's corrected clock, in ns since the epoch",
    "status": "status of the HTTP answer; 0 for no answer",
    "step": "message that the DHCP client sent: discover, request or renew",
    "synced": "slot of the NTP query that the stamp relies on; -1 before the first answer",
    "taken_ns": "virtual time at which the reading was taken",
    "topic": "topic of the message",
    "unit": "the unit attacked, or broker",
    "value": "payload of the PUBLISH",
    "wall_ns": "wall time from which the offset is in force, in ns since the epoch",
    "was": "port of the connection that this one replaces; 0 for none",
}
"""The content of each key of a line."""

Phase = Literal["approach", "on_path", "begin", "end", "off_path"]
"""Phases of an episode in their order; one that is not played on the path has ``begin`` and ``end`` alone."""
FrameAct = Literal[
    "poison", "restore", "relay", "alter", "copy", "release", "double", "swallow", "lose", "acknowledge", "proceed", "clear", "reset",
    "refuse", "impersonate", "repeat", "reply", "speak", "answer", "syn", "ask",
]  # fmt: skip
"""Acts of the attacker on a frame, see docs/architecture.md."""
FALLBACK = "fallback"
"""Reason of a connection that a unit opened without TLS, after a connection was lost and others were refused."""
CERTIFICATE = "certificate"
"""Reason of a connection that a unit opened because it did not trust the certificate that it was shown on the one before."""
UNWANTED = ("lost", FALLBACK, CERTIFICATE)
"""Reasons of connections that replace one that was lost."""


@dataclass
class DisconnectLine:
    """A unit closes the connection of a sensor."""

    event = "disconnect"
    client: str
    name: str
    port: int
    at_ns: int
    reason: str
    episode: str


@dataclass
class ConnectLine(DisconnectLine):
    """A unit opens a connection for a sensor; its SYN follows."""

    event = "connect"
    was: int


@dataclass
class ReadingLine:
    """A reading was acknowledged, at QoS 0 by the broker's TCP."""

    event = "reading"
    client: str
    name: str
    slot: int
    taken_ns: int
    stamp_ns: int
    synced: int
    value: str
    mid: int
    port: int
    sent_ns: int
    acked_ns: int
    attempts: int
    episode: str


@dataclass
class MessageLine:
    """A companion published a message that is no reading."""

    event = "message"
    client: str
    name: str
    topic: str
    qos: int
    retain: bool
    mid: int
    port: int
    digest: str
    size: int
    sent_ns: int
    acked_ns: int


@dataclass
class ReceivedLine:
    """A companion that subscribed received a message."""

    event = "received"
    client: str
    name: str
    port: int
    topic: str
    qos: int
    digest: str
    size: int
    at_ns: int


@dataclass
class TimeLine:
    """The NTP server answered a unit's query."""

    event = "time"
    slot: int
    at_ns: int
    offset_ns: int
    delay_ns: int


@dataclass
class FailedTimeLine:
    """The NTP server did not answer a unit's query."""

    event = "time"
    slot: int
    at_ns: int
    failed: str


@dataclass
class EpisodeLine:
    """An episode enters a phase."""

    event = "episode"
    episode: str
    phase: Phase
    at_ns: int


@dataclass
class ActLine:
    """The injector, or a unit itself, played an act."""

    event = "act"
    episode: str
    unit: str
    slot: int
    sensor: int
    operation: str
    before: str | None
    after: str | None
    port: int
    mid: int
    copy: int
    digest: str
    client: str
    at_ns: int


@dataclass
class FrameLine:
    """The attacker sent, received or passed on a frame."""

    event = "frame"
    episode: str
    digest: str
    role: Role
    anomalous: bool
    side: Literal["broker", "unit"]
    act: FrameAct
    at_ns: int


@dataclass
class OpenLine:
    """An act opens a connection from the attacker's own host to the broker."""

    event = "open"
    episode: str
    port: int
    at_ns: int


@dataclass
class RefuseLine:
    """The attacker refused a connection that a unit opened, or answered it, in the broker's name; the port is the unit's."""

    event = "refuse"
    episode: str
    port: int
    at_ns: int


@dataclass
class LookupLine:
    """A workstation looked a name up."""

    event = "lookup"
    question: str
    number: int
    port: int
    at_ns: int
    answer: str


@dataclass
class LeaseLine:
    """A workstation sent a message to the DHCP server."""

    event = "lease"
    step: Literal["discover", "request", "renew"]
    number: int
    at_ns: int
    answer: str


@dataclass
class FetchLine:
    """A workstation requested a page on a connection of its own."""

    event = "fetch"
    path: str
    port: int
    at_ns: int
    status: int


@dataclass
class OffsetLine:
    """The timekeeper granted a time advance."""

    event = "offset"
    wall_ns: int
    offset_ns: int


@dataclass
class SealedLine:
    """A capture file is complete."""

    event = "sealed"
    file: str
    raw: str
    packets: int
    kernel_drops: int
    sha256: str
    raw_sha256: str


Line = (
    ConnectLine | DisconnectLine | ReadingLine | MessageLine | ReceivedLine | TimeLine | FailedTimeLine | EpisodeLine | ActLine
    | FrameLine | OpenLine | RefuseLine | LookupLine | LeaseLine | FetchLine | OffsetLine | SealedLine
)  # fmt: skip
"""Any line of a journal; :class:`~coldaisle_contracts.journal.Journal` adds event and shard."""
