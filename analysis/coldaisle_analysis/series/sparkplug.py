"""Payloads of Sparkplug B (Eclipse Sparkplug 3.0.0, chapter 6): metrics in Protocol Buffers, named by a birth and by alias afterwards."""

from functools import cache
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

_NAMESPACE, _PARTS = "spBv1.0", 4
_FIELDS = (
    ("name", 1, "STRING"), ("alias", 2, "UINT64"), ("datatype", 4, "UINT32"), ("is_historical", 5, "BOOL"), ("is_null", 7, "BOOL"),
    ("int_value", 10, "UINT32"), ("long_value", 11, "UINT64"), ("float_value", 12, "FLOAT"), ("double_value", 13, "DOUBLE"),
)  # fmt: skip
"""Name, number and type of the fields of a metric that are read (section 6.4)."""
_VALUES = ("int_value", "long_value", "float_value", "double_value")
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}
"""Bits of the signed types, whose values are sent as unsigned numbers."""
_DATE = 13
_SESSION = "bdSeq"
"""Metric that numbers the sessions of a node."""


class Address(NamedTuple):
    """What a topic says: type of the message, edge node, and the topic without the type."""

    message: str
    node: str
    topic: str


def address(topic: str) -> Address | None:
    """Return the parts of a topic of Sparkplug B, ``spBv1.0/GROUP/TYPE/NODE[/DEVICE]``; ``None`` for any other."""
    parts = topic.split("/")
    if parts[0] != _NAMESPACE or len(parts) < _PARTS:
        return None
    return Address(parts[2], f"{parts[1]}/{parts[3]}", "/".join([*parts[:2], *parts[3:]]))


class Metrics:
    """Reads payloads in order; remembers name and type of each alias of a node until it is born again."""

    def __init__(self) -> None:
        self._names: dict[str, dict[int, tuple[str, int]]] = {}

    def read(self, where: Address, payload: bytes) -> dict[str, float]:
        """Return the number of each metric by name; of an alias without its birth, the name is ``alias 7``."""
        message = _payload()()
        try:
            message.ParseFromString(payload)
        except DecodeError:
            return {}
        if where.message == "NBIRTH":
            self._names[where.node] = {}
        names = self._names.setdefault(where.node, {})
        numbers: dict[str, float] = {}
        for metric in message.metrics:
            if metric.name and metric.HasField("alias"):
                names[metric.alias] = metric.name, metric.datatype
            name, datatype = names.get(metric.alias, (f"alias {metric.alias}", metric.datatype))
            if metric.name:
                name, datatype = metric.name, metric.datatype or datatype
            field = next(filter(metric.HasField, _VALUES), None)
            is_left_out = metric.is_historical or metric.is_null or datatype == _DATE or name == _SESSION
            if field and not is_left_out:
                numbers[name] = _value(metric, datatype, field)
        return numbers


def _value(metric: Any, datatype: int, field: str) -> float:
    value = getattr(metric, field)
    if datatype not in _SIGNED or field not in {"int_value", "long_value"}:
        return float(value)
    sign = 1 << (_SIGNED[datatype] - 1)
    return float((value & (sign - 1)) - (value & sign))


@cache
def _payload() -> Any:
    """Return the class of payloads, made from the numbers of their fields."""
    file = descriptor_pb2.FileDescriptorProto(name="sparkplug_b.proto", package="sparkplug", syntax="proto2")
    metric, payload = file.message_type.add(name="Metric"), file.message_type.add(name="Payload")
    kinds = descriptor_pb2.FieldDescriptorProto
    for name, number, kind in _FIELDS:
        metric.field.add(
            name=name, number=number, type=getattr(kinds, f"TYPE_{kind}"), label=kinds.LABEL_OPTIONAL
        )
    payload.field.add(
        name="metrics",
        number=2,
        type=kinds.TYPE_MESSAGE,
        type_name=".sparkplug.Metric",
        label=kinds.LABEL_REPEATED,
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("sparkplug.Payload"))
