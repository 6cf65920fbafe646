"""Payloads of Sparkplug B (Eclipse Sparkplug 3.0.0, chapter 6), written with Protocol Buffers.

No library of Sparkplug is used: pysparkplug 0.6 needs paho-mqtt before 2, and it has a client of its own that knows no virtual time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

Type = Literal["Int32", "Int64", "Double", "Boolean"]
"""A type of metrics that is used here."""
_TYPES: dict[Type, tuple[int, str]] = {
    "Int32": (3, "int_value"),
    "Int64": (4, "long_value"),
    "Double": (10, "double_value"),
    "Boolean": (11, "boolean_value"),
}
"""Number of each type, and the field of its values (section 6.4.16)."""
_BITS = {"Int32": 32, "Int64": 64}
_METRIC = (
    ("name", 1, "STRING"), ("alias", 2, "UINT64"), ("timestamp", 3, "UINT64"), ("datatype", 4, "UINT32"), ("int_value", 10, "UINT32"),
    ("long_value", 11, "UINT64"), ("double_value", 13, "DOUBLE"), ("boolean_value", 14, "BOOL"),
)  # fmt: skip
_PAYLOAD = (("timestamp", 1, "UINT64"), ("seq", 3, "UINT64"))
"""Name, number and type of the fields of a metric and of a payload (sections 6.4.6 and 6.4.4)."""


@dataclass(frozen=True)
class Metric:
    """A metric with a value.

    Attributes:
        name: its name; empty where the alias stands for it.
        type: its type.
        value: its value.
        alias: its alias, -1 for none.
    """

    name: str
    type: Type
    value: float | bool
    alias: int = -1


def encoded(time_ms: int, metrics: Iterable[Metric], seq: int | None) -> bytes:
    """Return the bytes of a payload.

    Args:
        time_ms: its time and that of its metrics, in ms since the epoch.
        metrics: its metrics, in order.
        seq: its sequence number; ``None`` for an NDEATH, which has none.
    """
    payload = _payload()(timestamp=time_ms)
    for metric in metrics:
        number, field = _TYPES[metric.type]
        entry = payload.metrics.add(timestamp=time_ms, datatype=number)
        if metric.name:
            entry.name = metric.name
        if metric.alias >= 0:
            entry.alias = metric.alias
        bits = _BITS.get(metric.type)
        setattr(entry, field, int(metric.value) % (1 << bits) if bits else metric.value)
    if seq is not None:
        payload.seq = seq
    data: bytes = payload.SerializeToString(deterministic=True)
    return data


def commands(payload: bytes) -> dict[str, bool]:
    """Return the metrics of a command that are true or false, by name; none where the payload is not one of Sparkplug B."""
    message = _payload()()
    try:
        message.ParseFromString(payload)
    except DecodeError:
        return {}
    return {
        metric.name: metric.boolean_value for metric in message.metrics if metric.HasField("boolean_value")
    }


@cache
def _payload() -> Any:
    """Return the class of payloads."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="payload.proto", package="node", syntax="proto2")
    for message, fields in (("Metric", _METRIC), ("Payload", _PAYLOAD)):
        entry = file.message_type.add(name=message)
        for name, number, kind in fields:
            entry.field.add(
                name=name, number=number, type=getattr(kinds, f"TYPE_{kind}"), label=kinds.LABEL_OPTIONAL
            )
    entry.field.add(
        name="metrics",
        number=2,
        type=kinds.TYPE_MESSAGE,
        type_name=".node.Metric",
        label=kinds.LABEL_REPEATED,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("node.Payload"))
